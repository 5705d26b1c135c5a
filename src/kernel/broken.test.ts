/** What cannot be stops the kernel: nothing is guessed around. */
import { describe, expect, test } from "vitest";
import type { Json } from "../coordination/structures/types.ts";
import type { KernelEvent } from "./events.ts";
import { evolve } from "./evolve.ts";
import { finishedRow, statusIn } from "./finished-row.ts";
import { Kernel } from "./kernel.ts";
import { State } from "./state.ts";
import { Story } from "./story.fixture.ts";

/** `a` runs on `ann`, and holds some of a disk. */
function running(): Story {
  const story = new Story();
  story.agent("ann");
  story.resource("disk", 3);
  story.submit({ id: "a", resources: { disk: 1 } });
  return story;
}

function replayed(event: object): () => void {
  const kernel = new Kernel();
  for (const known of running().log) kernel.replay(known);
  return () => kernel.replay({ seq: kernel.seq + 1, at: kernel.at, v: 1, ...event } as KernelEvent);
}

describe("a journal", () => {
  test.each([
    ["a task", { type: "task.paused", taskId: "b" }, "task b, which it never made"],
    ["an attempt", { type: "attempt.checkpointed", taskId: "a", token: 9, state: 1 }, "attempt 9, which it never made"],
    ["an agent", { type: "agent.unregistered", agent: "eve" }, "agent eve, which it never made"],
    [
      "a resource",
      { type: "task.submitted", taskId: "b", resources: { tape: 1 } },
      "resource tape, which it never made",
    ],
    ["a ballot", { type: "ballot.cast", ballotId: "b1", voter: "ann" }, "ballot b1, which it never made"],
    ["an allocation", { type: "resource.released", allocationId: "a1", why: "released" }, "allocation a1, which it"],
    ["no amount", { type: "task.submitted", taskId: "b", load: -1 }, "holds -1, which is no amount"],
    ["no event", { type: "task.vanished", taskId: "a" }, "unknown event"],
  ])("that names %s that is not there is broken", (_, event, message) => {
    expect(replayed(event)).toThrow(RangeError);
    expect(replayed(event)).toThrow(message);
  });

  test("comes before the first batch", () => {
    const story = running();
    const [first] = story.log;
    if (first === undefined) throw new Error("nothing happened");
    expect(() => story.kernel.replay(first)).toThrow("replay comes before the first batch");
  });
});

describe("a snapshot", () => {
  const rows = (): { readonly row?: string; readonly [key: string]: Json | undefined }[] =>
    JSON.parse(JSON.stringify([...running().kernel.snapshot()]));

  test.each([
    ["a task of an attempt", "task", "the snapshot's attempt of a has no task or agent"],
    ["an agent of an attempt", "agent", "the snapshot's attempt of a has no task or agent"],
    ["a resource of a task", "resource", "resource disk, which it never made"],
  ])("without %s is broken", (_, missing, message) => {
    const left = rows().filter(({ row }) => row !== missing) as Json[];
    expect(() => Kernel.restore(left)).toThrow(message);
  });

  test("that holds what no version knows is broken", () => {
    expect(() => Kernel.restore([...(rows() as Json[]), { row: "moon" }])).toThrow(RangeError);
  });

  test("whose task depends on one that is not there is broken", () => {
    const story = running();
    story.submit({ id: "b", dependsOn: ["a"] });
    const left = [...story.kernel.snapshot()].filter((row) => JSON.stringify(row).includes('"b"') || !isTask(row));
    expect(() => Kernel.restore(left)).toThrow(RangeError);
  });

  function isTask(row: Json): boolean {
    return Reflect.get(Object(row), "row") === "task";
  }
});

describe("the line of a task that has ended", () => {
  test("is none of a task that goes on", () => {
    const state = new State();
    for (const event of running().log) evolve(state, event, undefined);
    const task = state.tasks.get("a");
    if (task === undefined) throw new Error("a is gone");
    expect(() => finishedRow(task)).toThrow("task a has not ended");
  });

  test("with a status that no version knows is broken", () => {
    expect(() => statusIn("[7,1,0]")).toThrow("a finished task has the status 7, which is none");
  });
});

describe("a command", () => {
  test("that no version knows stops the kernel", () => {
    const { kernel, now } = running();
    expect(() => kernel.batch([{ command: { type: "task.vanish" } as never }], now)).toThrow("unknown command");
  });

  test("that throws something else than a refusal stops the kernel", () => {
    const { kernel, now } = running();
    const task = {
      get load(): number {
        throw new TypeError("no");
      },
    };
    const submit = { type: "task.submit", tasks: [{}, task] } as const;
    expect(() => kernel.batch([{ command: submit }], now)).toThrow(TypeError);
  });
});
