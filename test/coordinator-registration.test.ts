import { describe, expect, it } from "vitest";
import { defineAgent, defineManager } from "../src/index.ts";
import { gate, MortalJournal, opened, rejection } from "./coordinator.fixture.ts";

const manager = (name: string, team: string[]) => defineManager({ name, team, plan: () => [] });

describe("register", () => {
  it("need not be awaited", async () => {
    const coordinator = await opened();
    coordinator.register(defineAgent({ name: "worker", run: () => 1 }));
    expect(await (await coordinator.submit({ agent: "worker" })).result()).toBe(1);
  });

  it("makes the next call fail with its refusal as the cause, once, when nobody looked", async () => {
    const coordinator = await opened();
    coordinator.register(manager("a", ["b"]));
    coordinator.register(manager("b", ["a"]));
    coordinator.register(manager("c", []));
    const error = await rejection(coordinator.submit({ id: "x" }));
    expect(error).toMatchObject({ code: "TEAM_CYCLE", cause: { code: "TEAM_CYCLE" } });
    expect(await coordinator.tasks()).toEqual([]);
    expect((await coordinator.agents()).map(({ name }) => name)).toEqual(["a", "c"]);
  });

  it("does so too for what is no agent at all, and while the journal is slow", async () => {
    const journal = new MortalJournal();
    const coordinator = await opened({ journal });
    const held = gate();
    journal.slow = held.promise;
    coordinator.register({ name: "fake" });
    expect(await rejection(coordinator.stats())).toMatchObject({
      code: "INVALID_ARGUMENT",
      cause: { message: /fake/ },
    });
    coordinator.register(manager("a", ["b"]));
    coordinator.register(manager("b", ["a"]));
    const refused = rejection(coordinator.idle());
    held.resolve();
    expect(await refused).toMatchObject({ code: "TEAM_CYCLE" });
    await coordinator.idle();
  });

  it("tells its refusal to who awaits it, and to nobody else", async () => {
    const coordinator = await opened();
    await expect(coordinator.register(manager("a", ["a"]))).rejects.toMatchObject({ code: "TEAM_CYCLE" });
    const both = Promise.all([coordinator.register(manager("a", ["a"])), coordinator.submit({ id: "x" })]);
    expect(await rejection(both)).toMatchObject({ code: "TEAM_CYCLE" });
    expect(await coordinator.tasks()).toMatchObject([{ id: "x" }]);
  });

  it("binds a name anew, with other skills and other code", async () => {
    const coordinator = await opened();
    await coordinator.register(defineAgent({ name: "worker", skills: ["old"], run: () => "old" }));
    await coordinator.register(defineAgent({ name: "worker", skills: { new: 0.5 }, capacity: 3, run: () => "new" }));
    expect(await coordinator.agents()).toMatchObject([{ name: "worker", skills: { new: 0.5 }, capacity: 3 }]);
    expect(await (await coordinator.submit({ skills: ["new"] })).result()).toBe("new");
  });

  it("takes any name, such as __proto__", async () => {
    const coordinator = await opened();
    await coordinator.register(defineAgent({ name: "__proto__", skills: ["constructor"], run: () => "fine" }));
    const handle = await coordinator.submit({ id: "__proto__", skills: ["constructor"] });
    expect(await handle.result()).toBe("fine");
    await coordinator.register(
      defineAgent({ name: "reader", skills: ["read"], run: (_, { dependencies }) => Object.keys(dependencies) }),
    );
    const reader = await coordinator.submit({ skills: ["read"], dependsOn: ["__proto__"] });
    expect(await reader.result()).toEqual(["__proto__"]);
  });
});

describe("unregister", () => {
  it("gives an agent nothing more, and lets it end what it has", async () => {
    const coordinator = await opened();
    const entered = gate();
    const leave = gate();
    await coordinator.register(
      defineAgent({
        name: "worker",
        capacity: 2,
        run: async () => {
          entered.resolve();
          await leave.promise;
          return "ended";
        },
      }),
    );
    const running = await coordinator.submit({});
    await entered.promise;
    await coordinator.unregister("worker");
    const waiting = await coordinator.submit({ agent: "worker" });
    leave.resolve();
    expect(await running.result()).toBe("ended");
    await coordinator.idle();
    expect(await waiting.explain()).toMatchObject({ verdict: "waiting", reasons: [{ code: "offline" }] });
    await expect(coordinator.unregister("nobody")).rejects.toMatchObject({ code: "UNKNOWN_AGENT" });
  });
});
