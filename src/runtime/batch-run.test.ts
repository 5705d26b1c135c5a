import { expect, test } from "vitest";
import type { AgentContext, Task } from "../agents/agent.ts";
import { BatchRun } from "./batch-run.ts";

const context = {} as AgentContext;

function task(id: string): Task {
  return { id, input: null, priority: 5 };
}

test("the code is called once, when it is known of all who are in the call", async () => {
  const calls: string[][] = [];
  const run = new BatchRun(
    "ann",
    async (tasks) => {
      calls.push(tasks.map(({ id }) => id));
      return tasks.map(({ id }) => ({ output: id }));
    },
    3,
  );
  const a = run.take(task("a"), context, () => false);
  run.leave();
  expect(calls).toEqual([]);
  const b = run.take(task("b"), context, () => false);
  expect(await Promise.all([a, b])).toEqual(["a", "b"]);
  expect(calls).toEqual([["a", "b"]]);
});

test("who has ended before the call is not in it, and nobody is called when all have", async () => {
  const calls: string[][] = [];
  const give = async (tasks: readonly Task[]) => {
    calls.push(tasks.map(({ id }) => id));
    return tasks.map(({ id }) => ({ output: id }));
  };
  const run = new BatchRun("ann", give, 2);
  const gone = run.take(task("a"), context, () => true);
  expect(await Promise.all([gone, run.take(task("b"), context, () => false)])).toEqual([null, "b"]);
  const none = new BatchRun("ann", give, 1);
  expect(await none.take(task("c"), context, () => true)).toBe(null);
  expect(calls).toEqual([["b"]]);
});

test("a result whose getters throw fails its task alone", async () => {
  const bad = Object.defineProperty({}, "output", {
    get: () => {
      throw new Error("trap");
    },
  });
  const run = new BatchRun("ann", async () => [bad, { output: 1 }], 2);
  const both = [run.take(task("a"), context, () => false), run.take(task("b"), context, () => false)];
  const [a, b] = await Promise.allSettled(both);
  expect(a).toMatchObject({ status: "rejected", reason: new Error("trap") });
  expect(b).toMatchObject({ status: "fulfilled", value: 1 });
});

test("so does a place in the list that throws", async () => {
  const list = Object.defineProperty([{}, { output: 1 }], 0, {
    get: () => {
      throw new Error("trap");
    },
  });
  const run = new BatchRun("ann", async () => list, 2);
  const both = [run.take(task("a"), context, () => false), run.take(task("b"), context, () => false)];
  const [a, b] = await Promise.allSettled(both);
  expect(a).toMatchObject({ status: "rejected", reason: new Error("trap") });
  expect(b).toMatchObject({ status: "fulfilled", value: 1 });
});
