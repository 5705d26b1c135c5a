/** Agents that take tasks together. */
import { describe, expect, it } from "vitest";
import { type BatchResult, defineAgent } from "../src/index.ts";
import { aborted, eventsOf, gate, opened, rejection } from "./coordinator.fixture.ts";

const pages = { batchKey: "pages" } as const;

/** Doubles numbers, and tells how many it was given together. */
function doubler(calls: number[][], more: { maxBatch?: number; capacity?: number } = {}) {
  return defineAgent<number, number>({
    name: "doubler",
    capacity: 9,
    runBatch: async (tasks) => {
      calls.push(tasks.map(({ input }) => input));
      return tasks.map(({ input }) => ({ output: 2 * input }));
    },
    ...more,
  });
}

describe("runBatch", () => {
  it("is called once for tasks of one key, as many as it takes, and each has its own output", async () => {
    const coordinator = await opened();
    const calls: number[][] = [];
    await coordinator.register(doubler(calls, { maxBatch: 3 }));
    const handles = await coordinator.submit<number>([1, 2, 3, 4].map((input) => ({ input, ...pages })));
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([2, 4, 6, 8]);
    expect(calls).toEqual([[1, 2, 3], [4]]);
  });

  it("is called for one task without a key, and 16 of a key are the most by default", async () => {
    const coordinator = await opened();
    const calls: number[][] = [];
    await coordinator.register(doubler(calls));
    expect(await (await coordinator.submit<number>({ input: 21 })).result()).toBe(42);
    const handles = await coordinator.submit<number>(Array.from({ length: 20 }, (_, input) => ({ input, ...pages })));
    await Promise.all(handles.map((handle) => handle.result()));
    expect(calls.map(({ length }) => length)).toEqual([1, 16, 4]);
  });

  it("waits for others as long as its tasks do", async () => {
    const coordinator = await opened();
    const calls: number[][] = [];
    await coordinator.register(doubler(calls, { maxBatch: 3 }));
    const waits = { ...pages, batchWaitMs: 60_000 };
    const first = await coordinator.submit<number>({ input: 1, ...waits });
    const second = await coordinator.submit<number>({ input: 2, ...waits });
    expect((await first.explain()).text).toContain("its batch fills: 2 of the 3");
    const third = await coordinator.submit<number>({ input: 3, ...waits });
    expect(await Promise.all([first.result(), second.result(), third.result()])).toEqual([2, 4, 6]);
    expect(calls).toEqual([[1, 2, 3]]);
  });

  it("is not asked for by agents with only run", async () => {
    const coordinator = await opened();
    await coordinator.register(defineAgent<number, number>({ name: "one", capacity: 9, run: ({ input }) => input }));
    const handles = await coordinator.submit<number>([1, 2].map((input) => ({ input, ...pages })));
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([1, 2]);
    const started = (await eventsOf(coordinator)).filter(({ type }) => type === "task.started");
    expect(started.map(({ batch }) => batch)).toEqual([undefined, undefined]);
  });
});

/** What three tasks end with whose agent gives this. */
async function ends(give: (inputs: readonly unknown[]) => unknown, input?: { "~standard": object }): Promise<string[]> {
  const coordinator = await opened();
  const runBatch = async (tasks: readonly { readonly input: unknown }[]) =>
    give(tasks.map((task) => task.input)) as never;
  await coordinator.register(
    defineAgent({ name: "ann", capacity: 9, runBatch, ...(input === undefined ? {} : { input: input as never }) }),
  );
  const retry = { maxAttempts: 1 };
  const handles = await coordinator.submit([1, 2, 3].map((input) => ({ input, retry, ...pages })));
  const outcomes = await Promise.all(handles.map((handle) => handle.outcome()));
  return outcomes.map(({ status, output, error }) => (status === "completed" ? `${output}` : `${error?.message}`));
}

describe("what it gives", () => {
  it("counts result by result", async () => {
    const mixed: readonly BatchResult<number>[] = [{ output: 1 }, { error: new Error("not this one") }, { output: 3 }];
    expect(await ends(() => mixed)).toEqual(["1", "not this one", "3"]);
  });

  it("is wrong where it is neither an output nor an error, or not JSON", async () => {
    expect(await ends(() => [{ output: 1 }, 7, { output: new Map() }])).toEqual([
      "1",
      'runBatch of agent "ann" gave 7 for task t2; it must be { output } or { error }',
      expect.stringContaining("the output for task t3"),
    ]);
  });

  it("fails all when its length is wrong, or when it throws", async () => {
    const told = 'runBatch of agent "ann" gave 1 results for 3 tasks; it must be a list with a result for each';
    expect(await ends(() => [{ output: 1 }])).toEqual([told, told, told]);
    const none = 'runBatch of agent "ann" gave 7 for 3 tasks; it must be a list with a result for each';
    expect(await ends(() => 7)).toEqual([none, none, none]);
    expect(
      await ends(() => {
        throw new Error("down");
      }),
    ).toEqual(["down", "down", "down"]);
  });

  it("is asked of those only whose input fits", async () => {
    const even = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value: unknown) => (Number(value) === 2 ? { issues: [{ message: "no two" }] } : { value }),
      },
    };
    expect(await ends((inputs) => inputs.map((output) => ({ output })), even)).toEqual([
      "1",
      expect.stringContaining("no two"),
      "3",
    ]);
  });
});

it("one of a batch is stopped without the others", async () => {
  const coordinator = await opened();
  const began = gate();
  await coordinator.register(
    defineAgent<null, string>({
      name: "ann",
      capacity: 9,
      runBatch: async (tasks, contexts) => {
        began.resolve();
        const [first] = contexts;
        if (first !== undefined) await aborted(first.signal);
        return tasks.map((task, i) =>
          contexts[i]?.signal.aborted ? { error: new Error("stopped") } : { output: task.id },
        );
      },
    }),
  );
  const [a, b] = await coordinator.submit<string>([
    { id: "a", ...pages },
    { id: "b", ...pages },
  ]);
  await began.promise;
  await a?.cancel();
  expect(await b?.result()).toBe("b");
  expect(await rejection(a?.result() ?? Promise.resolve())).toMatchObject({ code: "CANCELLED" });
  expect(await coordinator.agents()).toMatchObject([{ load: 0, running: 0 }]);
});

it("what a task depends on is there for each, and checkpoints are each one's own", async () => {
  const coordinator = await opened();
  await coordinator.register(
    defineAgent({
      name: "ann",
      capacity: 9,
      runBatch: async (tasks, contexts) => {
        await Promise.all(contexts.map((context, i) => context.checkpoint(tasks[i]?.id ?? "")));
        return contexts.map(({ dependencies, resumeFrom }, i) => {
          if (tasks[i]?.id === "b" && resumeFrom === undefined) return { error: new Error("again") };
          return { output: [dependencies, resumeFrom ?? null] as never };
        });
      },
    }),
  );
  const retry = { initialMs: 0 };
  const [, a, b] = await coordinator.submit([
    { id: "first" },
    { id: "a", dependsOn: ["first"], ...pages },
    { id: "b", retry, ...pages },
  ]);
  expect(await a?.result()).toEqual([{ first: [{}, null] }, null]);
  expect(await b?.result()).toEqual([{}, "b"]);
});
