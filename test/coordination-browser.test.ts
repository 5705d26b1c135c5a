/** `safeguards/coordination` in a browser: bundled for one, and run where there is nothing of Node. */
import { fileURLToPath } from "node:url";
import { createContext, runInContext } from "node:vm";
import { build } from "vite";
import { beforeAll, expect, test } from "vitest";

const SRC = fileURLToPath(new URL("../src/", import.meta.url));

interface Bundle {
  readonly code: string;
  readonly imports: readonly string[];
  /** The files in it, below `src/`. */
  readonly files: readonly string[];
}
let bundle: Bundle;

beforeAll(async () => {
  const built = await build({
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      minify: false,
      lib: { entry: `${SRC}coordination-entry.ts`, formats: ["iife"], name: "coordination" },
    },
  });
  const [result] = Array.isArray(built) ? built : [];
  const [chunk, ...others] = result?.output ?? [];
  if (chunk?.type !== "chunk" || others.length > 0) throw new Error("the bundle is not one file");
  bundle = {
    code: chunk.code,
    imports: [...chunk.imports, ...chunk.dynamicImports],
    files: chunk.moduleIds.map((id) => id.replace(SRC, "")),
  };
});

/** Runs a script with the bundle where there are only timers and abort signals, and brings its result over as JSON. */
async function inBrowser(script: string): Promise<unknown> {
  const context = createContext({ setTimeout, clearTimeout, AbortController });
  runInContext(bundle.code, context);
  const result: unknown = await runInContext(
    `(async () => JSON.stringify(await (async () => {${script}})()))()`,
    context,
  );
  return JSON.parse(String(result));
}

test("the bundle imports nothing and is made of the coordination systems, the errors and big.js alone", () => {
  expect(bundle.imports).toEqual([]);
  expect(bundle.code).not.toMatch(/["'`]node:/);
  const own = /^(coordination\/|coordination-entry\.ts$|errors\.ts$)|\/node_modules\/big\.js\//;
  expect(bundle.files.filter((file) => !own.test(file))).toEqual([]);
});

test("there is nothing of Node where it runs", async () => {
  const names = ["process", "Buffer", "require", "global", "setImmediate", "structuredClone", "fetch", "performance"];
  expect(await inBrowser(`return ${JSON.stringify(names)}.filter((name) => name in globalThis)`)).toEqual([]);
});

test("it routes by skill and keeps the load", async () => {
  const script = `
    const { SkillRouter, WorkloadBalancer } = coordination;
    const router = new SkillRouter();
    const balancer = new WorkloadBalancer();
    for (const name of ["ann", "bob"]) { router.register(name, ["review"]); balancer.register(name, 1); }
    const route = (id) => router.route({ id, skills: ["review"] }, balancer) ?? "nobody";
    return [route("t1"), route("t2"), route("t3"), balancer.complete("t1"), balancer.loadOf("ann")];`;
  expect(await inBrowser(script)).toEqual(["ann", "bob", "nobody", true, 0]);
});

test("it grants resources and hands them on", async () => {
  const script = `
    const manager = new coordination.ResourceManager();
    manager.register("gpu", { type: "compute", capacity: 1 });
    const first = manager.request({ holder: "ann", amounts: { gpu: 1 } }, 0);
    const second = manager.request({ holder: "bob", amounts: { gpu: 0.5 } }, 0);
    const { granted } = manager.release(first.allocation, 1);
    return [first.status, second.status, granted.map(({ holder, amounts }) => [holder, amounts])];`;
  expect(await inBrowser(script)).toEqual(["granted", "queued", [["bob", { gpu: 0.5 }]]]);
});

test("it arbitrates tasks", async () => {
  const script = `
    const arbitrator = new coordination.TaskArbitrator({ maxConcurrent: 1 });
    arbitrator.register({ id: "build" }, 0);
    arbitrator.register({ id: "test", dependsOn: ["build"] }, 0);
    return [arbitrator.startReady(0), arbitrator.complete("build", 1), arbitrator.status("test")];`;
  expect(await inBrowser(script)).toEqual([["build"], ["test"], "running"]);
});

test("it keeps budgets exactly", async () => {
  const script = `
    const ledger = new coordination.BudgetLedger();
    ledger.open("all", { limit: "0.3" });
    ledger.open("some", { limit: 1, parent: "all" });
    ledger.settle(ledger.reserve("some", 0.1).id, "0.1");
    ledger.reserve("some", "0.2");
    let code;
    try { ledger.reserve("some", "0.000000000000001"); } catch (error) { code = error.code; }
    return [ledger.balance("some").available, code];`;
  expect(await inBrowser(script)).toEqual(["0", "BUDGET_EXCEEDED"]);
});

test("it counts votes, and asks for them with the timers and abort signals that it finds", async () => {
  const script = `
    const { tally, FederatedDecisions } = coordination;
    const counted = tally({ options: ["yes", "no"], votes: { a: "yes", b: "no", c: "yes" }, method: "majority" });
    const board = new FederatedDecisions({ voteTimeoutMs: 5 });
    board.register("quick", () => "yes");
    let why;
    board.register("stuck", ({ signal }) => new Promise(() => {
      signal.addEventListener("abort", () => { why = signal.reason.code; });
    }));
    const asked = await board.decide("Go on?", ["yes", "no"]);
    return [counted.decision, asked.decision, asked.abstained, why];`;
  expect(await inBrowser(script)).toEqual(["yes", "yes", ["stuck"], "TIMEOUT"]);
});

test("it breaks circuits, and its errors are recognized", async () => {
  const script = `
    const { CircuitBreaker, isSafeguardsError } = coordination;
    const breaker = new CircuitBreaker({ failureThreshold: 1, resetMs: 10 });
    breaker.failed(0);
    let code;
    try { breaker.admits("now"); } catch (error) { code = isSafeguardsError(error) && error.code; }
    return [breaker.admits(9), breaker.admits(10), code];`;
  expect(await inBrowser(script)).toEqual([false, true, "INVALID_ARGUMENT"]);
});
