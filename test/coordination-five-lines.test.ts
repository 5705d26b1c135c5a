/** Each coordination system does something useful in at most five lines, without the rest of the library. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  BudgetLedger,
  CircuitBreaker,
  FederatedDecisions,
  ResourceManager,
  SkillRouter,
  TaskArbitrator,
  tally,
  WorkloadBalancer,
} from "../src/coordination-entry.ts";

const examples: Record<string, () => unknown> = {
  SkillRouter() {
    const router = new SkillRouter();
    router.register("ann", { typescript: 0.9, sql: 0.4 });
    router.register("bob", ["sql"]);
    return router.route({ id: "t1", skills: ["sql"] });
  },

  WorkloadBalancer() {
    const balancer = new WorkloadBalancer();
    balancer.register("ann", 2);
    balancer.register("bob", 4);
    return ["t1", "t2", "t3"].map((task) => balancer.assign(task));
  },

  ResourceManager() {
    const manager = new ResourceManager();
    manager.register("gpu", { type: "compute", capacity: 4 });
    const { status } = manager.request({ holder: "ann", amounts: { gpu: 3 } }, 0);
    return [status, manager.usage("gpu").available];
  },

  TaskArbitrator() {
    const arbitrator = new TaskArbitrator({ maxConcurrent: 1 });
    arbitrator.register({ id: "build" }, 0);
    arbitrator.register({ id: "test", dependsOn: ["build"] }, 0);
    return [arbitrator.startReady(0), arbitrator.complete("build", 5)];
  },

  tally() {
    const votes = { ann: "ship", bob: "wait", cy: "ship" } as const;
    return tally({ options: ["ship", "wait"], votes, method: "majority", threshold: 0.5 }).decision;
  },

  async FederatedDecisions() {
    const board = new FederatedDecisions({ method: "weighted" });
    board.register("cautious", () => "wait", 2);
    board.register("bold", async ({ options }) => options[0]);
    return (await board.decide("Release now?", ["ship", "wait"])).decision;
  },

  CircuitBreaker() {
    const breaker = new CircuitBreaker({ failureThreshold: 2, resetMs: 1_000 });
    breaker.failed(0);
    breaker.failed(10);
    return [breaker.admits(500), breaker.admits(1_010)];
  },

  BudgetLedger() {
    const ledger = new BudgetLedger();
    ledger.open("team", { limit: "10" });
    const call = ledger.reserve("team", "0.25");
    return [ledger.settle(call.id, "0.19"), ledger.balance("team").available];
  },
};

test.each([
  ["SkillRouter", "bob"],
  ["WorkloadBalancer", ["ann", "bob", "bob"]],
  ["ResourceManager", ["granted", 1]],
  ["TaskArbitrator", [["build"], ["test"]]],
  ["tally", "ship"],
  ["FederatedDecisions", "wait"],
  ["CircuitBreaker", [false, true]],
  ["BudgetLedger", [{ overrun: "0" }, "9.81"]],
])("%s takes five lines", async (name, result) => {
  expect(await examples[name]?.()).toEqual(result);
  expect(linesOf(name)).toBeLessThanOrEqual(5);
});

test("no example is left out", () => {
  expect(Object.keys(examples).length).toBe(8);
});

/** How many lines the example of this name has in this file. */
function linesOf(name: string): number {
  const lines = readFileSync(new URL(import.meta.url), "utf8").split("\n");
  const start = lines.findIndex((line) => line === `  ${name}() {` || line === `  async ${name}() {`);
  expect(start).toBeGreaterThan(0);
  return lines.slice(start).indexOf("  },") - 1;
}
