/**
 * Runs before each file of tests, beside the mutated code: switches the mutant on, counts, and tells. Modules stay loaded from
 * one mutant to the next, so that none may be on while they load, unless it is its turn to be.
 */
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, inject } from "vitest";
import type { Coverage } from "./switches.ts";

/** What mutated code looks at, under the name that it uses. */
interface Namespace {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: Coverage;
}

declare global {
  var __stryker__: Namespace | undefined;
}

// The same runs each time, so that a verdict can be repeated; a counterexample is enough, it need not be the smallest. A
// property stops early: it can then miss a mutant, but never blame one.
fc.configureGlobal({ seed: 1, endOnFailure: true, interruptAfterTimeLimit: 300 });

globalThis.__stryker__ ??= {};
const namespace = globalThis.__stryker__;
const switches = inject("switches");
namespace.activeMutant = undefined;
namespace.hitCount = undefined;
namespace.hitLimit = undefined;

if (switches.kind === "mutant") {
  const { id, hitLimit, whileLoading } = switches;
  const switchOn = (): void => {
    namespace.activeMutant = id;
    namespace.hitCount = 0;
    namespace.hitLimit = hitLimit;
  };
  if (whileLoading) switchOn();
  else beforeAll(switchOn);
  let noticed = false;
  beforeEach(({ skip }) => skip(noticed, "the mutant has been noticed"));
  afterEach(({ task }) => {
    noticed ||= task.result?.state === "fail";
    task.file.meta.hits = namespace.hitCount ?? 0;
  });
  afterAll(() => {
    namespace.activeMutant = undefined;
  });
}

if (switches.kind === "coverage") {
  beforeEach(({ task }) => {
    namespace.currentTestId = task.id;
  });
  afterEach(({ task }) => {
    namespace.currentTestId = undefined;
    const { mutantCoverage } = namespace;
    task.meta.reached = mutantCoverage?.perTest[task.id] ?? {};
    task.file.meta.reachedByLoading = mutantCoverage?.static ?? {};
  });
}
