import { describe, expect, it } from "vitest";
import { defineAgent, type Task } from "../src/index.ts";
import { eventsOf, gate, opened, rejection } from "./coordinator.fixture.ts";

const echo = defineAgent({ name: "echo", capacity: 100, run: (task) => task.input });

describe("submitting", () => {
  it("gives the output of the agent that has the skills", async () => {
    const coordinator = await opened();
    await coordinator.register(defineAgent({ name: "painter", skills: ["paint"], run: () => "a picture" }));
    await coordinator.register(defineAgent({ name: "writer", skills: ["write"], run: () => "a poem" }));
    const handle = await coordinator.submit<string>({ skills: ["write"] });
    expect(await handle.result()).toBe("a poem");
    expect(await handle.outcome()).toMatchObject({
      taskId: handle.id,
      status: "completed",
      output: "a poem",
      via: "agent",
      agent: "writer",
      cost: "0",
      attempts: [{ number: 1, agent: "writer", end: "completed", cost: "0" }],
    });
    expect(await handle.status()).toBe("completed");
  });

  it("takes no tasks for what they are: nothing to do, and no event", async () => {
    const coordinator = await opened();
    const { seq } = await coordinator.stats();
    expect(await coordinator.submit([])).toEqual([]);
    expect((await coordinator.stats()).seq).toBe(seq);
  });

  it("gives the agent its task, and outputs of dependencies by the ids that were written", async () => {
    const coordinator = await opened();
    let seen: Task | undefined;
    await coordinator.register(echo);
    await coordinator.register(
      defineAgent({
        name: "adder",
        skills: ["add"],
        run: (task, { dependencies }) => {
          seen = task;
          return { ...dependencies };
        },
      }),
    );
    const [, , sum] = await coordinator.submit([
      { id: "one", agent: "echo", input: 1 },
      { id: "two", agent: "echo", input: null },
      {
        id: "sum",
        name: "The sum",
        skills: ["add"],
        input: { of: 2 },
        context: "c",
        priority: 7,
        dependsOn: ["one", "two"],
      },
    ]);
    expect(await sum?.result()).toEqual({ one: 1, two: null });
    expect(seen).toEqual({ id: "sum", name: "The sum", input: { of: 2 }, context: "c", priority: 7 });
  });

  it("takes handles as dependencies, and tasks of one call in any order", async () => {
    const coordinator = await opened();
    await coordinator.register(echo);
    const first = await coordinator.submit({ input: "first" });
    const [last, middle] = await coordinator.submit([
      { id: "last", dependsOn: ["middle"], input: "last" },
      { id: "middle", dependsOn: [first], input: "middle" },
    ]);
    await last?.result();
    const started = (await eventsOf(coordinator)).filter((event) => event.type === "task.started");
    expect(started.map((event) => event.taskId)).toEqual([first.id, middle?.id, last?.id]);
  });

  it("takes all tasks of a call or none", async () => {
    const coordinator = await opened();
    await coordinator.register(echo);
    await expect(coordinator.submit([{ id: "a" }, { id: "b", dependsOn: ["nobody"] }])).rejects.toMatchObject({
      code: "UNKNOWN_TASK",
    });
    expect(await coordinator.tasks()).toEqual([]);
  });

  it("refuses a cycle and names it", async () => {
    const coordinator = await opened();
    const error = await rejection(
      coordinator.submit([
        { id: "a", dependsOn: ["b"] },
        { id: "b", dependsOn: ["a"] },
      ]),
    );
    expect(error).toMatchObject({ code: "DEPENDENCY_CYCLE" });
    expect(Reflect.get(Reflect.get(Object(error), "details"), "cycle")).toEqual(expect.arrayContaining(["a", "b"]));
  });

  it("gives the same task for the same id and an equal task, and refuses another", async () => {
    const coordinator = await opened();
    await coordinator.register(echo);
    const first = await coordinator.submit({ id: "x", input: { a: 1, b: 2 } });
    const again = await coordinator.submit({ id: "x", input: { b: 2, a: 1 } });
    expect(again.id).toBe(first.id);
    await expect(coordinator.submit({ id: "x", input: 2 })).rejects.toMatchObject({ code: "DUPLICATE_ID" });
    expect(await coordinator.tasks()).toHaveLength(1);
  });

  it("does a call with the same key once", async () => {
    const coordinator = await opened();
    await coordinator.register(echo);
    const first = await coordinator.submit([{ input: 1 }, { input: 2 }], { key: "order 7" });
    const again = await coordinator.submit([{ input: 1 }, { input: 2 }], { key: "order 7" });
    expect(again.map((handle) => handle.id)).toEqual(first.map((handle) => handle.id));
    expect(await coordinator.tasks()).toHaveLength(2);
  });

  it("starts by priority, then in the order of submission", async () => {
    const coordinator = await opened({ concurrency: 1 });
    const order: string[] = [];
    const hold = gate();
    await coordinator.register(
      defineAgent({
        name: "worker",
        capacity: 10,
        run: async (task) => {
          order.push(task.id);
          if (task.id === "first") await hold.promise;
        },
      }),
    );
    await coordinator.submit({ id: "first", preemptible: false });
    await coordinator.submit([
      { id: "low", priority: 1 },
      { id: "a", priority: 9 },
      { id: "b", priority: 9 },
    ]);
    hold.resolve();
    await coordinator.idle();
    expect(order).toEqual(["first", "a", "b", "low"]);
  });
});

