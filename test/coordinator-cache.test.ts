/** What agents and tasks share: data by `ctx.cache`. */
import { describe, expect, it } from "vitest";
import { defineAgent } from "../src/index.ts";
import { aborted, gate, opened, rejection } from "./coordinator.fixture.ts";

describe("ctx.cache", () => {
  it("loads once for all agents, and gives each a copy", async () => {
    const coordinator = await opened();
    let loads = 0;
    for (const name of ["ann", "bob"]) {
      const run = defineAgent<null, number[]>({
        name,
        run: async (_, { cache }) => {
          const list = await cache("numbers", 60_000, async () => [++loads]);
          list.push(9);
          return list;
        },
      });
      await coordinator.register(run);
    }
    const handles = await coordinator.submit<number[]>([{ agent: "ann" }, { agent: "bob" }]);
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([
      [1, 9],
      [1, 9],
    ]);
    const later = await coordinator.submit<number[]>({ agent: "bob" });
    expect(await later.result()).toEqual([1, 9]);
    expect(loads).toBe(1);
  });

  it("goes on for others when the attempt that loads is cancelled", async () => {
    const coordinator = await opened();
    const began = gate();
    const joined = gate();
    await coordinator.register(
      defineAgent<string, string>({
        name: "ann",
        capacity: 2,
        run: async (task, { cache, signal }) => {
          const load = async (): Promise<string> => {
            if (task.input === "second") return "loaded by the second";
            began.resolve();
            await aborted(signal);
            throw new Error("stopped");
          };
          const loaded = cache("page", 1_000, load);
          if (task.input === "second") joined.resolve();
          return loaded;
        },
      }),
    );
    const first = await coordinator.submit<string>({ input: "first" });
    await began.promise;
    const second = await coordinator.submit<string>({ input: "second" });
    await joined.promise;
    await first.cancel();
    expect(await second.result()).toBe("loaded by the second");
    expect(await rejection(first.result())).toMatchObject({ code: "CANCELLED" });
  });

  it("is FENCED once the attempt is over", async () => {
    const coordinator = await opened();
    const later = gate<() => Promise<unknown>>();
    await coordinator.register(
      defineAgent({
        name: "ann",
        run: (_, { cache }) => later.resolve(() => cache("k", 1, async () => 1)),
      }),
    );
    await (await coordinator.submit({})).result();
    expect(await rejection((await later.promise)())).toMatchObject({ code: "FENCED" });
  });
});
