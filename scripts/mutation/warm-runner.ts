/**
 * Runs tests against mutants, for Stryker, on vitest.
 *
 * 1. A mutant meets the tests that reach it, those of the quickest files first, until one fails.
 * 2. Modules stay loaded, so what a mutant left behind in one could make a test fail later. Hence a failure counts only if
 *    the same test passes with the mutant off, or if nothing had run in the thread before.
 * 3. A mutant in code that runs while modules load gets a thread of its own.
 * 4. That a run ran no test is an error, never a mutant that survived.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { declareClassPlugin, PluginKind } from "@stryker-mutator/api/plugin";
import {
  type CompleteDryRunResult,
  type DryRunResult,
  DryRunStatus,
  determineHitLimitReached,
  type MutantRunOptions,
  type MutantRunResult,
  MutantRunStatus,
  type TestResult,
  type TestRunner,
  type TestRunnerCapabilities,
  TestStatus,
  toMutantRunResult,
} from "@stryker-mutator/api/test-runner";
import { createVitest, type TestCase, type TestModule, type TestSpecification, type Vitest } from "vitest/node";
import type { Coverage, Switches } from "./switches.ts";
import { WarmThread } from "./warm-thread.ts";

interface File {
  readonly specification: TestSpecification;
  durationMs: number;
}

/** How long each file takes, by its id, for processes that join later; in the folder of the mutated copy. */
const durations = "durations.json";

interface Run {
  readonly modules: readonly TestModule[];
  readonly result: DryRunResult;
}

class WarmRunner implements TestRunner {
  readonly #thread: WarmThread = new WarmThread();
  /** By the id that their tests' ids begin with. */
  readonly #files: Map<string, File> = new Map();
  #vitest: Vitest | undefined;

  capabilities(): TestRunnerCapabilities {
    return { reloadEnvironment: true };
  }

