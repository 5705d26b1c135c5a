import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { amountToNumber } from "../coordination/structures/amount.ts";
import type { Command } from "./commands.ts";
import type { KernelEvent } from "./events.ts";
import { Kernel } from "./kernel.ts";
import { State } from "./state.ts";
import { Story } from "./story.fixture.ts";
import { isTerminal } from "./task.ts";
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
        let asked: {
          readonly given: Parameters<World["run"]>;
          readonly now: number;
          readonly recalled: Map<string, string>;
        }[] = [];
        const run = world.run.bind(world);
        world.run = (...given) => {
          asked.push({ given, now: world.now, recalled: new Map(world.archive) });
          return run(...given);
        };
        for (let i = 0; i < 10 && commands.left; i++) {
          const from = world.log.length;
          world.step(commands);
          const events = asked.flatMap(
            ({ given, now, recalled }) =>
              twin.kernel.batch(
                given.map((command) => ({ ...world.envelope(command), recalled })),
                now,
              ).events,
          );
          asked = [];
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
        for (const { id, reserved } of world.kernel.budgets()) expect([id, reserved]).toEqual([id, "0"]);
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

/** What may change who goes before whom, or who can be displaced. */
const OUTSIDE: ReadonlySet<string> = new Set([
  "task.prioritized",
  "task.submitted",
  "task.completed",
  "task.failed",
  "task.cancelled",
  "task.skipped",
  "task.resumed",
  "task.retried",
  "coordinator.opened",
  "attempt.waiting",
  "attempt.regained",
  "resource.granted",
  "resource.released",
  "resource.requested",
  "agent.registered",
  "resource.set",
]);

test("two tasks never displace each other in turn, unless something changed in between", { timeout: 300_000 }, () => {
  fc.assert(
    fc.property(numbers, (list) => {
      const draws = new Draws(list);
      const world = new World();
      world.open(draws);
      while (draws.left) world.step(draws);
      let displaced = new Set<string>();
      for (const event of world.log) {
        if (OUTSIDE.has(event.type)) displaced = new Set();
        if (event.type !== "attempt.stopping" || event.for === undefined) continue;
        expect(displaced.has(`${event.for} by ${event.taskId}`), `${event.taskId} and ${event.for}`).toBe(false);
        displaced.add(`${event.taskId} by ${event.for}`);
      }
    }),
    { numRuns: runs, endOnFailure: true },
  );
});

test("with everything equal, priorities alone never make two displace each other: high wins, low resumes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ priority: fc.nat({ max: 5 }), load: fc.constantFrom(1, 2) }), {
        minLength: 2,
        maxLength: 12,
      }),
      fc.constantFrom(undefined, 0, 500, 5_000),
      fc.constantFrom(1, 2, 3),
      (tasks, agingMs, concurrency) => {
        const story = new Story({ concurrency, ...(agingMs === undefined ? {} : { agingMs }) });
        story.agent("ann", { capacity: 3 });
        const pairs = new Set<string>();
        const note = (events: readonly KernelEvent[]): void => {
          for (const event of events) {
            if (event.type !== "attempt.stopping" || event.for === undefined) continue;
            expect(pairs.has(`${event.for} by ${event.taskId}`)).toBe(false);
            pairs.add(`${event.taskId} by ${event.for}`);
          }
        };
        for (const [i, task] of tasks.entries()) {
          note(story.submit({ id: `t${i}`, ...task, graceMs: 0 }));
          note(story.after(100));
        }
        for (let rounds = 0; story.running !== "" && rounds < 1_000; rounds++) {
          const [id = ""] = story.running.split(" ");
          note(story.complete(id));
          note(story.after(100));
        }
        expect(story.kernel.counts().completed).toBe(tasks.length);
      },
    ),
    { numRuns: runs },
  );
});

test("nobody starves: under an endless stream of small ones, of one priority, that keep their estimates, a big request starts in bounded time", () => {
  fc.assert(
    fc.property(
      fc.record({
        capacity: fc.integer({ min: 2, max: 6 }),
        concurrency: fc.integer({ min: 2, max: 8 }),
        protectAfterMs: fc.constantFrom(0, 300, 1_000),
        agents: fc.integer({ min: 1, max: 3 }),
        of: fc.constantFrom("resource", "room", "tokens"),
      }),
      fc.array(fc.record({ amount: fc.constantFrom(0.5, 1), estimatedMs: fc.constantFrom(undefined, 100, 900) }), {
        minLength: 5,
        maxLength: 20,
      }),
      ({ capacity, concurrency, protectAfterMs, agents, of }, stream) => {
        const story = new Story({ concurrency, protectAfterMs });
        for (let i = 0; i < agents; i++) story.agent(`agent${i}`, { capacity: of === "room" ? capacity : 99 });
        story.resource("disk", capacity, of === "tokens" ? { per: 1_000 } : {});
        const ask = (amount: number) => (of === "room" ? { load: amount } : { resources: { disk: amount } });
        const small = (i: number) => {
          const { amount = 1, estimatedMs } = stream[i % stream.length] ?? {};
          return { id: `s${i}`, ...ask(amount), ...(estimatedMs === undefined ? {} : { estimatedMs }) };
        };
        for (let i = 0; i < 20; i++) story.submit(small(i));
        story.submit({ id: "big", ...ask(capacity) });
        const running: { readonly id: string; readonly until: number }[] = [];
        let next = 20;
        const began = story.now;
        while (story.task("big").startedAt === undefined) {
          // Each attempt takes 100 ms, and estimates that or more.
          for (const id of story.running.split(" ").filter((id) => id !== ""))
            if (!running.some((one) => one.id === id)) running.push({ id, until: story.now + 100 });
          story.submit(small(next++), small(next++), small(next++));
          story.after(50);
          while ((running[0]?.until ?? Number.POSITIVE_INFINITY) <= story.now)
            story.complete(running.shift()?.id ?? "");
          expect(story.now - began).toBeLessThan(protectAfterMs + 100 * 45 + (of === "tokens" ? 12_000 : 0));
        }
      },
    ),
    { numRuns: runs },
  );
});

test("a refused command leaves the state as it was, and a batch of refusals is no event", { timeout: 300_000 }, () => {
  fc.assert(
    fc.property(numbers, (list) => {
      const draws = new Draws(list);
      const world = new World();
      world.open(draws);
      while (draws.left) {
        world.step(draws);
        // Who is told to stop and has no grace has ended with the batch after.
        do world.run({ type: "tick" });
        while ((world.kernel.nextWakeAt() ?? Number.POSITIVE_INFINITY) <= world.now);
        const before = world.rows();
        const command = world.command(draws);
        const spoiled: Command =
          command.type === "task.submit"
            ? { ...command, tasks: [...command.tasks, { agent: "nobody ever" }] }
            : { type: "task.cancel", taskId: "no such task" };
        const seq = world.kernel.seq;
        expect(world.run(spoiled)).toEqual([]);
        expect(world.kernel.seq).toBe(seq);
        expect(world.rows()).toEqual(before);
      }
    }),
    { numRuns: Math.ceil(runs / 4), endOnFailure: true },
  );
});

test("an empty state is an empty snapshot", () => {
  expect([...new Kernel(new State()).snapshot()]).toHaveLength(1);
});
