/** What agents and tasks share: data by `ctx.cache`, outputs by `cacheKey`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { defineAgent, defineManager } from "../src/index.ts";
import { aborted, eventsOf, gate, opened, rejection } from "./coordinator.fixture.ts";

describe("ctx.cache", () => {
  it("refuses a load that asks for its own key at once, also from within what it calls", async () => {
    const coordinator = await opened();
    const run = defineAgent<null, number>({
      name: "ann",
      run: (_, { cache }) => {
        const page = async (): Promise<number> => cache("page", 1_000, async () => (await title()) + 1);
        const title = async (): Promise<number> => cache("title", 1_000, page);
        return page();
      },
    });
    await coordinator.register(run);
    const handle = await coordinator.submit({ timeoutMs: 60_000 });
    const outcome = await handle.outcome();
    expect(outcome.attempts).toHaveLength(1);
    expect(outcome.error).toMatchObject({
      code: "TASK_FAILED",
      details: { cause: { code: "WOULD_DEADLOCK", details: { cycle: ["title", "page"] } } },
    });
  });

  it.each(["itself", "through a subtask of its own"])(
    "refuses a load that awaits a subtask which asks for its key at once: %s",
    async (how) => {
      const coordinator = await opened();
      await coordinator.register(
        defineAgent<string, number>({
          name: "ann",
          capacity: 9,
          run: (task, ctx) => {
            if (task.input === "asks") return ctx.cache("page", 1_000, async () => 1);
            const below = async (input: string) => (await (await ctx.submit({ input })).result()) as number;
            if (task.input === "passes on") return below("asks");
            return ctx.cache("page", 1_000, () => below(how === "itself" ? "asks" : "passes on"));
          },
        }),
      );
      const handle = await coordinator.submit({ input: "loads", retry: { maxAttempts: 1 } });
      const outcome = await handle.outcome();
      expect(outcome.status).toBe("failed");
      const failures = (await eventsOf(coordinator)).filter(({ type }) => type === "attempt.ended");
      expect(failures[0]).toMatchObject({ error: { code: "WOULD_DEADLOCK" } });
    },
  );

  it("lets a load await a subtask with a cacheKey that waits for its turn", async () => {
    const coordinator = await opened({ concurrency: 1 });
    await coordinator.register(
      defineAgent<string, number>({
        name: "ann",
        run: ({ input }, ctx) => {
          if (input === "page") return 7;
          const below = async (): Promise<number> =>
            (await (await ctx.submit({ input: "page", cacheKey: "page" })).result()) as number;
          return ctx.cache("page", 1_000, below);
        },
      }),
    );
    const handle = await coordinator.submit({ input: "loads", retry: { maxAttempts: 1 } });
    expect(await handle.outcome()).toMatchObject({ status: "completed", output: 7 });
  });

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

const page = { cacheKey: "page" } as const;

describe("cacheKey", () => {
  it("runs what is asked for several times once, and says who was answered", async () => {
    const coordinator = await opened();
    let runs = 0;
    await coordinator.register(defineAgent({ name: "ann", capacity: 9, run: () => ({ runs: ++runs }) }));
    const handles = await coordinator.submit([page, page, page]);
    const outcomes = await Promise.all(handles.map((handle) => handle.outcome()));
    expect(outcomes.map(({ via }) => via)).toEqual(["agent", "cache", "cache"]);
    expect(outcomes.map(({ output }) => output)).toEqual([{ runs: 1 }, { runs: 1 }, { runs: 1 }]);
    expect(outcomes[1]).toMatchObject({ status: "completed", attempts: [], cost: "0" });
    const later = await coordinator.submit(page);
    expect(await later.result()).toEqual({ runs: 1 });
    expect((await later.explain()).text).toMatch(/^completed with the output of t1/);
  });

  it("answers a plan's subtasks too, and those of another manager's of the same team are apart", async () => {
    const coordinator = await opened();
    const seen: string[] = [];
    await coordinator.register(
      defineAgent<string, string>({
        name: "ann",
        capacity: 9,
        skills: ["read"],
        run: (task) => {
          seen.push(task.id);
          return "read";
        },
      }),
    );
    for (const name of ["m1", "m2"]) {
      const plan = () => ["a", "b"].map((id) => ({ id, skills: ["read"], ...page }));
      await coordinator.register(
        defineManager({ name, team: ["ann"], plan, aggregate: (_, outcomes) => outcomes.map(({ via }) => via ?? "") }),
      );
    }
    const handles = await coordinator.submit([
      { id: "x", agent: "m1" },
      { id: "y", agent: "m2" },
    ]);
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([
      ["agent", "cache"],
      ["agent", "cache"],
    ]);
    expect(seen.toSorted()).toEqual(["x/a", "y/a"]);
  });

  it("still answers when its journal is opened again", async () => {
    const folder = mkdtempSync(join(tmpdir(), "safeguards-cache-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const journal = `sqlite:${join(folder, "journal.db")}`;
    const first = await opened({ journal });
    await first.register(defineAgent({ name: "ann", run: () => "once" }));
    await (await first.submit(page)).result();
    await first.close();
    const second = await opened({ journal });
    const outcome = await (await second.submit(page)).outcome();
    expect(outcome).toMatchObject({ via: "cache", output: "once" });
    expect((await (await second.task("t1")).outcome()).via).toBe("agent");
  });

  it("lets each of the others run for itself when the first fails", async () => {
    const coordinator = await opened();
    await coordinator.register(
      defineAgent({
        name: "ann",
        run: (task) => {
          if (task.id === "a") throw new Error("no");
          return task.id;
        },
      }),
    );
    const retry = { maxAttempts: 1 };
    const [a, b, c] = await coordinator.submit([
      { id: "a", ...page, retry },
      { id: "b", ...page },
      { id: "c", ...page },
    ]);
    expect(await rejection(a?.result() ?? Promise.resolve())).toMatchObject({ code: "TASK_FAILED" });
    expect([await b?.result(), await c?.result()]).toEqual(["b", "c"]);
  });

  it("has guardrails on outputs look at what answers a task, and runs what they block", async () => {
    const seen: string[] = [];
    const coordinator = await opened({
      guardrails: [
        {
          name: "names",
          on: "output",
          check: ({ task, value }) => {
            seen.push(`${task.id}: ${value}`);
            if (task.id === "strict" && value === "a") return { allow: false, reason: "not for this one" };
            return task.id === "changed" ? { allow: true, value: "mild" } : { allow: true };
          },
        },
      ],
    });
    await coordinator.register(defineAgent({ name: "ann", capacity: 9, run: (task) => task.id }));
    await (await coordinator.submit({ id: "a", ...page })).result();
    const handles = await coordinator.submit(["plain", "changed", "strict"].map((id) => ({ id, ...page })));
    const outcomes = await Promise.all(handles.map((handle) => handle.outcome()));
    expect(outcomes.map(({ output, via }) => `${output} ${via}`)).toEqual(["a cache", "mild cache", "strict agent"]);
    expect(seen.toSorted()).toEqual(["a: a", "changed: a", "plain: a", "strict: a", "strict: strict"]);
    await coordinator.idle();
  });
});
