import { describe, expect, it } from "vitest";
import { type Allocation, defineAgent } from "../src/index.ts";
import { gate, opened, rejection } from "./coordinator.fixture.ts";

const disk = { disk: { type: "storage", capacity: 3 } } as const;

describe("resources", () => {
  it("are held while a task runs, and never given out twice", async () => {
    const coordinator = await opened({ resources: disk });
    let inUse = 0;
    let most = 0;
    await coordinator.register(
      defineAgent({
        name: "worker",
        capacity: 100,
        run: async () => {
          inUse += 2;
          most = Math.max(most, inUse);
          await new Promise((resolve) => setTimeout(resolve, 1));
          inUse -= 2;
        },
      }),
    );
    const tasks = Array.from({ length: 10 }, () => ({ resources: new Map([["disk", 2]]) }));
    await Promise.all((await coordinator.submit(tasks)).map((handle) => handle.result()));
    expect(most).toBe(2);
    expect(await coordinator.resources()).toMatchObject([{ id: "disk", allocated: 0, available: 3 }]);
  });

  it("are granted to a running attempt at once, or refused", async () => {
    const coordinator = await opened({ resources: disk });
    let granted: Allocation | undefined;
    await coordinator.register(
      defineAgent({
        name: "worker",
        run: async (_, { request, release }) => {
          granted = await request({ disk: 2 });
          const held = (await coordinator.resources())[0]?.allocated ?? null;
          const refused = await rejection(request({ disk: 2 }));
          await release(granted);
          const again = await rejection(release(granted));
          return [held, Reflect.get(Object(refused), "code"), Reflect.get(Object(again), "code")];
        },
      }),
    );
    const handle = await coordinator.submit({ id: "x" });
    expect(await handle.result()).toEqual([2, "CAPACITY_EXCEEDED", "FENCED"]);
    expect(granted).toMatchObject({ holder: "x", amounts: { disk: 2 }, token: expect.any(Number) });
  });

  it("are waited for when asked so, and given back when the attempt ends", async () => {
    const coordinator = await opened({ resources: disk });
    const first = gate();
    const holding = gate();
    await coordinator.register(
      defineAgent({
        name: "worker",
        capacity: 2,
        run: async (task, { request }) => {
          const allocation = await request({ disk: 3 }, { wait: true });
          if (task.id === "first") {
            holding.resolve();
            await first.promise;
          }
          return { ...allocation.amounts };
        },
      }),
    );
    await coordinator.submit({ id: "first" });
    await holding.promise;
    const second = await coordinator.submit({ id: "second" });
    while ((await coordinator.resources())[0]?.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await second.status()).toBe("running");
    first.resolve();
    expect(await second.result()).toEqual({ disk: 3 });
    await coordinator.idle();
    expect(await coordinator.resources()).toMatchObject([{ allocated: 0 }]);
  });

  it("are taken back when a lease has run out, and go to who waits", async () => {
    const coordinator = await opened({ resources: disk });
    const got = gate();
    const holding = gate();
    await coordinator.register(
      defineAgent({
        name: "worker",
        capacity: 2,
        run: async (task, { request, release }) => {
          if (task.id === "waiter") {
            await request({ disk: 3 }, { wait: true });
            got.resolve();
            return null;
          }
          const allocation = await request({ disk: 3 }, { leaseMs: 20 });
          holding.resolve();
          await got.promise;
          return Reflect.get(Object(await rejection(release(allocation))), "code");
        },
      }),
    );
    const holder = await coordinator.submit({ id: "holder" });
    await holding.promise;
    await coordinator.submit({ id: "waiter" });
    expect(await holder.result()).toBe("FENCED");
  });

  it("can be changed, and a request that can never be met is refused", async () => {
    const coordinator = await opened({ resources: disk });
    const refused = gate<unknown>();
    const holding = gate();
    await coordinator.register(
      defineAgent({
        name: "worker",
        capacity: 2,
        run: async (task, { request }) => {
          if (task.id === "holder") {
            await request({ disk: 2 });
            holding.resolve();
            await refused.promise;
          } else {
            refused.resolve(await rejection(request({ disk: 3 }, { wait: true })));
          }
        },
      }),
    );
    await coordinator.submit({ id: "holder" });
    await holding.promise;
    await coordinator.submit({ id: "waiter" });
    while ((await coordinator.resources())[0]?.waiting === 0) await new Promise((resolve) => setImmediate(resolve));
    await coordinator.setResource("disk", { type: "storage", capacity: 2 });
    expect(await refused.promise).toMatchObject({ code: "CAPACITY_EXCEEDED" });
    await expect(coordinator.submit({ resources: { disk: 3 } })).rejects.toMatchObject({ code: "CAPACITY_EXCEEDED" });
    await expect(coordinator.submit({ resources: { tape: 1 } })).rejects.toMatchObject({ code: "UNKNOWN_RESOURCE" });
  });
});
