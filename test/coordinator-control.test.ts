import { describe, expect, it } from "vitest";
import { defineAgent, defineManager, type Json } from "../src/index.ts";
import type { Journal } from "../src/journal/journal.ts";
import { aborted, gate, historyOf, MortalJournal, opened, rejection } from "./coordinator.fixture.ts";

describe("cancelling", () => {
  it("aborts what runs and ends what waits", async () => {
    const coordinator = await opened({ concurrency: 1 });
    const reasons: unknown[] = [];
    const entered = gate();
    await coordinator.register(
      defineAgent({
        name: "worker",
        run: async (_, { signal }) => {
          entered.resolve();
          reasons.push(await aborted(signal));
          throw signal.reason;
        },
      }),
    );
    const [running, waiting] = await coordinator.submit([{ id: "running" }, { id: "waiting" }]);
    await entered.promise;
    await waiting?.cancel();
    await running?.cancel("no longer wanted");
    expect(await rejection(running?.result() ?? Promise.resolve())).toMatchObject({
      code: "CANCELLED",
      message: expect.stringContaining("no longer wanted"),
    });
    expect(await waiting?.outcome()).toMatchObject({ status: "cancelled", attempts: [] });
    expect(reasons).toMatchObject([{ code: "CANCELLED", details: { reason: "cancelled" } }]);
    await expect(running?.cancel()).resolves.toBeUndefined();
    await expect(running?.pause()).rejects.toMatchObject({ code: "INVALID_STATE" });
  });

  it("cancels a manager's whole subtree, and tells it over only when every attempt in it has ended", async () => {
    const coordinator = await opened();
    const entered = gate();
    const leave = gate();
    const ended: string[] = [];
    await coordinator.register(
      defineAgent({
        name: "leaf",
        skills: ["leaf"],
        capacity: 9,
        run: async (task, { signal }) => {
          if (task.input === "last") entered.resolve();
          await aborted(signal);
          await leave.promise;
          ended.push(task.id);
          throw signal.reason;
        },
      }),
    );
    await coordinator.register(
      defineManager({
        name: "inner",
        skills: ["inner"],
        team: ["leaf"],
        plan: () => [{ skills: ["leaf"] }, { skills: ["leaf"], input: "last" }],
      }),
    );
    await coordinator.register(
      defineManager({ name: "outer", skills: ["outer"], team: ["inner"], plan: () => [{ skills: ["inner"] }] }),
    );
    const handle = await coordinator.submit({ id: "root", skills: ["outer"] });
    await entered.promise;
    await handle.cancel();
    expect(await handle.status()).not.toBe("cancelled");
    leave.resolve();
    expect((await handle.outcome()).status).toBe("cancelled");
    expect(ended.sort()).toEqual(["root/0/0", "root/0/1"]);
    expect((await coordinator.tasks()).map(({ status }) => status)).toEqual(Array(4).fill("cancelled"));
  });
});

describe("pausing", () => {
  it("stops the attempt, holds the task, and goes on from its checkpoint", async () => {
    const coordinator = await opened();
    const entered = gate();
    const resumedFrom: (Json | undefined)[] = [];
    await coordinator.register(
      defineAgent({
        name: "worker",
        run: async (_, { checkpoint, signal, resumeFrom }) => {
          resumedFrom.push(resumeFrom);
          if (resumeFrom !== undefined) return "done";
          await checkpoint({ page: 3 });
          entered.resolve();
          await aborted(signal);
          throw signal.reason;
        },
      }),
    );
    const handle = await coordinator.submit({ id: "x", retry: { maxAttempts: 1 } });
    await entered.promise;
    await handle.pause();
    await coordinator.idle();
    expect(await handle.status()).toBe("paused");
    await handle.resume();
    expect(await handle.result()).toBe("done");
    expect(resumedFrom).toEqual([undefined, { page: 3 }]);
    expect((await handle.outcome()).attempts.map(({ end }) => end)).toEqual(["preempted", "completed"]);
  });
});

