import { describe, expect, it } from "vitest";
import { type Coordinator, defineAgent, type Guardrail } from "../src/index.ts";
import { MemoryJournal } from "../src/journal/memory.ts";
import { eventsOf, gate, opened, rejection, silent } from "./coordinator.fixture.ts";

const disk = { disk: { type: "storage", capacity: 1 } } as const;

/** One agent that does not listen until it is let go, and one that does the rest. */
async function deafness(options: { strict?: boolean }): Promise<{
  coordinator: Coordinator;
  letGo: () => void;
  warnings: string[];
}> {
  const warnings: string[] = [];
  const logger = { ...silent, warn: (_: object, message = "") => warnings.push(message) };
  const coordinator = await opened({ resources: disk, logger, ...options });
  const held = gate();
  await coordinator.register(defineAgent({ name: "deaf", run: () => held.promise }));
  await coordinator.register(defineAgent({ name: "good", run: () => "fine" }));
  const deaf = await coordinator.submit({
    id: "deaf",
    agent: "deaf",
    resources: { disk: 1 },
    timeoutMs: 1,
    graceMs: 1,
    retry: { maxAttempts: 1 },
  });
  expect(await rejection(deaf.result())).toMatchObject({ code: "TIMEOUT" });
  return { coordinator, letGo: held.resolve, warnings };
}

describe("an agent that does not stop", () => {
  it("loses its resources by default, and a warning tells of it", async () => {
    const { coordinator, warnings } = await deafness({});
    const next = await coordinator.submit({ agent: "good", resources: { disk: 1 } });
    expect(await next.result()).toBe("fine");
    expect(warnings).toEqual([expect.stringMatching(/^agent "deaf" did not stop in time .* is discarded$/)]);
  });

  it("keeps nothing once its code has ended, though guardrails still look at its output", async () => {
    const verdict = gate<{ readonly allow: true }>();
    const slow: Guardrail = {
      name: "slow",
      on: "output",
      check: ({ agent }) => (agent === "quick" ? verdict.promise : { allow: true }),
    };
    const coordinator = await opened({ resources: disk, strict: true, guardrails: [slow] });
    await coordinator.register(defineAgent({ name: "quick", run: () => null }));
    await coordinator.register(defineAgent({ name: "good", run: () => "fine" }));
    const limits = { timeoutMs: 1, graceMs: 1, retry: { maxAttempts: 1 } };
    const late = await coordinator.submit({ id: "late", agent: "quick", resources: { disk: 1 }, ...limits });
    expect(await rejection(late.result())).toMatchObject({ code: "TIMEOUT" });
    const next = await coordinator.submit({ agent: "good", resources: { disk: 1 } });
    verdict.resolve({ allow: true });
    expect(await next.result()).toBe("fine");
    await coordinator.idle();
  });

  it("keeps them under strict until it really ends, and its slot and room are free meanwhile", async () => {
    const { coordinator, letGo, warnings } = await deafness({ strict: true });
    const next = await coordinator.submit({ id: "next", agent: "good", resources: { disk: 1 } });
    const other = await coordinator.submit({ agent: "good" });
    expect(await other.result()).toBe("fine");
    expect((await next.explain()).text).toContain("kept by an abandoned attempt at deaf");
    expect(await coordinator.resources()).toMatchObject([{ allocated: 1, holders: [{ holder: "deaf" }] }]);
    expect(warnings).toEqual([expect.stringContaining("its resources stay taken until it has ended")]);
    letGo();
    expect(await next.result()).toBe("fine");
    expect((await eventsOf(coordinator)).map(({ type }) => type)).toContain("attempt.gone");
  });
});

describe("a resource with a breaker", () => {
  it("is given to nobody when its holders keep failing, which is why what needs it waits", async () => {
    const coordinator = await opened({
      resources: { api: { type: "api_call", capacity: 5, breaker: { failureThreshold: 2, resetMs: 60_000 } } },
    });
    await coordinator.register(
      defineAgent({
        name: "caller",
        run: (task) => {
          if (task.input === "api") throw new Error("503");
          return "fine";
        },
      }),
    );
    const failing = { input: "api", resources: { api: 1 }, retry: { maxAttempts: 1 } } as const;
    for (const handle of await coordinator.submit([failing, failing])) await rejection(handle.result());
    const waits = await coordinator.submit({ resources: { api: 1 } });
    expect((await waits.explain()).reasons).toMatchObject([{ code: "breaker", who: ["api"] }]);
    expect(await coordinator.resources()).toMatchObject([{ id: "api", breaker: "open", allocated: 0 }]);
    expect(await (await coordinator.submit({})).result()).toBe("fine");
    await coordinator.setResource("api", { type: "api_call", capacity: 1 });
    expect(await coordinator.resources()).toMatchObject([{ id: "api", breaker: "open", capacity: 1 }]);
    expect((await waits.explain()).reasons).toMatchObject([{ code: "breaker", who: ["api"] }]);
    await coordinator.setResource("api", { type: "api_call", capacity: 1, breaker: null });
    expect(await waits.result()).toBe("fine");
  });

  it("keeps its breaker, open as it is, when its journal is opened with other resources that say nothing of one", async () => {
    const journal = new MemoryJournal();
    const api = { type: "api_call", capacity: 5 } as const;
    const first = await opened({ journal, resources: { api: { ...api, breaker: { failureThreshold: 1 } } } });
    await first.register(
      defineAgent({
        name: "caller",
        run: () => {
          throw new Error("503");
        },
      }),
    );
    await rejection((await first.submit({ resources: { api: 1 }, retry: { maxAttempts: 1 } })).result());
    await first.close();
    const second = await opened({ journal, resources: { api: { ...api, capacity: 3 } } });
    expect(await second.resources()).toMatchObject([{ id: "api", breaker: "open", capacity: 3 }]);
    await second.close();
    const third = await opened({ journal, resources: { api: { ...api, breaker: null } } });
    expect((await third.resources())[0]?.breaker).toBeUndefined();
  });
});
