import { expect, it } from "vitest";
import { SafeguardsError } from "../errors.ts";
import type { Command } from "../kernel/commands.ts";
import type { Departed } from "../kernel/departed.ts";
import { Departures } from "./departures.ts";

/** What has left memory for an archive that answers when it is let, and as of when it was asked. */
class Scene {
  readonly memory = {
    tasks: new Set<string>(),
    isWhole: false,
    hasDepartures: () => !this.memory.isWhole,
    has: (_: string, id: string) => this.memory.tasks.has(id),
  };
  readonly kept: Map<string, string> = new Map();
  asked: string[][] = [];
  failing: Error | undefined = undefined;
  #answers: (() => void)[] = [];
  readonly departures: Departures = new Departures(this.memory, {
    get: (_, ids) => {
      this.asked.push([...ids]);
      const found = new Map([...this.kept].filter(([id]) => ids.includes(id)));
      const { failing } = this;
      return new Promise((resolve, reject) => {
        this.#answers.push(() => (failing === undefined ? resolve(found) : reject(failing)));
      });
    },
  });
  ready = 0;

  /** The archive answers all that it was asked. */
  async answer(): Promise<void> {
    for (const answer of this.#answers.splice(0)) answer();
    await new Promise((resolve) => setImmediate(resolve));
  }

  recall(command: Command): ReturnType<Departures["recall"]> {
    return this.departures.recall(command, () => {
      this.ready += 1;
    });
  }

  /** They leave memory; call what is returned when they are in the archive. */
  leave(...ids: string[]): () => void {
    for (const id of ids) this.memory.tasks.delete(id);
    const departed = ids.map((id): Departed => ({ kind: "task", id, row: `row of ${id}` }));
    const durable = this.departures.leave(departed);
    return () => {
      for (const { id, row } of departed) this.kept.set(id, row);
      durable();
    };
  }
}

const naming = (id: string, ...dependsOn: string[]): Command => ({ type: "task.submit", tasks: [{ id, dependsOn }] });

it("asks the archive for what is not in memory, and for nothing as long as nothing has left", async () => {
  const scene = new Scene();
  scene.memory.tasks.add("here");
  scene.leave("gone")();
  const recall = scene.recall(naming("new", "gone", "here"));
  expect(recall?.isReady).toBe(false);
  await scene.answer();
  expect(recall?.isReady).toBe(true);
  expect(scene.ready).toBe(1);
  expect(scene.asked).toEqual([["new", "gone"]]);
  expect([...(recall?.rows() ?? [])]).toEqual([["gone", "row of gone"]]);

  scene.memory.isWhole = true;
  expect(scene.recall(naming("other", "gone"))?.isReady).toBe(true);
  expect(scene.asked).toHaveLength(1);
});

it("asks nothing for what names nothing, or only subtasks", () => {
  const { departures } = new Scene();
  const ready = () => undefined;
  const from = { taskId: "t", token: 1 };
  expect(departures.recall({ type: "task.submit", tasks: [{}] }, ready)).toBe(undefined);
  expect(departures.recall({ type: "task.submit", tasks: [{ id: "a" }], from }, ready)).toBe(undefined);
  expect(departures.recall({ type: "attempt.plan", tasks: [{ id: "a" }], ...from }, ready)).toBe(undefined);
  expect(departures.recall({ type: "tick" }, ready)).toBe(undefined);
  expect(departures.recall({ type: "ballot.reveal", ballotId: 7 as never, truth: "yes" }, ready)).toBe(undefined);
  const dependent = { type: "attempt.plan", tasks: [{ id: "a", dependsOn: ["b"] }], ...from } as const;
  expect(departures.recall(dependent, ready)?.isReady).toBe(false);
});

it("a call finds what left after it was made, also once that is in the archive", async () => {
  const scene = new Scene();
  scene.memory.tasks.add("late");
  const recall = scene.recall(naming("new", "late"));
  const durable = scene.leave("late");
  await scene.answer();
  expect([...(recall?.rows() ?? [])]).toEqual([["late", "row of late"]]);
  durable();
  expect([...(recall?.rows() ?? [])]).toEqual([["late", "row of late"]]);
});

it("the same of a ballot that is revealed, and nothing of a task by its id", async () => {
  const scene = new Scene();
  scene.leave("b1");
  const recall = scene.recall({ type: "ballot.reveal", ballotId: "b1", truth: "yes" });
  await scene.answer();
  expect([...(recall?.rows() ?? [])]).toEqual([]);
  scene.departures.leave([{ kind: "ballot", id: "b1", row: "closed" }]);
  expect([...(recall?.rows() ?? [])]).toEqual([["b1", "closed"]]);
});

it("holds what is in the archive no longer than a call that was made before waits", async () => {
  const scene = new Scene();
  const first = scene.recall(naming("x"));
  const second = scene.recall(naming("y"));
  scene.leave("a")();
  const third = scene.recall(naming("z"));
  expect(scene.departures.held("task", "a")).toBe("row of a");
  first?.done();
  expect(scene.departures.held("task", "a")).toBe("row of a");
  second?.done();
  expect(scene.departures.held("task", "a")).toBe(undefined);
  third?.done();
  const finding = scene.departures.find("task", "a");
  await scene.answer();
  expect(await finding).toBe("row of a");
});

it("holds what is not yet in the archive, and what has left again since", async () => {
  const scene = new Scene();
  const durable = scene.leave("a", "b");
  expect(await scene.departures.find("task", "a")).toBe("row of a");
  expect(scene.departures.held("ballot", "a")).toBe(undefined);
  scene.departures.leave([{ kind: "task", id: "a", row: "newer" }]);
  durable();
  expect(scene.departures.held("task", "a")).toBe("newer");
  expect(scene.departures.held("task", "b")).toBe(undefined);
});

it("fails the call when the archive fails", async () => {
  const scene = new Scene();
  scene.failing = new SafeguardsError("JOURNAL_CORRUPT", "damaged");
  const damaged = scene.recall(naming("a"));
  await scene.answer();
  expect(damaged?.isReady).toBe(true);
  expect(damaged?.failure).toMatchObject({ code: "JOURNAL_CORRUPT" });
  scene.failing = new Error("no disk");
  const failed = scene.recall(naming("a"));
  await scene.answer();
  expect(failed?.failure).toMatchObject({ code: "JOURNAL_FAILED", cause: scene.failing });
});

it("asks for many in parts", async () => {
  const scene = new Scene();
  const ids = Array.from({ length: 2_500 }, (_, i) => `t${i}`);
  scene.leave("t7", "t2400")();
  const finding = scene.departures.findAll("task", ids);
  for (let part = 0; part < 3; part++) await scene.answer();
  expect([...(await finding).keys()]).toEqual(["t7", "t2400"]);
  expect(scene.asked.map(({ length }) => length)).toEqual([1000, 1000, 500]);
});