describe("a task that a person has tried again", () => {
  it("submits subtasks anew, and finds those of the present series, also after a restart", async () => {
    const journal = new MortalJournal();
    const finds: (readonly string[])[] = [];
    const crew = async (from: Journal) => {
      const coordinator = await opened({ journal: from });
      let attempts = 0;
      const waiting = defineAgent({
        name: "helper",
        capacity: 9,
        run: async (_, { signal }) => {
          await aborted(signal);
          throw signal.reason;
        },
      });
      await coordinator.register(waiting);
      await coordinator.register(
        defineAgent({
          name: "boss",
          run: async (_, { submit }) => {
            attempts += 1;
            const handles = [await submit({ agent: "helper" }), await submit({ agent: "helper" })];
            finds.push(handles.map(({ id }) => id));
            throw new Error(`attempt ${attempts} failed`);
          },
        }),
      );
      return coordinator;
    };
    const first = await crew(journal);
    const task = { id: "x", agent: "boss", retry: { maxAttempts: 2, initialMs: 1, jitter: false } };
    const handle = await first.submit(task);
    await handle.outcome();
    await handle.retry();
    await handle.outcome();
    const second = await crew(await journal.die());
    const again = await second.task("x");
    await again.retry();
    await again.outcome();
    const named = (prefix: string) => [`x/${prefix}0`, `x/${prefix}1`];
    const series = [named(""), named("retry1-"), named("retry2-")];
    expect(finds).toEqual(series.flatMap((ids) => [ids, ids]));
  });
});

describe("preemption", () => {
  it("stops a lower one for a higher one, which starts before the lower goes on where it was", async () => {
    const coordinator = await opened({ concurrency: 1 });
    const order: string[] = [];
    const entered = gate();
    await coordinator.register(
      defineAgent({
        name: "worker",
        capacity: 2,
        run: async (task, { signal, checkpoint, resumeFrom }) => {
          order.push(`${task.id} from ${JSON.stringify(resumeFrom ?? 0)}`);
          if (task.id === "high" || resumeFrom !== undefined) return task.id;
          await checkpoint(7);
          entered.resolve();
          const reason = await aborted(signal);
          expect(reason).toMatchObject({ code: "CANCELLED", details: { reason: "preempted" } });
          throw reason;
        },
      }),
    );
    const low = await coordinator.submit({ id: "low", priority: 1, retry: { maxAttempts: 1 } });
    await entered.promise;
    const high = await coordinator.submit({ id: "high", priority: 9 });
    expect(await high.result()).toBe("high");
    expect(await low.result()).toBe("low");
    expect(order).toEqual(["low from 0", "high from 0", "low from 7"]);
    expect((await low.outcome()).attempts.map(({ end }) => end)).toEqual(["preempted", "completed"]);
  });

  it("counts what completes within its grace as completed", async () => {
    const coordinator = await opened({ concurrency: 1 });
    const entered = gate();
    await coordinator.register(
      defineAgent({
        name: "worker",
        capacity: 2,
        run: async (task, { signal }) => {
          if (task.id === "high") return "high";
          entered.resolve();
          await aborted(signal);
          return "finished all the same";
        },
      }),
    );
    const low = await coordinator.submit({ id: "low", priority: 1 });
    await entered.promise;
    const high = await coordinator.submit({ id: "high", priority: 9 });
    expect(await low.result()).toBe("finished all the same");
    expect(await high.result()).toBe("high");
  });

  it("follows a priority that is raised later", async () => {
    const coordinator = await opened({ concurrency: 1 });
    const hold = gate();
    const order: string[] = [];
    await coordinator.register(
      defineAgent({
        name: "worker",
        capacity: 9,
        run: async (task) => {
          order.push(task.id);
          if (task.id === "first") await hold.promise;
        },
      }),
    );
    await coordinator.submit([{ id: "first", preemptible: false, priority: 9 }, { id: "a" }, { id: "b" }]);
    await (await coordinator.task("b")).prioritize(6);
    hold.resolve();
    await coordinator.idle();
    expect(order).toEqual(["first", "b", "a"]);
  });
});

describe("tokens", () => {
  it("are refused once the attempt is over", async () => {
    const coordinator = await opened();
    const over = gate();
    const late = gate<unknown>();
    await coordinator.register(
      defineAgent({
        name: "worker",
        run: (_, { checkpoint, submit, request }) => {
          void over.promise.then(async () => {
            const refused = [checkpoint(1), submit({}), request({ disk: 1 })];
            late.resolve(await Promise.all(refused.map((promise) => rejection(promise))));
          });
          return "done";
        },
      }),
    );
    const handle = await coordinator.submit({ id: "x" });
    await handle.result();
    over.resolve();
    expect(await late.promise).toMatchObject([{ code: "FENCED" }, { code: "FENCED" }, { code: "FENCED" }]);
    expect(await historyOf(coordinator, "x")).toEqual(["task.submitted", "task.started", "task.completed"]);
  });
});