  async init(): Promise<void> {
    const config = `${process.cwd()}/scripts/mutation/vitest.config.ts`;
    this.#vitest = await createVitest("test", {
      config,
      watch: false,
      pool: this.#thread,
      isolate: false,
      maxWorkers: 1,
    });
    const known: Record<string, number> = existsSync(durations) ? JSON.parse(readFileSync(durations, "utf8")) : {};
    for (const specification of await this.#vitest.globTestSpecifications()) {
      const { taskId } = specification;
      this.#files.set(taskId, { specification, durationMs: known[taskId] ?? 0 });
    }
  }

  async dryRun(): Promise<DryRunResult> {
    const specifications = [...this.#files.values()].map((file) => file.specification);
    const { modules, result } = await this.#run(specifications, { kind: "coverage" });
    await this.#thread.renew();
    if (result.status !== DryRunStatus.Complete) return result;
    for (const module of modules) this.#fileOf(module.id).durationMs = module.diagnostic().duration;
    const known = [...this.#files].map(([id, { durationMs }]) => [id, durationMs]);
    writeFileSync(durations, JSON.stringify(Object.fromEntries(known)));
    return { ...result, mutantCoverage: coverageOf(modules) };
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, hitLimit, mutantActivation, testFilter } = options;
    const whileLoading = mutantActivation === "static";
    if (whileLoading) await this.#thread.renew();
    const switches: Switches = { kind: "mutant", id: activeMutant.id, whileLoading, hitLimit };
    const verdict = await this.#verdict(testFilter, switches);
    if (whileLoading) await this.#thread.renew();
    return verdict;
  }

  async dispose(): Promise<void> {
    await this.#thread.renew();
    await this.#vitest?.close();
  }

  get #started(): Vitest {
    if (this.#vitest === undefined) throw new Error("used before init");
    return this.#vitest;
  }

  async #verdict(
    ids: readonly string[] | undefined,
    switches: Switches & { kind: "mutant" },
  ): Promise<MutantRunResult> {
    const { fresh } = this.#thread;
    const verdict = await this.#meet(ids, switches);
    if (verdict.status !== MutantRunStatus.Killed || fresh) return verdict;
    const { result } = await this.#run(this.#select(verdict.killedBy), { kind: "off" });
    if (result.status === DryRunStatus.Complete && toMutantRunResult(result).status === MutantRunStatus.Survived) {
      return verdict;
    }
    await this.#thread.renew();
    const again = await this.#meet(ids, switches);
    await this.#thread.renew();
    return again;
  }

  async #meet(ids: readonly string[] | undefined, switches: Switches & { kind: "mutant" }): Promise<MutantRunResult> {
    const ran: TestResult[] = [];
    for (const specification of this.#select(ids)) {
      const { modules, result } = await this.#run([specification], switches);
      const hits = modules.reduce((sum, module) => sum + (module.meta().hits ?? 0), 0);
      const limit = determineHitLimitReached(hits, switches.hitLimit);
      if (limit !== undefined) return toMutantRunResult(limit);
      if (result.status !== DryRunStatus.Complete) return toMutantRunResult(result);
      ran.push(...result.tests);
      if (result.tests.some(({ status }) => status === TestStatus.Failed)) break;
    }
    return toMutantRunResult({ status: DryRunStatus.Complete, tests: ran });
  }

  #fileOf(testId: string): File {
    const file = this.#files.get(testId.split("_")[0] ?? testId);
    if (file === undefined) throw new Error(`there is no file with test ${testId}`);
    return file;
  }

  /** These tests alone, or all, file by file, the quickest first. */
  #select(ids: readonly string[] | undefined): TestSpecification[] {
    const chosen = new Map<File, string[]>();
    for (const id of ids ?? []) {
      const file = this.#fileOf(id);
      const those = chosen.get(file);
      if (those === undefined) chosen.set(file, [id]);
      else those.push(id);
    }
    const files = ids === undefined ? [...this.#files.values()] : [...chosen.keys()];
    return files
      .sort((a, b) => a.durationMs - b.durationMs)
      .map((file) => {
        const { project, moduleId } = file.specification;
        const testIds = chosen.get(file);
        return testIds === undefined ? file.specification : project.createSpecification(moduleId, { testIds });
      });
  }

  async #run(specifications: readonly TestSpecification[], switches: Switches): Promise<Run> {
    this.#started.provide("switches", switches);
    const { testModules, unhandledErrors } = await this.#started.runTestSpecifications([...specifications]);
    // vitest also tells again of what ran before.
    const asked = new Set(specifications.map(({ moduleId }) => moduleId));
    const modules = testModules.filter(({ moduleId }) => asked.has(moduleId));
    return { modules, result: resultOf(modules, unhandledErrors) };
  }
}

function resultOf(modules: readonly TestModule[], unhandled: readonly unknown[]): DryRunResult {
  const results = modules.flatMap(({ children }) =>
    [...children.allTests()].flatMap((test) => toTestResult(test) ?? []),
  );
  const wrong = [
    ...modules.flatMap((module) => module.errors().map(({ message }) => message)),
    ...unhandled.map(String),
  ];
  const complete: CompleteDryRunResult = { status: DryRunStatus.Complete, tests: results };
  if (results.some(({ status }) => status === TestStatus.Failed)) return complete;
  if (wrong.length > 0) return { status: DryRunStatus.Error, errorMessage: wrong.join("\n") };
  if (results.length === 0) return { status: DryRunStatus.Error, errorMessage: "no test ran" };
  return complete;
}

/** Nothing for one that was not asked for. */
function toTestResult(test: TestCase): TestResult | undefined {
  const { state, errors } = test.result();
  const told = { id: test.id, name: test.fullName, timeSpentMs: test.diagnostic()?.duration ?? 0 };
  if (state === "passed") return { ...told, status: TestStatus.Success };
  if (state === "failed") {
    return { ...told, status: TestStatus.Failed, failureMessage: errors?.[0]?.message ?? "it failed" };
  }
  return undefined;
}

function coverageOf(modules: readonly TestModule[]): Coverage {
  const all: Coverage = { static: {}, perTest: {} };
  for (const module of modules) {
    Object.assign(all.static, module.meta().reachedByLoading);
    for (const test of module.children.allTests()) all.perTest[test.id] = test.meta().reached ?? {};
  }
  return all;
}

export const strykerPlugins: readonly unknown[] = [declareClassPlugin(PluginKind.TestRunner, "warm", WarmRunner)];
