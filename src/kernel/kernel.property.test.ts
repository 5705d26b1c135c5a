import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { amountToNumber } from "../coordination/structures/amount.ts";
import type { KernelEvent } from "./events.ts";
import { Kernel } from "./kernel.ts";
import { isTerminal, State } from "./state.ts";
import { Draws, violations, World } from "./world.fixture.ts";

const numbers = fc.array(fc.nat({ max: 1_000_000 }), { minLength: 20, maxLength: 900, size: "max" });
const runs = Number(process.env.SAFEGUARDS_RUNS ?? 150);

function rowsAfter(events: readonly KernelEvent[], from: Kernel = new Kernel()): unknown {
  for (const event of JSON.parse(JSON.stringify(events)) as KernelEvent[]) from.replay(event);
  return JSON.parse(JSON.stringify([...from.snapshot()]));
}

describe("under random commands", () => {
  test("the books are exact, nothing is over-committed, and what waits has a reason", { timeout: 300_000 }, () => {
    fc.assert(
      fc.property(numbers, (list) => {
        const draws = new Draws(list);
        const world = new World();
        world.open(draws);
        while (draws.left) {
          world.step(draws);
          expect(violations(world)).toEqual([]);
        }
      }),
      { numRuns: runs, endOnFailure: true },
    );
  });

  test("replay from the start, or from a snapshot in the middle, gives the live state", { timeout: 300_000 }, () => {
    fc.assert(
      fc.property(numbers, fc.nat(), (list, where) => {
        const draws = new Draws(list);
        const world = new World();
        world.open(draws);
        const snapshots: { readonly rows: ReturnType<World["rows"]>; readonly events: number }[] = [];
        while (draws.left) {
          world.step(draws);
          if (draws.chance(5)) snapshots.push({ rows: world.rows(), events: world.log.length });
        }
        const live = world.rows();
        expect(rowsAfter(world.log)).toEqual(live);
        const snapshot = snapshots[where % Math.max(1, snapshots.length)];
        if (snapshot !== undefined) {
          const restored = Kernel.restore(snapshot.rows);
          expect(JSON.parse(JSON.stringify([...restored.snapshot()]))).toEqual(snapshot.rows);
          expect(rowsAfter(world.log.slice(snapshot.events), restored)).toEqual(live);
        }
      }),
      { numRuns: runs, endOnFailure: true },
    );
  });

  test("a restored kernel decides as the live one would", { timeout: 300_000 }, () => {
    fc.assert(
      fc.property(numbers, numbers, (before, after) => {
        const draws = new Draws(before);
        const world = new World();
        world.open(draws);
        while (draws.left) world.step(draws);
        const state = Kernel.restore(world.rows());
        const other = Object.assign(new World(), { now: world.now });
        const twin = Object.assign(other, { kernel: state });
        const commands = new Draws(after);
        const asked: Parameters<World["run"]>[] = [];
        const run = world.run.bind(world);
        world.run = (...given) => {
          asked.push(given);
          return run(...given);
        };
        for (let i = 0; i < 10 && commands.left; i++) {
          const from = world.log.length;
          world.step(commands);
          const given = asked.at(-1) ?? [];
          const { events } = twin.kernel.batch(
            given.map((command) => ({ command })),
            world.now,
          );
          expect(JSON.parse(JSON.stringify(events))).toEqual(JSON.parse(JSON.stringify(world.log.slice(from))));
        }
      }),
      { numRuns: runs, endOnFailure: true },
    );
  });

  test("everything ends, everything is given back, each task ends once in a series, and tokens only grow", {
    timeout: 300_000,
  }, () => {
    fc.assert(
      fc.property(numbers, (list) => {
        const draws = new Draws(list);
        const world = new World();
        world.open(draws);
        while (draws.left) world.step(draws);
        world.finish();
        const open = [...world.state.tasks.values()].filter((task) => !isTerminal(task.status));
        expect(open.map((task) => [task.id, task.status, world.kernel.explain(task.id, world.now)?.text])).toEqual([]);
        expect(world.state.slots).toBe(0);
        for (const agent of world.state.agents.values())
          expect([agent.name, amountToNumber(agent.load)]).toEqual([agent.name, 0]);
        for (const { id, allocated } of world.state.resources.values())
          expect([id, amountToNumber(allocated)]).toEqual([id, 0]);
        const ended = new Set<string>();
        let token = 0;
        let seq = 0;
        for (const event of world.log) {
          expect(event.seq).toBe(++seq);
          if (event.type === "task.retried") ended.delete(event.taskId);
          if (
            event.type === "task.completed" ||
            event.type === "task.failed" ||
            event.type === "task.skipped" ||
            event.type === "task.cancelled"
          ) {
            expect(ended.has(event.taskId)).toBe(false);
            ended.add(event.taskId);
          }
          const next =
            event.type === "task.started"
              ? event.token
              : event.type === "resource.granted"
                ? event.allocationToken
                : undefined;
          if (next !== undefined) {
            expect(next).toBeGreaterThan(token);
            token = next;
          }
        }
      }),
      { numRuns: runs, endOnFailure: true },
    );
  });
});

test("an empty state is an empty snapshot", () => {
  expect([...new Kernel(new State()).snapshot()]).toHaveLength(1);
});
