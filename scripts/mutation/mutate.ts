/**
 * Mutation testing: `npm run mutate` changes `src/coordination/` and `src/kernel/` in one small way after another and runs
 * the tests that reach the change; one that no test notices is a gap in the tests, or code that does nothing.
 * `npm run mutate -- FILE…` looks at some files, `FILE:FROM-TO` at some of a file's lines.
 *
 * What survives is told with its place; `.cache/mutation.html` shows it in the source.
 */
import { Stryker } from "@stryker-mutator/core";

const everything = ["src/{coordination,kernel}/**/*.ts", "!**/*.test.ts", "!**/*.fixture.ts"];
const chosen = process.argv.slice(2);

await new Stryker({
  mutate: chosen.length > 0 ? chosen : everything,
  plugins: ["./warm-runner.ts", "./compile-checker.ts"].map((path) => import.meta.resolve(path)),
  checkers: ["compile"],
  testRunner: "warm",
  // Tests are switched on and off one by one, so that a mutant meets only those that reach it.
  coverageAnalysis: "perTest",
  concurrency: 1,
  // Loops that a mutant makes endless are cut by counting; the clock is for what cannot be counted, on a busy machine too.
  timeoutMS: 10_000,
  timeoutFactor: 1,
  dryRunTimeoutMinutes: 30,
  tempDirName: ".cache/mutation",
  ignorePatterns: ["dist", ".cache", "bench/results"],
  reporters: ["clear-text", "progress-append-only", "html", "json"],
  allowConsoleColors: false,
  clearTextReporter: { logTests: false, allowColor: false },
  htmlReporter: { fileName: ".cache/mutation.html" },
  jsonReporter: { fileName: ".cache/mutation.json" },
}).runMutationTest();
