import { describe, expect, it } from "vitest";
import { Coordinator, defineAgent, defineManager, isSafeguardsError, type Money } from "../src/index.ts";
import { aborted, eventsOf, gate, MortalJournal, opened, rejection, silent } from "./coordinator.fixture.ts";

/** Spends what its input says, one after the other, and gives what it was refused. */
const spender = defineAgent<Money[]>({
  name: "spender",
  capacity: 1_000,
  run: async (task, { budget }) => {
    const refused: string[] = [];
    for (const amount of task.input) {
      await budget.spend(amount, "tokens").catch((error: unknown) => {
        if (!isSafeguardsError(error)) throw error;
        refused.push(error.code);
      });
    }
    return refused;
  },
});

describe("budgets", () => {
  it("are opened in whatever order they are named, and say how they stand", async () => {
    const coordinator = await opened({
      budgets: new Map([
        ["part", { limit: "1.50", parent: "all" }],
        ["all", { limit: 10 }],
      ]),
    });
    await coordinator.setBudget("other", { limit: 0.1 + 0.2 });
    expect(await coordinator.budgets()).toEqual([
      { id: "all", limit: "10", reserved: "0", spent: "0", overrun: "0", available: "10" },
      { id: "part", parent: "all", limit: "1.5", reserved: "0", spent: "0", overrun: "0", available: "1.5" },
      { id: "other", limit: "0.3", reserved: "0", spent: "0", overrun: "0", available: "0.3" },
    ]);
  });

  it("are spent within what was set aside, then of what is left, and refuse before anything is spent", async () => {
    const coordinator = await opened({ budgets: { team: { limit: 1 } } });
    await coordinator.register(spender);
    const handle = await coordinator.submit<string[]>({
      budget: "team",
      cost: "0.3",
      input: ["0.2", 0.5, "0.31", 0.3],
    });
    expect(await handle.result()).toEqual(["BUDGET_EXCEEDED"]);
    const outcome = await handle.outcome();
    expect([outcome.cost, outcome.attempts.map(({ cost }) => cost)]).toEqual(["1", ["1"]]);
    expect(await coordinator.tasks()).toMatchObject([{ cost: "1" }]);
    expect(await coordinator.budgets()).toMatchObject([{ spent: "1", reserved: "0", available: "0" }]);
    const told = (await eventsOf(coordinator)).filter(({ type }) => type === "budget.spent");
    expect(told.map(({ amount, what }) => [amount, what])).toEqual([
      ["0.2", "tokens"],
      ["0.5", "tokens"],
      ["0.3", "tokens"],
    ]);
  });

  it("hold up, and let go, those who wait for them", async () => {
    const coordinator = await opened({ budgets: { team: { limit: 1 } } });
    const hold = gate();
    await coordinator.register(
      defineAgent({
        name: "worker",
        capacity: 9,
        run: async (_, { budget }) => {
          await budget.spend("0.1");
          await hold.promise;
        },
      }),
    );
    const [first, second, third] = await coordinator.submit([
      { budget: "team", cost: "0.7" },
      { budget: "team", cost: "0.4" },
      { budget: "team", cost: "0.8" },
    ]);
    expect(await second?.explain()).toMatchObject({
      verdict: "waiting",
      reasons: [{ code: "budget", who: [first?.id] }],
    });
    await coordinator.setBudget("team", { limit: "1.2" });
    expect(await second?.status()).toBe("running");
    hold.resolve();
    await Promise.all([first?.result(), second?.result(), third?.result()]);
    expect(await coordinator.budgets()).toMatchObject([{ spent: "0.3" }]);
  });

  it("fail, for good, what costs more than they can ever give", async () => {
    const coordinator = await opened({ budgets: { team: { limit: 1 } } });
    let runs = 0;
    await coordinator.register(
      defineAgent({
        name: "worker",
        run: async (_, { budget }) => {
          runs += 1;
          await budget.spend(2);
        },
      }),
    );
    expect(await rejection(coordinator.submit({ budget: "team", cost: 2 }))).toMatchObject({ code: "BUDGET_EXCEEDED" });
    const tries = await coordinator.submit({ budget: "team" });
    expect(await rejection(tries.result())).toMatchObject({ code: "TASK_FAILED", cause: { code: "BUDGET_EXCEEDED" } });
    expect(runs).toBe(1);
    await coordinator.register(spender);
    await (await coordinator.submit({ agent: "spender", budget: "team", input: ["0.5"] })).result();
    const late = await coordinator.submit({ budget: "team", cost: 1 });
    expect(await rejection(late.result())).toMatchObject({ code: "BUDGET_EXCEEDED" });
    await coordinator.setBudget("team", { limit: 3 });
    await late.retry();
    await late.result();
    expect(runs).toBe(2);
  });

  it("are used up, and never passed, by a thousand who spend at once", async () => {
    const coordinator = await opened({ budgets: { all: { limit: "33.3" } }, concurrency: 1_000 });
    await coordinator.register(spender);
    const tasks = Array.from({ length: 1_000 }, () => ({ budget: "all", input: [0.1] }));
    const results = await Promise.all((await coordinator.submit<string[]>(tasks)).map((handle) => handle.result()));
    expect(results.filter((refused) => refused.length === 0)).toHaveLength(333);
    expect(await coordinator.budgets()).toMatchObject([{ spent: "33.3", reserved: "0", available: "0" }]);
  });

  it("let as many of a thousand tasks run as the estimates of all levels allow, and fail the rest", async () => {
    const coordinator = await opened({
      concurrency: 1_000,
      budgets: {
        all: { limit: "33.3" },
        wide: { limit: 100, parent: "all" },
        narrow: { limit: "10.05", parent: "all" },
      },
    });
    const hold = gate();
    await coordinator.register(
      defineAgent({
        name: "worker",
        capacity: 1_000,
        run: async (_, { budget }) => {
          await hold.promise;
          await budget.spend("0.1");
        },
      }),
    );
    const tasks = Array.from({ length: 1_000 }, (_, i) => ({ budget: i % 2 === 0 ? "narrow" : "wide", cost: 0.1 }));
    const handles = await coordinator.submit(tasks);
    expect(await coordinator.budgets()).toMatchObject([
      { id: "all", spent: "0", reserved: "33.3", available: "0" },
      { id: "wide", reserved: "23.3", available: "0" },
      { id: "narrow", reserved: "10", available: "0" },
    ]);
    hold.resolve();
    const outcomes = await Promise.all(handles.map((handle) => handle.outcome()));
    const failed = outcomes.filter(({ status }) => status === "failed");
    expect([outcomes.length - failed.length, failed.length]).toEqual([333, 667]);
    expect(new Set(failed.map(({ error }) => error?.code))).toEqual(new Set(["BUDGET_EXCEEDED"]));
    expect(await coordinator.budgets()).toMatchObject([
      { spent: "33.3", reserved: "0", overrun: "0" },
      { spent: "23.3", reserved: "0", overrun: "0" },
      { spent: "10", reserved: "0", overrun: "0" },
    ]);
  });

  it("are never passed by one attempt that spends many times at once, beside its subtasks", async () => {
    const coordinator = await opened({ budgets: { all: { limit: 8 }, part: { limit: "3.1", parent: "all" } } });
    const spendAll = async (budget: { spend(amount: Money): Promise<void> }, amount: Money): Promise<number> => {
      const spent = await Promise.allSettled(Array.from({ length: 200 }, () => budget.spend(amount)));
      return spent.filter(({ status }) => status === "fulfilled").length;
    };
    await coordinator.register(
      defineAgent<Money>({ name: "sub", capacity: 10, run: ({ input }, { budget }) => spendAll(budget, input) }),
    );
    await coordinator.register(
      defineAgent({
        name: "lead",
        skills: ["lead"],
        run: async (_, { budget, submit }) => {
          const subs = await Promise.all(
            ["0.07", "0.09"].map((input) => submit({ agent: "sub", input, budget: "part" })),
          );
          const own = await spendAll(budget, "0.0301");
          return [own, ...(await Promise.all(subs.map(async (sub) => Number(await sub.result()))))];
        },
      }),
    );
    const handle = await coordinator.submit<number[]>({ skills: ["lead"], budget: "all" });
    const [own = 0, seven = 0, nine = 0] = await handle.result();
    const [all, part] = await coordinator.budgets();
    const below = seven * 700 + nine * 900;
    expect(Number(part?.spent) * 10_000).toBeCloseTo(below, 6);
    expect(Number(all?.spent) * 10_000).toBeCloseTo(below + own * 301, 6);
    // Each was refused only what was not there.
    expect(Number(all?.available)).toBeLessThan(0.09);
    expect([all?.overrun, part?.overrun, all?.reserved]).toEqual(["0", "0", "0"]);
    expect((await handle.outcome()).cost).toBe(all?.spent);
  });

  it("take what was set aside for an attempt as spent when its process died, and forget nothing", async () => {
    const journal = new MortalJournal();
    const first = await Coordinator.open({ journal, logger: silent, budgets: { team: { limit: 10 } } });
    const entered = gate();
    const worker = defineAgent({
      name: "worker",
      run: async (task, { budget, signal }) => {
        if (task.input === "again") return;
        await budget.spend(1);
        entered.resolve();
        await aborted(signal);
      },
    });
    await first.register(worker);
    await first.submit({ id: "a", budget: "team", cost: 4, retry: { maxAttempts: 1 } });
    await entered.promise;
    const second = await opened({ journal: await journal.die() });
    await second.register(worker);
    expect((await (await second.task("a")).outcome()).attempts).toMatchObject([{ end: "lost", cost: "4" }]);
    expect(await second.budgets()).toMatchObject([{ spent: "4", reserved: "0", available: "6" }]);
    // Of an agent that has not run since, too.
    expect(await second.agents()).toMatchObject([{ name: "worker", cost: "4" }]);
    const ended = (await eventsOf(second)).find(({ type }) => type === "attempt.ended");
    expect(ended).toMatchObject({ assumed: "3" });
  });

  it("pay for all that a manager plans, and its outcome tells what all of that cost", async () => {
    const coordinator = await opened({ budgets: { all: { limit: 5 }, tools: { limit: 1, parent: "all" } } });
    await coordinator.register(spender);
    await coordinator.register(
      defineManager({
        name: "lead",
        skills: ["lead"],
        team: ["spender"],
        plan: async (_, { budget }) => {
          await budget.spend("0.25");
          return [
            { input: [1], cost: 1 },
            { input: ["0.5"], budget: "tools" },
          ];
        },
        aggregate: (_, outcomes) => outcomes.map(({ cost }) => cost),
      }),
    );
    const handle = await coordinator.submit({ skills: ["lead"], budget: "all" });
    expect(await handle.result()).toEqual(["1", "0.5"]);
    const { cost, attempts } = await handle.outcome();
    expect([cost, attempts.map((attempt) => attempt.cost)]).toEqual(["1.75", ["0.25", "0"]]);
    expect(await coordinator.budgets()).toMatchObject([{ spent: "1.75" }, { spent: "0.5" }]);
    const planned = await coordinator.submit({ skills: ["lead"], budget: "tools" });
    expect(await rejection(planned.result())).toMatchObject({ code: "TASK_FAILED" });
  });

  it("are asked by nobody whose attempt is over", async () => {
    const coordinator = await opened({ budgets: { team: { limit: 5 } } });
    let spend: ((amount: Money) => Promise<void>) | undefined;
    await coordinator.register(
      defineAgent({
        name: "worker",
        run: (_, { budget }) => {
          spend = budget.spend;
        },
      }),
    );
    await (await coordinator.submit({ budget: "team" })).result();
    expect(await rejection(spend?.(1) ?? Promise.resolve())).toMatchObject({ code: "FENCED" });
    expect(await coordinator.budgets()).toMatchObject([{ spent: "0" }]);
  });
});
