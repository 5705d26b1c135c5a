import { describe, expect, it } from "vitest";
import { SafeguardsError } from "../errors.ts";
import { Awaiting } from "./awaiting.ts";
import type { OutcomeData } from "./outcome.ts";

/** An attempt's side and, by hand, the kernel's. */
function scene() {
  const asked: (readonly string[])[] = [];
  let answer: (refusal: SafeguardsError | undefined) => void = () => undefined;
  const awaiting = new Awaiting((taskIds, answered) => {
    asked.push(taskIds);
    answer = answered;
  });
  const got: string[] = [];
  const tasks = new Map<string, PromiseWithResolvers<OutcomeData>>();
  return {
    awaiting,
    asked,
    got,
    answer: (refusal?: SafeguardsError) => answer(refusal),
    wait(taskId: string, hasEnded = false): void {
      const task = Promise.withResolvers<OutcomeData>();
      if (hasEnded) task.resolve({ taskId } as OutcomeData);
      tasks.set(taskId, task);
      awaiting.await(taskId, task.promise).then(
        () => got.push(taskId),
        (error: unknown) => got.push(`${taskId} refused: ${error instanceof Error ? error.message : String(error)}`),
      );
    },
    end: (taskId: string) => tasks.get(taskId)?.resolve({ taskId } as OutcomeData),
    settle: () => new Promise((resolve) => setImmediate(resolve)),
  };
}

describe("Awaiting", () => {
  it("asks once for all that is awaited at once, and hands the last over when the slot is back", async () => {
    const { awaiting, asked, got, answer, wait, end, settle } = scene();
    wait("a");
    wait("b");
    await settle();
    expect(asked).toEqual([["a", "b"]]);
    awaiting.waits();
    answer();
    end("a");
    await settle();
    expect(got).toEqual(["a"]);
    end("b");
    await settle();
    expect(got).toEqual(["a"]);
    awaiting.regained();
    await settle();
    expect(got).toEqual(["a", "b"]);
  });

  it("asks anew, once the slot is back, for what was added meanwhile", async () => {
    const { awaiting, asked, got, answer, wait, end, settle } = scene();
    wait("a");
    await settle();
    awaiting.waits();
    answer();
    wait("b");
    await settle();
    end("a");
    awaiting.regained();
    await settle();
    expect(asked).toEqual([["a"], ["b"]]);
    expect(got).toEqual(["a"]);
    awaiting.waits();
    answer();
    end("b");
    await settle();
    awaiting.regained();
    await settle();
    expect(got).toEqual(["a", "b"]);
  });

  it("hands over at once where the kernel need not take the slot away", async () => {
    const { asked, got, answer, wait, end, settle } = scene();
    wait("a", true);
    await settle();
    expect(asked).toEqual([]);
    expect(got).toEqual(["a"]);
    wait("b");
    await settle();
    end("b");
    await settle();
    expect(got).toEqual(["a"]);
    answer();
    await settle();
    expect(got).toEqual(["a", "b"]);
  });

  it("refuses everything that is awaited when the kernel refuses, and goes on after that", async () => {
    const { asked, got, answer, wait, settle } = scene();
    wait("a");
    wait("b");
    await settle();
    answer(new SafeguardsError("WOULD_DEADLOCK", "no"));
    await settle();
    expect(got).toEqual(["a refused: no", "b refused: no"]);
    wait("c");
    await settle();
    expect(asked).toEqual([["a", "b"], ["c"]]);
  });

  it("refuses everything when it is stopped, and from then on", async () => {
    const { awaiting, got, answer, wait, end, settle } = scene();
    wait("a");
    await settle();
    awaiting.waits();
    answer();
    awaiting.stop(new Error("stop"));
    end("a");
    wait("b");
    await settle();
    expect(got).toEqual(["a refused: stop", "b refused: stop"]);
  });
});
