import { describe, expect, it } from "vitest";
import { Coordinator, defineAgent } from "../src/index.ts";
import { opened, rejection } from "./coordinator.fixture.ts";

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await rejection(promise);
  expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
  return String(Reflect.get(Object(error), "message"));
}

describe("options", () => {
  it.each([
    ["an unknown one", { concurency: 4 }, /unknown key "concurency"; allowed: .*concurrency/],
    ["a budget with an unknown key", { budgets: { b: { limit: 1, max: 2 } } }, /unknown key "max"/],
    ["a budget without a limit", { budgets: { b: {} } }, /the limit of b is undefined/],
    [
      "budgets that go round",
      { budgets: { a: { limit: 1, parent: "b" }, b: { limit: 1, parent: "a" } } },
      /budgets is \["a", "b"\]/,
    ],
    ["more kept tasks than there may be", { keepFinished: { count: 1e9 } }, /keepFinished.count is 1000000000/],
    ["a negative time to keep tasks", { keepFinished: { ms: -1 } }, /keepFinished.ms is -1/],
    ["an unknown way to keep tasks", { keepFinished: { days: 1 } }, /unknown key "days"/],
    ["a wrong strict", { strict: 1 }, /strict is 1/],
    ["a wrong concurrency", { concurrency: 1.5 }, /concurrency is 1.5/],
    ["a wrong aging", { agingMs: Number.NaN }, /agingMs is NaN/],
    ["a journal of another kind", { journal: "file:x" }, /file:x/],
    ["a journal that is none", { journal: {} }, /journal/],
    ["a logger that is none", { logger: { warn: () => undefined } }, /debug of the logger/],
    [
      "a resource with an unknown key",
      { resources: { r: { type: "data", capacity: 1, size: 2 } } },
      /unknown key "size"/,
    ],
    ["settings of a coordinator that joins", { join: true, concurrency: 2 }, /"concurrency".*no effect/],
  ])("of a coordinator refuse %s", async (_, options, message) => {
    expect(await refusal(Coordinator.open(options as never))).toMatch(message);
  });

  it.each([
    ["an unknown key", { prio: 1 }, /unknown key "prio"/],
    ["a wrong priority", { priority: 1.5 }, /priority is 1.5/],
    ["a wrong load", { load: 0 }, /load is 0/],
    ["a wrong id", { id: "a/b" }, /"a\/b"/],
    ["skills that are no list", { skills: "x" }, /skills/],
    ["a dependency that is none", { dependsOn: [7] }, /dependency/],
    ["dependencies that are no list", { dependsOn: "x" }, /dependsOn/],
    ["a retry with an unknown key", { retry: { times: 3 } }, /unknown key "times"/],
    ["a retry that is none", { retry: 3 }, /retry/],
    ["a wrong timeout", { timeoutMs: -1 }, /timeoutMs is -1/],
    ["resources that are none", { resources: [1] }, /resources/],
    ["no task at all", null, /task/],
    [
      "getters that throw",
      {
        get input() {
          throw new Error("boo");
        },
      },
      /could not be read/,
    ],
  ])("of a task refuse %s", async (_, task, message) => {
    const coordinator = await opened();
    expect(await refusal(coordinator.submit(task as never))).toMatch(message);
    expect(await refusal(coordinator.submit([{}, task] as never))).toMatch(message);
  });

  it("of calls refuse unknown keys", async () => {
    const coordinator = await opened();
    const handle = await coordinator.submit({ skills: ["none"] });
    const calls = [
      coordinator.submit({}, { idempotencyKey: "k" } as never),
      coordinator.tasks({ state: "failed" } as never),
      coordinator.tasks({ limit: 0 }),
      coordinator.setResource("r", { kind: "data", capacity: 1 } as never),
      coordinator.setResource("a/b", { type: "data", capacity: 1 }),
      handle.result({ timeoutMs: 5 } as never),
      handle.outcome({ signal: "now" } as never),
      coordinator.task(7 as never),
      coordinator.setTeam("m", "x" as never),
    ];
    for (const call of calls) await refusal(call);
  });

  it("of what a context does refuse what is not there yet, each by name", async () => {
    const coordinator = await opened();
    await coordinator.register(
      defineAgent({
        name: "worker",
        run: async (_, ctx) => {
          const calls: (() => unknown)[] = [
            () => ctx.budget.spend(-1),
            () => ctx.send("a/b", 1),
            () => ctx.publish("", 1),
            () => ctx.publish("t", (() => 1) as never),
            () => ctx.messages({ from: "ann" } as never),
            () => ctx.messages({ topic: "" }),
            () => ctx.messages({ timeoutMs: -1 }),
            () => ctx.state.get(""),
            () => ctx.state.set("k", new Map() as never),
            () => ctx.state.delete("k", 0.5),
            () => ctx.cache("", 1, async () => 1),
            () => ctx.request({ r: 1 }, { forever: true } as never),
            () => ctx.progress(2),
          ];
          const codes: string[] = [];
          for (const call of calls) {
            const error = await rejection(Promise.resolve().then(call));
            codes.push(`${Reflect.get(Object(error), "code")} ${Reflect.get(Object(error), "message")}`);
          }
          return codes;
        },
      }),
    );
    const codes = await (await coordinator.submit<string[]>({})).result();
    expect(codes).toHaveLength(13);
    for (const code of codes) expect(code).toMatch(/^INVALID_ARGUMENT/);
    expect(codes[0]).toMatch(/amount is -1; it must be a decimal/);
  });
});
