/**
 * Tells what a test run is about to do, and closes it with every test that did not run and why, and with one line of
 * counts that programs can read. The closing lines are also left in `.cache/test-run.txt`, for those who print them later.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import type { Reporter, TestCase, TestModule } from "vitest/node";

const folder: URL = new URL("../.cache/", import.meta.url);

export default class ClosingReporter implements Reporter {
  onTestRunStart(specifications: readonly unknown[]): void {
    const files = specifications.length === 1 ? "1 file" : `${specifications.length} files`;
    console.log(
      `Running the tests of ${files} on Node ${process.versions.node}; the end tells which did not run, and why.`,
    );
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0 };
    const lines: string[] = [];
    for (const module of modules) {
      if (module.errors().length > 0) counts.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed" || state === "failed") {
          counts[state] += 1;
        } else {
          counts.skipped += 1;
          lines.push(`did not run: ${module.relativeModuleId} > ${test.fullName}: ${why(test)}`);
        }
      }
    }
    if (lines.length === 0) lines.push("every test ran");
    lines.push(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    const text = `${lines.join("\n")}\n`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(new URL("test-run.txt", folder), text);
    console.log(`\n${text}`);
  }
}

function why(test: TestCase): string {
  const result = test.result();
  if (result.state === "skipped") return result.note ?? `marked "${test.options.mode}", without a reason`;
  return "the run ended before it did";
}
