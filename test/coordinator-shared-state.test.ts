import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AgentContext, type Coordinator, defineAgent, isSafeguardsError } from "../src/index.ts";
import { MortalJournal, opened, rejection } from "./coordinator.fixture.ts";

async function register(
  coordinator: Coordinator,
  name: string,
  run: (ctx: AgentContext) => Promise<unknown>,
): Promise<void> {
  await coordinator.register(
    defineAgent({ name, capacity: 99, run: async (_, ctx) => ((await run(ctx)) ?? null) as never }),
  );
}

async function run(coordinator: Coordinator, agent: string): Promise<unknown> {
  return (await coordinator.submit({ agent, retry: { maxAttempts: 1 } })).result();
}

/** Adds one, however often others were there before; how often that was. */
async function increment({ state }: AgentContext): Promise<number> {
  for (let collisions = 0; ; collisions++) {
    const { value, version } = (await state.get("n")) ?? { value: 0, version: 0 };
    try {
      await state.set("n", Number(value) + 1, version);
      return collisions;
    } catch (error) {
      if (!isSafeguardsError(error, "INVALID_STATE")) throw error;
    }
  }
}

describe("the shared state", () => {
  it("counts every success once, however attempts come between one another", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 8 }),
        async (times, concurrency) => {
          const coordinator = await opened({ concurrency });
          for (const [i, count] of times.entries())
            await register(coordinator, `a${i}`, async (ctx) => {
              for (let n = 0; n < count; n++) await increment(ctx);
            });
          await Promise.all(times.map((_, i) => run(coordinator, `a${i}`)));
          await register(coordinator, "reader", async ({ state }) => (await state.get("n"))?.value);
          expect(await run(coordinator, "reader")).toBe(times.reduce((sum, n) => sum + n, 0));
          await coordinator.close();
        },
      ),
      { numRuns: 20 },
    );
  });

  it("lets one of a hundred that saw the same version set it, and all of them in turn", async () => {
    const coordinator = await opened({ concurrency: 100 });
    const all = Promise.withResolvers<void>();
    let ready = 0;
    await coordinator.register(
      defineAgent({
        name: "racer",
        capacity: 100,
        run: async ({ id }, ctx) => {
          const { version } = (await ctx.state.get("first")) ?? { version: 0 };
          ready += 1;
          if (ready === 100) all.resolve();
          await all.promise;
          const won = await ctx.state.set("first", id, version).then(
            () => true,
            (error: unknown) => !isSafeguardsError(error, "INVALID_STATE"),
          );
          await increment(ctx);
          return won;
        },
      }),
    );
    const handles = await coordinator.submit(Array.from({ length: 100 }, () => ({ agent: "racer" })));
    const winners = (await Promise.all(handles.map((handle) => handle.result()))).filter((won) => won === true);
    expect(winners).toHaveLength(1);
    await register(coordinator, "reader", async ({ state }) => state.get("n"));
    expect(await run(coordinator, "reader")).toEqual({ value: 100, version: 100 });
  });

  it("refuses an expected version that is not the present one, and tells that one", async () => {
    const coordinator = await opened();
    await register(coordinator, "ann", async ({ state }) => {
      expect(await state.set("k", 1, 0)).toBe(1);
      expect(await state.set("k", 2)).toBe(2);
      return Reflect.get(Object(await rejection(state.set("k", 3, 1))), "details");
    });
    expect(await run(coordinator, "ann")).toEqual({ key: "k", version: 2, expectedVersion: 1 });
  });

  it("gives copies, and undefined for what is not there or was removed", async () => {
    const coordinator = await opened();
    await register(coordinator, "ann", async ({ state }) => {
      await state.set("__proto__", { list: [1] });
      Object.assign(Object((await state.get("__proto__"))?.value), { list: 2 });
      const kept = (await state.get("__proto__"))?.value;
      await state.delete("__proto__", 1);
      return [kept, (await state.get("__proto__")) === undefined, await state.set("__proto__", 1)];
    });
    expect(await run(coordinator, "ann")).toEqual([{ list: [1] }, true, 2]);
  });

  it("of agent/NAME/ is written by NAME and read by all", async () => {
    const coordinator = await opened();
    await register(coordinator, "ann", ({ state }) => state.set("agent/ann/mood", "good"));
    await register(coordinator, "bob", async ({ state }) => {
      const refused = await rejection(state.set("agent/ann/mood", "bad"));
      return [Reflect.get(Object(refused), "code"), (await state.get("agent/ann/mood"))?.value];
    });
    await run(coordinator, "ann");
    expect(await run(coordinator, "bob")).toEqual(["UNAUTHORIZED", "good"]);
  });

  it("is out of reach of an attempt that is over", async () => {
    const coordinator = await opened();
    let late: AgentContext | undefined;
    await register(coordinator, "ann", async (ctx) => {
      late = ctx;
    });
    await run(coordinator, "ann");
    for (const call of [late?.state.get("k"), late?.state.set("k", 1), late?.send("ann", 1), late?.publish("t", 1)])
      expect(await rejection(Promise.resolve(call))).toMatchObject({ code: "FENCED" });
  });

  it("shows nothing that is not durable", async () => {
    const journal = new MortalJournal();
    const coordinator = await opened({ journal });
    const durable = Promise.withResolvers<void>();
    const seen: string[] = [];
    await register(coordinator, "ann", async ({ state }) => {
      journal.slow = durable.promise;
      const setting = state.set("k", 1).then(() => seen.push("set"));
      const getting = state.get("k").then((found) => seen.push(`got ${found?.version}`));
      seen.push("landed");
      durable.resolve();
      journal.slow = undefined;
      await Promise.all([setting, getting]);
    });
    await run(coordinator, "ann");
    expect(seen).toEqual(["landed", "set", "got 1"]);
  });
});
