import { describe, expect, it } from "vitest";
import { SafeguardsError } from "../errors.ts";
import type { Query } from "./command-loop.ts";
import { Endings } from "./endings.ts";

/** Endings of things that are ended by hand, and a line in which everything has its turn at once. */
function scene() {
  const ends = new Map<string, { readonly how: string } | "open">([["x", "open"]]);
  const gone = new Map([["old", { how: "long ago" }]]);
  const endings = new Endings(
    "thing",
    "UNKNOWN_TASK",
    (id) => ends.get(id),
    async (id) => gone.get(id),
  );
  const line = { enqueue: (query: Query) => query.look()(), lookNow: (query: Query) => query.look()() };
  return { ends, endings, line };
}

describe("Endings", () => {
  it("tell of what has left memory, and refuse what there never was", async () => {
    const { endings, line } = scene();
    expect(await endings.wait(line, "old")).toEqual({ how: "long ago" });
    await expect(endings.wait(line, "new")).rejects.toMatchObject({ code: "UNKNOWN_TASK" });
  });

  it("tell everybody who waits, once it is durable", async () => {
    const { ends, endings, line } = scene();
    const waiting = [endings.wait(line, "x"), endings.wait(line, "x", { inTurn: true })];
    expect(endings.isWaitedFor).toBe(true);
    ends.set("x", { how: "well" });
    const release = endings.ended("x");
    expect(await Promise.race([...waiting, "nothing yet"])).toBe("nothing yet");
    release?.();
    expect(await Promise.all(waiting)).toEqual([{ how: "well" }, { how: "well" }]);
    expect(endings.isWaitedFor).toBe(false);
    expect(endings.ended("x")).toBeUndefined();
  });

  it("tell at once what has ended before, and what there is not", async () => {
    const { ends, endings, line } = scene();
    ends.set("x", { how: "badly" });
    expect(await endings.wait(line, "x")).toEqual({ how: "badly" });
    await expect(endings.wait(line, "y")).rejects.toMatchObject({
      code: "UNKNOWN_TASK",
      message: 'no thing has the id "y"',
    });
  });

  it("go on waiting for what has begun anew at the same instant", async () => {
    const { ends, endings, line } = scene();
    const waiting = endings.wait(line, "x");
    expect(endings.ended("x")).toBeUndefined();
    ends.set("x", { how: "at last" });
    endings.ended("x")?.();
    expect(await waiting).toEqual({ how: "at last" });
  });

  it("keep nothing of who stops waiting", async () => {
    const { endings, line } = scene();
    const controller = new AbortController();
    const { signal } = controller;
    const waiting = endings.wait(line, "x", { signal });
    controller.abort("enough");
    await expect(waiting).rejects.toMatchObject({ code: "CANCELLED", cause: "enough" });
    expect(endings.isWaitedFor).toBe(false);
    await expect(endings.wait(line, "x", { signal })).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("tell everybody that nothing will come: those who wait, those about to be told, and those who come later", async () => {
    const { ends, endings, line } = scene();
    ends.set("y", "open");
    const waiting = [endings.wait(line, "x"), endings.wait(line, "y")];
    ends.set("y", { how: "well" });
    endings.ended("y");
    endings.stop(new SafeguardsError("CLOSED", "over"));
    waiting.push(endings.wait(line, "y"));
    for (const one of waiting) await expect(one).rejects.toMatchObject({ code: "CLOSED" });
  });
});
