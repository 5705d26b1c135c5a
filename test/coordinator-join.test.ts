import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { Coordinator, defineAgent } from "../src/index.ts";
import { connectSocket } from "../src/runtime/socket-client.ts";
import { aborted, eventsOf, gate, opened, rejection, silent } from "./coordinator.fixture.ts";

function newJournal(): string {
  const folder = mkdtempSync(join(tmpdir(), "safeguards-join-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return `sqlite:${join(folder, "crew.db")}`;
}

async function pair(): Promise<{ journal: string; writer: Coordinator; joined: Coordinator }> {
  const journal = newJournal();
  const writer = await opened({ journal });
  return { journal, writer, joined: await opened({ journal, join: true }) };
}

describe("a coordinator that joins", () => {
  it("submits, waits, asks and controls as the writer does", async () => {
    const { writer, joined } = await pair();
    const entered = gate();
    await writer.register(
      defineAgent({
        name: "worker",
        skills: ["work"],
        capacity: 9,
        run: async (task, { signal }) => {
          if (task.input === "bad") throw Object.assign(new RangeError("boom"), { retryable: false });
          if (task.input !== "slow") return { got: task.input };
          entered.resolve();
          throw await aborted(signal);
        },
      }),
    );
    const handle = await joined.submit({ id: "x", skills: ["work"], input: { n: 1 } });
    expect(await handle.result()).toEqual({ got: { n: 1 } });
    const here = await (await writer.task("x")).outcome();
    expect(await handle.outcome()).toEqual(here);
    expect(await handle.status()).toBe("completed");
    expect(await handle.explain()).toEqual(await writer.explain("x"));
    expect(await joined.tasks()).toEqual(await writer.tasks());
    expect(await joined.agents()).toEqual(await writer.agents());
    await joined.setResource("disk", { type: "storage", capacity: 2 });
    expect(await joined.resources()).toMatchObject([{ id: "disk", capacity: 2 }]);
    await joined.setBudget("team", { limit: "2.50" });
    expect(await joined.budgets()).toEqual(await writer.budgets());
    expect(await joined.budgets()).toMatchObject([{ id: "team", limit: "2.5", available: "2.5" }]);
    expect((await joined.stats()).tasks.completed).toBe(1);

    const [bad, slow] = await joined.submit([{ input: "bad" }, { input: "slow" }]);
    expect(await rejection(bad?.result() ?? Promise.resolve())).toMatchObject({
      code: "TASK_FAILED",
      cause: { name: "RangeError", message: "boom" },
    });
    await entered.promise;
    const waiting = slow?.result() ?? Promise.resolve();
    await slow?.cancel("enough");
    expect(await rejection(waiting)).toMatchObject({ code: "CANCELLED" });
    await joined.idle();
    expect(await joined.snapshot()).toEqual({ seq: (await writer.stats()).seq });
  });

  it("gets the writer's refusals as they are", async () => {
    const { joined } = await pair();
    expect(await rejection(joined.task("nobody"))).toMatchObject({ code: "UNKNOWN_TASK" });
    expect(await rejection(joined.submit({ agent: "nobody" }))).toMatchObject({ code: "UNKNOWN_AGENT" });
    expect(await rejection(joined.submit({ input: () => 1 } as never))).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("waits for many tasks at once, and for thousands of calls in their order", async () => {
    const { writer, joined } = await pair();
    const tasks = Array.from({ length: 2_000 }, (_, n) => joined.submit({ id: `n${n}`, input: n }));
    const handles = await Promise.all(tasks);
    const results = Promise.all(handles.map((handle) => handle.result()));
    await writer.register(defineAgent({ name: "worker", capacity: 50, run: (task) => task.input }));
    expect(await results).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
    expect((await joined.tasks()).map(({ id }) => id)).toEqual(Array.from({ length: 2_000 }, (_, n) => `n${n}`));
  });

  it("puts questions to the vote", async () => {
    const { writer, joined } = await pair();
    for (const name of ["a", "b"]) await writer.register(defineAgent({ name, vote: () => "yes" }));
    const decision = await joined.decide({ question: "?", options: ["yes", "no"] });
    expect(decision).toMatchObject({ decision: "yes", votes: { a: "yes", b: "yes" } });
    expect(await joined.ballots()).toMatchObject([{ ballotId: decision.ballotId, open: false }]);
    expect(await joined.recount(decision.ballotId)).toEqual({ ...decision, open: false });
  });

  it("reads the log, and follows it until it is told to stop or the writer closes", async () => {
    const { writer, joined } = await pair();
    await joined.submit({ id: "x" });
    expect(await eventsOf(joined)).toEqual(await eventsOf(writer));
    const controller = new AbortController();
    const seen: string[] = [];
    for await (const event of joined.events({ from: 2, follow: true, signal: controller.signal })) {
      seen.push(event.type);
      if (event.type === "task.submitted") controller.abort();
    }
    expect(seen).toEqual(["task.submitted"]);
    const following = gate();
    const reading = (async () => {
      for await (const event of joined.events({ follow: true }))
        if (event.type === "task.submitted") following.resolve();
    })();
    await following.promise;
    const waiting = (await joined.task("x")).result();
    await writer.close();
    await reading;
    expect(await rejection(waiting)).toMatchObject({ code: "CLOSED" });
    expect(await rejection(joined.tasks())).toMatchObject({ code: "CLOSED" });
  });

  it("goes on when another process has taken over", async () => {
    const { journal, writer, joined } = await pair();
    await joined.submit({ id: "x" });
    await writer.close();
    const second = await opened({ journal });
    await second.register(defineAgent({ name: "worker", run: () => "done" }));
    expect(await (await joined.task("x")).result()).toBe("done");
  });

  it("does not run agents, drain, or join what nobody writes", async () => {
    const { joined } = await pair();
    const agent = defineAgent({ name: "worker", run: () => null });
    expect(await rejection(joined.register(agent))).toMatchObject({
      code: "INVALID_STATE",
      message: /writes the journal/,
    });
    expect(await rejection(joined.unregister("worker"))).toMatchObject({ code: "INVALID_STATE" });
    expect(await rejection(joined.drain())).toMatchObject({ code: "INVALID_STATE" });
    expect(await rejection(Coordinator.open({ journal: newJournal(), join: true }))).toMatchObject({ code: "CLOSED" });
    expect(await rejection(Coordinator.open({ join: true }))).toMatchObject({ code: "INVALID_ARGUMENT" });
  });

  it("is closed by itself alone", async () => {
    const { writer, joined } = await pair();
    const waiting = (await joined.submit({ id: "x" })).result();
    await joined.close();
    expect(await rejection(waiting)).toMatchObject({ code: "CLOSED" });
    expect(await rejection(joined.tasks())).toMatchObject({ code: "CLOSED" });
    expect(await writer.tasks()).toHaveLength(1);
  });
});

describe("the writer", () => {
  it("does a command that is sent twice once", async () => {
    const { journal, writer } = await pair();
    const client = await connectSocket(`${journal.slice("sqlite:".length)}.sock`);
    const request = { do: "command", id: "c1", command: { type: "task.submit", tasks: [{ input: 1 }] } };
    const [first, again] = [await client.request(request), await client.request(request)];
    client.close();
    expect(again).toEqual(first);
    expect(await writer.tasks()).toHaveLength(1);
  });

  it("lets nobody speak for its attempts", async () => {
    const { journal, writer } = await pair();
    const entered = gate<number>();
    await writer.register(
      defineAgent({
        name: "worker",
        run: async (_, { signal, token }) => {
          entered.resolve(token);
          throw await aborted(signal);
        },
      }),
    );
    await writer.submit({ id: "x" });
    const from = { taskId: "x", token: await entered.promise };
    const client = await connectSocket(`${journal.slice("sqlite:".length)}.sock`);
    onTestFinished(() => client.close());
    for (const command of [
      { type: "task.submit", tasks: [{}], from },
      { type: "attempt.complete", output: "forged", ...from },
      { type: "agent.register", agent: { name: "worker", kind: "agent" } },
      { type: "coordinator.close" },
    ]) {
      const sent = client.request({ do: "command", id: "c1", command });
      expect(await rejection(sent)).toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    expect(await writer.tasks()).toMatchObject([{ id: "x", status: "running" }]);
  });

  it("survives whatever is sent to it", async () => {
    const { journal, writer } = await pair();
    const client = await connectSocket(`${journal.slice("sqlite:".length)}.sock`);
    const word = fc.constantFrom(
      ...["command", "query", "outcome", "decision", "events", "snapshot", "task.submit", "task.cancel", "task.pause"],
      ...[
        "task.prioritize",
        "team.set",
        "resource.set",
        "budget.set",
        "ballot.open",
        "ballot.reveal",
        "attempt.complete",
        "coordinator.close",
        "x",
      ],
    );
    const value = fc.oneof(word, fc.jsonValue({ maxDepth: 2 }));
    const command = fc.record(
      {
        ...{ type: word, taskId: value, tasks: fc.array(value), key: value, resource: value, kind: value },
        ...{ budget: value, limit: value, parent: value },
        ...{ capacity: value, ballotId: value, truth: value },
      },
      { requiredKeys: ["type"] },
    );
    const ballot = fc.record(
      {
        type: fc.constant("ballot.open"),
        question: value,
        options: value,
        voters: value,
        weights: value,
        threshold: value,
        tieBreak: value,
        quorum: value,
        method: value,
        deadlineMs: value,
      },
      { requiredKeys: ["type"] },
    );
    const request = fc.oneof(
      value,
      fc.record(
        { do: word, id: value, name: value, about: value, command: fc.oneof(command, ballot, value) },
        { requiredKeys: ["do"] },
      ),
      fc.record({ do: fc.constant("command"), id: fc.uuid(), command: fc.oneof(command, ballot) }),
    );
    await fc.assert(
      fc.asyncProperty(request, async (sent) => {
        await client.request(sent as never).catch(() => undefined);
      }),
      { numRuns: 500 },
    );
    client.close();
    await writer.submit({ id: "alive" });
    expect(await (await writer.task("alive")).status()).toBe("pending");
  });

  it("opens where a socket was left behind", async () => {
    const journal = newJournal();
    await (await Coordinator.open({ journal, logger: silent })).close();
    await opened({ journal });
    await (await opened({ journal, join: true })).tasks();
  });
});
