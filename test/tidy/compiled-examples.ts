/** Examples are compiled as a user's would be: strictly, each a module of its own, importing the package by its name. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Example } from "./code-fences.ts";
import { entries, type Faults, root } from "./source.ts";

const settings = {
  extends: "../../tsconfig.base.json",
  compilerOptions: {
    noEmit: true,
    types: ["node"],
    allowImportingTsExtensions: true,
    isolatedDeclarations: false,
    declaration: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
    paths: Object.fromEntries(Array.from(entries(), ([name, path]) => [name, [`../../${path}`]])),
  },
  include: ["*.ts"],
};

export function compiledExamples(examples: readonly Example[]): Faults {
  mkdirSync(join(root, ".cache"), { recursive: true });
  // Inside the repository, so that examples find the packages that it depends on.
  const folder = mkdtempSync(join(root, ".cache", "examples-"));
  try {
    for (const [i, { code }] of examples.entries()) writeFileSync(join(folder, `e${i}.ts`), `${code}export {};\n`);
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
    const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
    const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, "-p", folder, "--pretty", "false"], {
      cwd: folder,
      encoding: "utf8",
    });
    const faults = stdout.split("\n").flatMap((line) => fault(line, examples));
    return status === 0 || faults.length > 0 ? faults : [`the compiler ended with ${status}: ${stderr}`];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the compiler says, where the example stands. Its continuation lines, which are indented, are left out. */
function fault(line: string, examples: readonly Example[]): string[] {
  if (line === "" || line.startsWith(" ")) return [];
  const [, number, row, what] = /^e(\d+)\.ts\((\d+),\d+\): (.*)$/.exec(line) ?? [];
  const example = examples[Number(number)];
  return [example === undefined ? line : `${example.path}:${example.line + Number(row) - 1}: ${what}`];
}
