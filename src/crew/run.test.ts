import { expect, test } from "vitest";
import { defineAgent } from "../agents/function.ts";
import type { Json } from "../coordination/structures/types.ts";
import { Coordinator } from "../runtime/coordinator.ts";
import type { Outcome } from "../runtime/task.ts";
import { type CrewSpec, defineCrew } from "./crew.ts";
import type { LoadedCrew } from "./load.ts";
import { beginRun, runsAmong } from "./run.ts";

const echo = defineAgent({ name: "echo", run: (task) => task.input });

function loaded(spec: Partial<CrewSpec>, hash = "a"): LoadedCrew {
  const crew = defineCrew({ name: "crew", agents: [echo], tasks: [{ id: "a", input: 1 }], ...spec });
  return { crew, file: "crew.ts", hash: hash.repeat(64), isCode: true, programs: [] };
}

async function run(coordinator: Coordinator, crew: LoadedCrew, input: Json = null): Promise<Outcome> {
  const { handle } = await beginRun(coordinator, crew, { input });
  return handle.outcome();
}

test("each run has an id of its own, and its tasks are below it", async () => {
  await using coordinator = await Coordinator.open();
  await run(coordinator, loaded({}));
  await run(coordinator, loaded({}));
  const tasks = await coordinator.tasks();
  expect(tasks.map(({ id }) => id)).toEqual(["r1", "r1/a", "r2", "r2/a"]);
  expect(runsAmong(tasks)).toMatchObject([
    { id: "r1", crew: "crew", file: "aaaaaaaaaaaa", input: "none" },
    { id: "r2", crew: "crew", file: "aaaaaaaaaaaa", input: "none" },
  ]);
});

test("tasks may be made of the input, and the output of the outcomes, whose ids are the crew's own", async () => {
  await using coordinator = await Coordinator.open();
  const crew = loaded({
    tasks: (input) => [{ id: "b", input }, { input: 2 }],
    output: (outcomes) => outcomes.map(({ taskId, output = null }) => [taskId, output]),
  });
  expect(await run(coordinator, crew, { x: 1 })).toMatchObject({
    status: "completed",
    output: [
      ["b", { x: 1 }],
      ["1", 2],
    ],
  });
});

test("a task keeps the priority that the crew gives it, above or below the default", async () => {
  await using coordinator = await Coordinator.open();
  await run(coordinator, loaded({ tasks: [{ priority: -3 }, {}, { priority: 9 }] }));
  expect((await coordinator.tasks({ parentId: "r1" })).map(({ priority }) => priority)).toEqual([-3, 5, 9]);
});

test("a run that has not ended is gone on with only as it was begun, whatever the order of the input's keys", async () => {
  await using coordinator = await Coordinator.open();
  const stuck = {
    agents: [
      defineAgent({
        name: "stuck",
        run: (_, ctx) =>
          new Promise<Json>((_, reject) => ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason))),
      }),
    ],
  };
  const first = await beginRun(coordinator, loaded(stuck), { input: { a: 1, b: [2] } });
  expect(first).toMatchObject({ id: "r1", isResumed: false, isNewFile: true });
  expect(await beginRun(coordinator, loaded(stuck), { input: { b: [2], a: 1 } })).toMatchObject({
    id: "r1",
    isResumed: true,
    isNewFile: false,
  });
  const begin = (crew: LoadedCrew, input: Json): Promise<unknown> => beginRun(coordinator, crew, { input });
  await expect(begin(loaded(stuck), { a: 2, b: [2] })).rejects.toThrow(
    "run r1 has not ended, and was begun with another input",
  );
  await expect(begin(loaded(stuck, "b"), { a: 1, b: [2] })).rejects.toThrow(
    "as it was (aaaaaaaaaaaa), which has changed since (bbbbbbbbbbbb)",
  );
  await expect(begin(loaded({ ...stuck, name: "other" }), { a: 1, b: [2] })).rejects.toThrow(
    'is of the crew "crew", not of "other"',
  );
  const fresh = await beginRun(coordinator, loaded(stuck, "b"), { input: null, fresh: true });
  expect(fresh).toMatchObject({ id: "r2", isResumed: false, isNewFile: true });
  expect(await first.handle.outcome()).toMatchObject({ status: "cancelled" });
});

test("before anything of the crew is started, one is told", async () => {
  await using coordinator = await Coordinator.open();
  const order: string[] = [];
  const crew = loaded({ tasks: () => [{ id: String(order.push("tasks")) }] });
  const { handle } = await beginRun(coordinator, crew, { input: null, before: ({ id }) => order.push(`before ${id}`) });
  await handle.outcome();
  expect(order).toEqual(["before r1", "tasks"]);
});
