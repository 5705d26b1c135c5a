import { describe, expect, it } from "vitest";
import { defineAgent, defineManager, type Json } from "../src/index.ts";
import { aborted, eventsOf, gate, opened, rejection } from "./coordinator.fixture.ts";

const worker = defineAgent({
  name: "worker",
  skills: ["work"],
  capacity: 100,
  run: (task) => {
    if (task.input === "bad") throw Object.assign(new Error("bad input"), { retryable: false });
    return { input: task.input, done: [task.id] };
  },
});

describe("a manager", () => {
  it("drops no subtask, however few its team are", async () => {
    const coordinator = await opened({ concurrency: 2 });
    await coordinator.register(worker);
    await coordinator.register(
      defineManager({
        name: "lead",
        skills: ["lead"],
        team: ["worker"],
        plan: () => Array.from({ length: 25 }, (_, input) => ({ input })),
      }),
    );
    const handle = await coordinator.submit<{ input: number[]; done: string[] }>({ id: "m", skills: ["lead"] });
    expect(await handle.result()).toEqual({
      input: Array.from({ length: 25 }, (_, index) => index),
      done: Array.from({ length: 25 }, (_, index) => `m/${index}`),
    });
  });

  it("works at any depth with one slot", async () => {
    const coordinator = await opened({ concurrency: 1 });
    await coordinator.register(worker);
    for (let depth = 5; depth > 0; depth--) {
      await coordinator.register(
        defineManager({
          name: `level ${depth}`,
          skills: [`level ${depth}`],
          team: [depth === 5 ? "worker" : `level ${depth + 1}`],
          plan: () => (depth === 5 ? [{ input: 1 }, { input: 2 }] : [{}, {}]),
          aggregate: (_, results) => results.reduce((sum, { output }) => sum + sizeOf(output), 0),
        }),
      );
    }
    const handle = await coordinator.submit({ skills: ["level 1"] });
    expect(await handle.result()).toBe(48);

    function sizeOf(output: Json | undefined): number {
      return typeof output === "number" ? output : Number(Reflect.get(Object(output), "input"));
    }
  });

  it("plans again and again, and sees the outcomes of all rounds in the order of the plan", async () => {
    const coordinator = await opened();
    await coordinator.register(worker);
    const rounds: number[] = [];
    await coordinator.register(
      defineManager({
        name: "lead",
        skills: ["lead"],
        team: ["worker"],
        plan: (_, { round }) => {
          rounds.push(round);
          return [{ input: "a" }, { id: "named", input: "b" }];
        },
        aggregate: (_, results, { more, round }) => {
          rounds.push(round);
          return round < 3
            ? more([{ input: `round ${round}`, dependsOn: ["named"] }])
            : results.map(({ taskId }) => taskId);
        },
      }),
    );
    const handle = await coordinator.submit({ id: "m", skills: ["lead"] });
    expect(await handle.result()).toEqual(["m/0", "m/named", "m/2", "m/3"]);
    expect(rounds).toEqual([0, 1, 2, 3]);
  });

  it("gives what looks like a further round as an output", async () => {
    const coordinator = await opened();
    await coordinator.register(
      defineManager({ name: "lead", team: [], plan: () => [], aggregate: () => ({ subtasks: [] }) }),
    );
    expect(await (await coordinator.submit({})).result()).toEqual({ subtasks: [] });
  });

  it("aggregates what it planned, without the tasks that its own code submitted", async () => {
    const coordinator = await opened();
    await coordinator.register(worker);
    await coordinator.register(
      defineManager({
        name: "lead",
        skills: ["lead"],
        team: ["worker"],
        plan: async (_, ctx) => {
          const handle = await ctx.submit({ id: "asked", skills: ["work"], input: "first" });
          await handle.result();
          return [{ id: "planned", input: "second" }];
        },
        aggregate: (_, results) => results.map(({ taskId }) => taskId),
      }),
    );
    const handle = await coordinator.submit({ id: "m", skills: ["lead"] });
    expect(await handle.result()).toEqual(["m/planned"]);
  });

  it("fails with every cause when too few of its subtasks succeed", async () => {
    const coordinator = await opened();
    await coordinator.register(worker);
    await coordinator.register(
      defineManager({
        name: "lead",
        skills: ["lead"],
        team: ["worker"],
        plan: () => [{ input: "good" }, { input: "bad" }, { input: "bad" }],
      }),
    );
    const handle = await coordinator.submit({ id: "m", skills: ["lead"] });
    const error = await rejection(handle.result());
    expect(error).toMatchObject({ code: "TASK_FAILED", cause: expect.any(AggregateError) });
    expect(Reflect.get(Object(Reflect.get(Object(error), "cause")), "errors")).toMatchObject([
      { message: "bad input", details: { taskId: "m/1" } },
      { message: "bad input", details: { taskId: "m/2" } },
    ]);
  });

  it("succeeds with as many as it needs, and sees who failed and why", async () => {
    const coordinator = await opened();
    await coordinator.register(worker);
    await coordinator.register(
      defineManager({
        name: "lead",
        skills: ["lead"],
        team: ["worker"],
        minSuccess: 1,
        plan: () => [{ input: "bad" }, { input: "good" }],
        aggregate: (_, results) => results.map(({ status, error }) => [status, error?.code ?? null]),
      }),
    );
    const handle = await coordinator.submit({ skills: ["lead"] });
    expect(await handle.result()).toEqual([
      ["failed", "TASK_FAILED"],
      ["completed", null],
    ]);
  });

  it("that fails fast cancels what still runs", async () => {
    const coordinator = await opened();
    const entered = gate();
    await coordinator.register(worker);
    await coordinator.register(
      defineAgent({
        name: "slow",
        skills: ["slow"],
        run: async (_, { signal }) => {
          entered.resolve();
          throw await aborted(signal);
        },
      }),
    );
    await coordinator.register(
      defineManager({
        name: "lead",
        skills: ["lead"],
        team: ["worker", "slow"],
        failFast: true,
        plan: () => [{ skills: ["slow"] }, { skills: ["work"], input: "bad" }],
      }),
    );
    const handle = await coordinator.submit({ id: "m", skills: ["lead"] });
    expect((await handle.outcome()).status).toBe("failed");
    await entered.promise;
    expect(await (await coordinator.task("m/0")).status()).toBe("cancelled");
  });

  it("repeats only the phase that failed", async () => {
    const coordinator = await opened();
    await coordinator.register(worker);
    const calls: string[] = [];
    await coordinator.register(
      defineManager({
        name: "lead",
        skills: ["lead"],
        team: ["worker"],
        plan: (_, { idempotencyKey }) => {
          calls.push(`plan ${idempotencyKey}`);
          return [{ input: 1 }];
        },
        aggregate: (_, _results, { idempotencyKey }) => {
          calls.push(`aggregate ${idempotencyKey}`);
          if (calls.length < 3) throw new Error("once");
          return "done";
        },
      }),
    );
    const handle = await coordinator.submit({ id: "m", skills: ["lead"], retry: { initialMs: 1 } });
    expect(await handle.result()).toBe("done");
    expect(calls).toEqual(["plan m#plan", "aggregate m#aggregate1", "aggregate m#aggregate1"]);
    expect((await eventsOf(coordinator)).filter((event) => event.type === "task.planned")).toHaveLength(1);
  });

  it.each([
    ["is no list", () => "later" as never],
    ["has a task with an unknown key", () => [{ skill: "work" } as never]],
    ["has an input that is not JSON", () => [{ input: (() => 1) as never }]],
    [
      "goes round in a circle",
      () => [
        { id: "a", dependsOn: ["b"] },
        { id: "b", dependsOn: ["a"] },
      ],
    ],
    ["names somebody outside its team", () => [{ agent: "stranger" }]],
  ])("fails by a plan that %s", async (_, plan) => {
    const coordinator = await opened();
    await coordinator.register(worker);
    await coordinator.register(defineAgent({ name: "stranger", run: () => null }));
    await coordinator.register(defineManager({ name: "lead", skills: ["lead"], team: ["worker"], plan }));
    const handle = await coordinator.submit({ skills: ["lead"], retry: { maxAttempts: 1 } });
    expect(await rejection(handle.result())).toMatchObject({ code: "TASK_FAILED" });
  });

  it("gets another team for what it plans from then on", async () => {
    const coordinator = await opened();
    await coordinator.register(worker);
    await coordinator.register(defineAgent({ name: "other", run: () => ({ by: "other" }) }));
    await coordinator.register(
      defineManager({ name: "lead", skills: ["lead"], team: ["worker"], plan: () => [{ input: 1 }] }),
    );
    await coordinator.setTeam("lead", ["other"]);
    expect(await (await coordinator.submit({ skills: ["lead"] })).result()).toEqual({ by: ["other"] });
    await expect(coordinator.setTeam("lead", ["lead"])).rejects.toMatchObject({ code: "TEAM_CYCLE" });
  });
});

