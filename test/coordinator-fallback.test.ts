import { describe, expect, it } from "vitest";
import { type Coordinator, defineAgent, defineManager } from "../src/index.ts";
import { eventsOf, historyOf, MortalJournal, opened, rejection, silent } from "./coordinator.fixture.ts";

const once = { retry: { maxAttempts: 1 } } as const;

async function crew(options = {}): Promise<Coordinator> {
  const coordinator = await opened(options);
  const thrower = (): never => {
    throw new Error("the model is down");
  };
  await coordinator.register(defineAgent({ name: "large", skills: ["translate"], run: thrower }));
  await coordinator.register(
    defineAgent({ name: "small", skills: ["draft"], run: (task) => `draft of ${task.input}` }),
  );
  return coordinator;
}

describe("a fallback", () => {
  it("by another agent gives the output, and the outcome says so", async () => {
    const coordinator = await crew();
    const handle = await coordinator.submit({
      id: "x",
      skills: ["translate"],
      input: "a page",
      ...once,
      fallback: { skills: ["draft"] },
    });
    expect(await handle.result()).toBe("draft of a page");
    expect(await handle.outcome()).toMatchObject({ via: "fallback", agent: "small", status: "completed" });
    expect((await handle.outcome()).attempts.map(({ agent, end }) => [agent, end])).toEqual([
      ["large", "failed"],
      ["small", "completed"],
    ]);
  });

  it("by a value gives that, a copy of it each time", async () => {
    const coordinator = await crew();
    const value = { pages: [1] };
    const handle = await coordinator.submit({ id: "x", agent: "large", ...once, fallback: { value } });
    value.pages.push(2);
    const first = await handle.result();
    expect(first).toEqual({ pages: [1] });
    Object(first).pages.push(3);
    expect(await handle.result()).toEqual({ pages: [1] });
    expect(await handle.outcome()).toMatchObject({ via: "fallback", attempts: [{ end: "failed" }] });
    expect(await historyOf(coordinator, "x")).toEqual([
      "task.submitted",
      "task.started",
      "attempt.ended",
      "task.fell-back",
      "task.completed",
    ]);
    expect((await handle.explain()).text).toBe("completed with the value of its fallback, after 1 attempt");
  });

  it("is there for who depends on it, and for a manager who counts who succeeded", async () => {
    const coordinator = await crew();
    await coordinator.register(
      defineManager({
        name: "lead",
        team: ["large", "small"],
        plan: () => [
          { id: "hard", agent: "large", ...once, fallback: { value: "none" } },
          { id: "easy", agent: "small" },
        ],
        aggregate: (_, results) => results.map(({ output, via }) => [output ?? null, via ?? null]),
      }),
    );
    const [lead, after] = await coordinator.submit([
      { id: "m", agent: "lead" },
      { agent: "small", dependsOn: ["m"] },
    ]);
    expect(await lead?.result()).toEqual([
      ["none", "fallback"],
      ["draft of null", "agent"],
    ]);
    expect(await after?.result()).toBe("draft of null");
  });

  it("submits subtasks of its own: those of whom it replaces were cancelled with the failure", async () => {
    const coordinator = await opened();
    const submitting = (fails: boolean) =>
      defineAgent({
        name: fails ? "first" : "second",
        run: async (_, { submit }) => {
          const handle = await submit({ agent: "helper", input: fails ? 1 : 2 });
          const output = await handle.result();
          if (fails) throw new Error("no");
          return output;
        },
      });
    await coordinator.register(submitting(true));
    await coordinator.register(submitting(false));
    await coordinator.register(defineAgent({ name: "helper", run: (task) => task.input }));
    const handle = await coordinator.submit({ id: "x", agent: "first", ...once, fallback: { agent: "second" } });
    expect(await handle.result()).toBe(2);
    const children = await coordinator.tasks({ parentId: "x" });
    expect(children.map(({ id }) => id)).toEqual(["x/0", "x/fallback-0"]);
  });

  it("that fails leaves a person's retry to the first manager, who sees nothing of its earlier plan", async () => {
    const coordinator = await opened();
    const failing = { first: true };
    await coordinator.register(
      defineAgent({
        name: "helper",
        run: (task) => {
          if (failing.first && task.input === "hard") throw new Error("no");
          return task.input;
        },
      }),
    );
    await coordinator.register(
      defineManager({
        name: "lead",
        team: ["helper"],
        plan: (_, { round }) => [
          { input: "hard", ...once },
          { input: `after ${round}`, ...once },
        ],
        aggregate: (_, outcomes, { round }) => [round, ...outcomes.map(({ output }) => output ?? null)],
      }),
    );
    await coordinator.register(
      defineAgent({
        name: "second",
        run: () => {
          throw new Error("neither");
        },
      }),
    );
    const handle = await coordinator.submit({ agent: "lead", ...once, fallback: { agent: "second" } });
    await rejection(handle.result());
    failing.first = false;
    await handle.retry();
    expect(await handle.result()).toEqual([1, "hard", "after 0"]);
  });

  it("goes on after its process has died", async () => {
    const journal = new MortalJournal();
    const first = await crew({ journal, logger: silent });
    const handle = await first.submit({ id: "x", agent: "large", ...once, fallback: { agent: "small" } });
    await first.unregister("small");
    while ((await historyOf(first, "x")).at(-1) !== "task.fell-back") await handle.status();
    const second = await crew({ journal: await journal.die() });
    expect(await (await second.task("x")).result()).toBe("draft of null");
    expect((await eventsOf(second)).filter(({ type }) => type === "task.fell-back")).toHaveLength(1);
  });

  it("is refused where it says nothing, or what is not JSON", async () => {
    const coordinator = await crew();
    const submitting = (fallback: unknown) => rejection(coordinator.submit({ fallback } as never));
    expect(await submitting({})).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await submitting({ value: 1n })).toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await submitting({ agent: "nobody" })).toMatchObject({ code: "UNKNOWN_AGENT" });
  });
});
