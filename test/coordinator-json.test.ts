import { describe, expect, it } from "vitest";
import { defineAgent, type Json } from "../src/index.ts";
import { MemoryJournal } from "../src/journal/memory.ts";
import { eventsOf, opened, rejection } from "./coordinator.fixture.ts";

const cycle: Record<string, unknown> = {};
cycle.self = cycle;
const hostile: [string, unknown][] = [
  ["a function", () => 1],
  ["a bigint", 1n],
  ["a symbol", Symbol("s")],
  ["NaN", Number.NaN],
  ["a cycle", cycle],
  ["a map", new Map()],
  ["a date", new Date(0)],
  ["an instance", new (class Robot {})()],
  [
    "a throwing getter",
    {
      get boom() {
        throw new Error("boom");
      },
    },
  ],
  [
    "a proxy that throws",
    new Proxy(
      {},
      {
        ownKeys() {
          throw new Error("keys");
        },
      },
    ),
  ],
  ["a hole", Object.assign([1], { 2: 3 })],
  ["a deep one", Array.from({ length: 70 }).reduce<unknown>((inner) => [inner], 1)],
];

describe("what goes in", () => {
  it.each(hostile)("is refused when it is %s, before anything happens", async (_, value) => {
    const coordinator = await opened();
    expect(await rejection(coordinator.submit({ input: value as Json }))).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await rejection(coordinator.submit({ context: { a: value as Json } }))).toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    expect(await coordinator.tasks()).toEqual([]);
  });

  it("is refused when it is larger than a megabyte, telling so", async () => {
    const coordinator = await opened();
    const error = await rejection(coordinator.submit({ input: "x".repeat(1_000_001) }));
    expect(error).toMatchObject({ message: "input of a task is larger than 1000000 bytes of JSON" });
  });

  it("is copied at once: what the caller does with it later changes nothing", async () => {
    const coordinator = await opened();
    await coordinator.register(defineAgent({ name: "echo", run: (task) => task.input }));
    const input = { list: [1] };
    const skills: string[] = [];
    const submitted = coordinator.submit({ input, skills });
    input.list.push(2);
    skills.push("none");
    expect(await (await submitted).result()).toEqual({ list: [1] });
  });

  it("is each attempt's own: one that changes it harms no other", async () => {
    const coordinator = await opened();
    const seen: unknown[] = [];
    await coordinator.register(
      defineAgent({
        name: "vandal",
        run: (task, { attempt }) => {
          const input = Object(task.input);
          seen.push(structuredClone({ input, context: task.context }));
          input.list.push("spoilt");
          Object(task.context).spoilt = true;
          if (attempt === 1) throw new Error("again");
          return input;
        },
      }),
    );
    const handle = await coordinator.submit({ input: { list: [] }, context: { a: 1 }, retry: { initialMs: 1 } });
    await handle.result();
    expect(seen).toEqual(Array(2).fill({ input: { list: [] }, context: { a: 1 } }));
    const submitted = (await eventsOf(coordinator)).find((event) => event.type === "task.submitted");
    expect(submitted).toMatchObject({ input: { list: [] }, context: { a: 1 } });
  });
});

describe("what comes out", () => {
  it.each(hostile)("harms only its own attempt when it is %s", async (_, value) => {
    const coordinator = await opened();
    await coordinator.register(defineAgent({ name: "bad", skills: ["bad"], run: () => value as Json }));
    await coordinator.register(defineAgent({ name: "good", skills: ["good"], run: () => "fine" }));
    const [bad, good] = await coordinator.submit([{ skills: ["bad"] }, { skills: ["good"] }]);
    const outcome = await bad?.outcome();
    expect(outcome).toMatchObject({
      status: "failed",
      error: { code: "TASK_FAILED", cause: { code: "INVALID_ARGUMENT" } },
    });
    expect(outcome?.attempts).toHaveLength(1);
    expect(await good?.result()).toBe("fine");
  });

  it("is null for nothing", async () => {
    const coordinator = await opened();
    await coordinator.register(defineAgent({ name: "quiet", run: () => undefined as never }));
    expect(await (await coordinator.submit({})).outcome()).toMatchObject({ status: "completed", output: null });
  });

  it("keeps `__proto__` as data, through the journal too", async () => {
    const journal = new MemoryJournal();
    const text = '{"__proto__":{"polluted":true},"constructor":{"prototype":1}}';
    const first = await opened({ journal });
    await first.register(defineAgent({ name: "echo", run: (task) => task.input }));
    const handle = await first.submit({ id: "x", input: JSON.parse(text) });
    expect(JSON.stringify(await handle.result())).toBe(text);
    await first.close();
    const second = await opened({ journal });
    expect(JSON.stringify(await (await second.task("x")).result())).toBe(text);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  it("is limited to sixteen megabytes", async () => {
    const coordinator = await opened();
    await coordinator.register(defineAgent({ name: "huge", run: () => "x".repeat(16_000_001) }));
    const outcome = await (await coordinator.submit({})).outcome();
    expect(outcome.error?.cause).toMatchObject({ message: expect.stringContaining("larger than 16000000 bytes") });
  });

  it("settles once, whatever the agent's promise does", async () => {
    const coordinator = await opened();
    await coordinator.register(
      defineAgent({
        name: "twice",
        run: () =>
          ({
            // biome-ignore lint/suspicious/noThenProperty: a promise of the agent's own making
            then(resolve: (value: string) => void, reject: (error: Error) => void) {
              resolve("first");
              reject(new Error("second"));
              resolve("third");
            },
          }) as never,
      }),
    );
    const handle = await coordinator.submit({ id: "x" });
    expect(await handle.result()).toBe("first");
    expect((await handle.outcome()).attempts).toHaveLength(1);
  });
});

describe("schemas", () => {
  const positive = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) =>
        typeof value === "number" && value > 0
          ? { value: value * 2 }
          : { issues: [{ message: "not above 0", path: ["n"] }] },
    },
  } as const;

  it("refuse an input for good before the agent sees it", async () => {
    const coordinator = await opened();
    let runs = 0;
    await coordinator.register(defineAgent<number>({ name: "worker", input: positive, run: () => ++runs }));
    const outcome = await (await coordinator.submit({ input: -1 })).outcome();
    expect(outcome).toMatchObject({
      attempts: [{}],
      error: { cause: { code: "INVALID_ARGUMENT", message: expect.stringContaining("n: not above 0") } },
    });
    expect(runs).toBe(0);
  });

  it("give the agent what they make of an input, and the task what they make of an output", async () => {
    const coordinator = await opened();
    await coordinator.register(
      defineAgent<number, number>({ name: "worker", input: positive, output: positive, run: (task) => task.input + 1 }),
    );
    expect(await (await coordinator.submit({ input: 10 })).result()).toBe(42);
  });

  it("fail an attempt by its output, which is worth another", async () => {
    const coordinator = await opened();
    await coordinator.register(
      defineAgent<Json, number>({ name: "worker", output: positive, run: (_, { attempt }) => attempt - 1 }),
    );
    const outcome = await (await coordinator.submit({ retry: { initialMs: 1 } })).outcome();
    expect(outcome).toMatchObject({ output: 2, attempts: [{ end: "failed" }, { end: "completed" }] });
  });
});
