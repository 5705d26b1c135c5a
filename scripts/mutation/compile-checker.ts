/**
 * Sorts out mutants that do not compile, for Stryker: no test has to notice what the compiler refuses. TypeScript has no
 * interface for programs, so the compiler is run as a command, over a copy of the sources with one mutant in each file; an
 * error is blamed on the mutant of the file that it is in. That something is no longer used is not held against a mutant.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { type Checker, type CheckResult, CheckStatus } from "@stryker-mutator/api/check";
import type { Mutant } from "@stryker-mutator/api/core";
import { declareClassPlugin, PluginKind } from "@stryker-mutator/api/plugin";

const root: string = new URL("../..", import.meta.url).pathname;
const copy: string = `${root}.cache/mutation-types/`;
const compiler: string = `${root}node_modules/typescript/lib/tsc.js`;

class CompileChecker implements Checker {
  readonly #sources: Map<string, string> = new Map();

  async init(): Promise<void> {
    await rm(copy, { recursive: true, force: true });
    await mkdir(copy, { recursive: true });
    for (const name of ["src", "package.json", "tsconfig.base.json", "tsconfig.core.json"]) {
      await cp(`${root}${name}`, `${copy}${name}`, { recursive: true });
    }
    const config = {
      extends: "./tsconfig.core.json",
      compilerOptions: {
        noEmit: true,
        composite: false,
        // Only what a round has changed is looked at.
        incremental: true,
        tsBuildInfoFile: "mutants.tsbuildinfo",
        noUnusedLocals: false,
        noUnusedParameters: false,
      },
      include: ["src/errors.ts", "src/coordination/**/*.ts", "src/kernel/**/*.ts"],
      exclude: ["**/*.test.ts", "**/*.fixture.ts"],
    };
    await writeFile(`${copy}tsconfig.json`, JSON.stringify(config));
    const before = await compile();
    if (before !== "") throw new Error(`the sources do not compile as they are:\n${before}`);
  }

  /** Rounds in which no file has two mutants. */
  async group(mutants: Mutant[]): Promise<string[][]> {
    const rounds: string[][] = [];
    const counts = new Map<string, number>();
    for (const { id, fileName } of mutants) {
      const round = counts.get(fileName) ?? 0;
      counts.set(fileName, round + 1);
      const ids = rounds[round];
      if (ids === undefined) rounds.push([id]);
      else ids.push(id);
    }
    return rounds;
  }

  async check(mutants: Mutant[]): Promise<Record<string, CheckResult>> {
    for (const mutant of mutants) await writeFile(copied(mutant), mutated(await this.#sourceOf(mutant), mutant));
    const errors = (await compile()).split("\n");
    for (const mutant of mutants) await writeFile(copied(mutant), await this.#sourceOf(mutant));
    return Object.fromEntries(mutants.map((mutant) => [mutant.id, resultOf(mutant, errors)]));
  }

  /** As it was when the run began. */
  async #sourceOf(mutant: Mutant): Promise<string> {
    const path = copied(mutant);
    const source = this.#sources.get(path) ?? (await readFile(path, "utf8"));
    this.#sources.set(path, source);
    return source;
  }
}

function relative({ fileName }: Mutant): string {
  return fileName.slice(root.length);
}

function copied(mutant: Mutant): string {
  return `${copy}${relative(mutant)}`;
}

/** Lines and columns count from 0. A statement that is taken out leaves `;`, which the compiler refuses behind an `if`. */
function mutated(source: string, { location: { start, end }, replacement }: Mutant): string {
  const lines = source.split("\n");
  const offsetOf = ({ line, column }: typeof start): number =>
    lines.slice(0, line).reduce((sum, text) => sum + text.length + 1, column);
  return source.slice(0, offsetOf(start)) + (replacement === ";" ? "{}" : replacement) + source.slice(offsetOf(end));
}

function resultOf(mutant: Mutant, errors: readonly string[]): CheckResult {
  const reason = errors.find((line) => line.startsWith(`${relative(mutant)}(`));
  return reason === undefined ? { status: CheckStatus.Passed } : { status: CheckStatus.CompileError, reason };
}

/** What the compiler complains of; nothing: it compiles. */
function compile(): Promise<string> {
  return new Promise((resolve) => {
    execFile(process.execPath, [compiler, "-p", "tsconfig.json"], { cwd: copy }, (_, stdout) => resolve(stdout));
  });
}

export const strykerPlugins: readonly unknown[] = [declareClassPlugin(PluginKind.Checker, "compile", CompileChecker)];