describe("an attempt that submits", () => {
  it("gives up its slot while it waits, so that one slot is enough", async () => {
    const coordinator = await opened({ concurrency: 1 });
    await coordinator.register(worker);
    await coordinator.register(
      defineAgent({
        name: "parent",
        skills: ["parent"],
        run: async (_, { submit }) => {
          const one = await (await submit({ skills: ["work"], input: 1 })).result();
          const two = await (await submit({ skills: ["work"], input: 2 })).outcome();
          return [one, two.output ?? null];
        },
      }),
    );
    const handle = await coordinator.submit({ id: "p", skills: ["parent"] });
    expect(await handle.result()).toEqual([
      { input: 1, done: ["p/0"] },
      { input: 2, done: ["p/1"] },
    ]);
  });

  it("may await many at once, and holds no slot until the last is there", async () => {
    const coordinator = await opened({ concurrency: 1 });
    await coordinator.register(worker);
    await coordinator.register(
      defineAgent({
        name: "parent",
        skills: ["parent"],
        run: (_, { submit }) =>
          Promise.all(
            [1, 2, 3].map(async (input) => {
              const handle = await submit({ skills: ["work"], input });
              return (await handle.result()) ?? null;
            }),
          ),
      }),
    );
    const handle = await coordinator.submit({ id: "p", skills: ["parent"] });
    expect(await handle.result()).toMatchObject([{ input: 1 }, { input: 2 }, { input: 3 }]);
    const types = (await eventsOf(coordinator)).map((event) => event.type);
    expect(types.filter((type) => type === "attempt.waiting")).toHaveLength(1);
    expect(types.filter((type) => type === "attempt.regained")).toHaveLength(1);
  });

  it("gets the first of several as soon as it is there", async () => {
    const coordinator = await opened();
    const never = gate();
    await coordinator.register(
      defineAgent({
        name: "either",
        skills: ["either"],
        capacity: 2,
        run: async (task) => {
          if (task.input === "slow") await never.promise;
          return task.input;
        },
      }),
    );
    const got = gate<unknown>();
    await coordinator.register(
      defineAgent({
        name: "parent",
        skills: ["parent"],
        run: async (_, { submit }) => {
          const handles = [
            await submit({ skills: ["either"], input: "slow" }),
            await submit({ skills: ["either"], input: "quick" }),
          ];
          const first = await Promise.race(handles.map((handle) => handle.result()));
          got.resolve(first);
          never.resolve();
          return first;
        },
      }),
    );
    const handle = await coordinator.submit({ skills: ["parent"] });
    expect(await got.promise).toBe("quick");
    expect(await handle.result()).toBe("quick");
  });

  it("finds the subtasks of an earlier attempt again", async () => {
    const coordinator = await opened();
    let runs = 0;
    await coordinator.register(
      defineAgent({
        name: "child",
        skills: ["child"],
        run: () => {
          runs += 1;
          return runs;
        },
      }),
    );
    await coordinator.register(
      defineAgent({
        name: "parent",
        skills: ["parent"],
        run: async (_, { submit, attempt }) => {
          const results = [];
          for (const input of ["a", "b"]) results.push(await (await submit({ skills: ["child"], input })).result());
          if (attempt === 1) throw new Error("after all that");
          return results;
        },
      }),
    );
    const handle = await coordinator.submit({ skills: ["parent"], retry: { initialMs: 1 } });
    expect(await handle.result()).toEqual([1, 2]);
    expect(runs).toBe(2);
  });

  it("has its waiting refused when it is told to stop", async () => {
    const coordinator = await opened();
    const entered = gate();
    const got = gate<unknown>();
    await coordinator.register(
      defineAgent({
        name: "child",
        skills: ["child"],
        run: async (_, { signal }) => {
          entered.resolve();
          throw await aborted(signal);
        },
      }),
    );
    await coordinator.register(
      defineAgent({
        name: "parent",
        skills: ["parent"],
        run: async (_, { submit }) => {
          const handle = await submit({ skills: ["child"] });
          const error = await rejection(handle.result());
          got.resolve(error);
          throw error;
        },
      }),
    );
    const handle = await coordinator.submit({ skills: ["parent"] });
    await entered.promise;
    while ((await handle.status()) !== "waiting") await coordinator.stats();
    await handle.cancel();
    expect(await got.promise).toMatchObject({ code: "CANCELLED", details: { reason: "cancelled" } });
    expect((await handle.outcome()).status).toBe("cancelled");
  });

  it("is refused what could only deadlock", async () => {
    const coordinator = await opened({ resources: { disk: { type: "storage", capacity: 1 } } });
    await coordinator.register(worker);
    await coordinator.register(
      defineAgent({
        name: "parent",
        skills: ["parent"],
        run: async (_, { submit }) => {
          const handle = await submit({ skills: ["work"], resources: { disk: 1 } });
          const error = await rejection(handle.result());
          await handle.cancel();
          return Reflect.get(Object(error), "code");
        },
      }),
    );
    const handle = await coordinator.submit({ skills: ["parent"], resources: { disk: 1 } });
    expect(await handle.result()).toBe("WOULD_DEADLOCK");
  });
});