describe("handles", () => {
  it("are found again by id, and an unknown id is refused", async () => {
    const coordinator = await opened();
    await coordinator.register(echo);
    await coordinator.submit({ id: "x", input: 5 });
    expect(await (await coordinator.task("x")).result()).toBe(5);
    await expect(coordinator.task("y")).rejects.toMatchObject({ code: "UNKNOWN_TASK" });
    await expect(coordinator.explain("y")).rejects.toMatchObject({ code: "UNKNOWN_TASK" });
  });

  it("tell why a task waits", async () => {
    const coordinator = await opened();
    const handle = await coordinator.submit({ skills: ["nobody has this"] });
    expect(await handle.explain()).toMatchObject({
      taskId: handle.id,
      verdict: "waiting",
      reasons: [{ code: "skills" }],
    });
    expect(await coordinator.explain(handle.id)).toEqual(await handle.explain());
  });

  it("end the waiting only when a signal is aborted", async () => {
    const coordinator = await opened();
    const hold = gate<string>();
    await coordinator.register(defineAgent({ name: "slow", run: () => hold.promise }));
    const handle = await coordinator.submit({});
    const controller = new AbortController();
    const waiting = handle.result({ signal: controller.signal });
    controller.abort("enough");
    expect(await rejection(waiting)).toMatchObject({ code: "CANCELLED", cause: "enough" });
    expect(await rejection(handle.outcome({ signal: controller.signal }))).toMatchObject({ code: "CANCELLED" });
    expect(await handle.status()).toBe("running");
    hold.resolve("done");
    expect(await handle.result()).toBe("done");
  });

  it("give each asker a copy of its own", async () => {
    const coordinator = await opened();
    await coordinator.register(echo);
    const handle = await coordinator.submit<{ list: number[] }>({ input: { list: [1] } });
    (await handle.result()).list.push(2);
    expect(await handle.result()).toEqual({ list: [1] });
    const outcome = await handle.outcome();
    outcome.output?.list.push(3);
    expect((await handle.outcome()).output).toEqual({ list: [1] });
  });
});

describe("calls", () => {
  it("take effect in the order in which they are made, awaited or not", async () => {
    const coordinator = await opened();
    const submitted = coordinator.submit({ id: "x", skills: ["none"] });
    const before = coordinator.tasks();
    const cancelled = submitted.then((handle) => handle.cancel());
    const after = cancelled.then(() => coordinator.tasks());
    expect(await before).toMatchObject([{ id: "x", status: "pending" }]);
    expect(await after).toMatchObject([{ id: "x", status: "cancelled" }]);
  });

  it("see nothing of calls that are made after them", async () => {
    const coordinator = await opened();
    const none = coordinator.tasks();
    const submitted = coordinator.submit({ id: "x" });
    const one = coordinator.tasks({ limit: 5 });
    expect(await none).toEqual([]);
    await submitted;
    expect(await one).toHaveLength(1);
  });

  it("list, by filter, what there is", async () => {
    const coordinator = await opened({ resources: { disk: { type: "storage", capacity: 2 } } });
    await coordinator.register(echo);
    const handles = await coordinator.submit([{ id: "a" }, { id: "b", skills: ["none"] }, { id: "c" }]);
    await handles[0]?.result();
    await handles[2]?.result();
    expect((await coordinator.tasks({ status: "completed" })).map((task) => task.id)).toEqual(["a", "c"]);
    expect((await coordinator.tasks({ after: "a", limit: 1 })).map((task) => task.id)).toEqual(["b"]);
    expect((await coordinator.tasks({ agent: "echo" })).map((task) => task.id)).toEqual(["a", "c"]);
    expect(await coordinator.agents()).toMatchObject([{ name: "echo", capacity: 100, load: 0, online: true }]);
    expect(await coordinator.resources()).toMatchObject([{ id: "disk", type: "storage", capacity: 2, allocated: 0 }]);
    expect(await coordinator.stats()).toMatchObject({ tasks: { completed: 2, pending: 1 }, runMs: { count: 2 } });
    expect(await coordinator.rebalance()).toEqual([]);
  });
});
