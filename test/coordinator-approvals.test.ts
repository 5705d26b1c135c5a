import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Coordinator, defineAgent, defineManager, type Voter } from "../src/index.ts";
import { eventsOf, historyOf, opened, rejection } from "./coordinator.fixture.ts";

function newJournal(): string {
  const folder = mkdtempSync(join(tmpdir(), "safeguards-approvals-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return `sqlite:${join(folder, "crew.db")}`;
}

const doubler = defineAgent<number>({ name: "doubler", skills: ["double"], run: (task) => task.input * 2 });

async function crew(): Promise<Coordinator> {
  const coordinator = await opened();
  await coordinator.register(doubler);
  return coordinator;
}

async function waiting(coordinator: Coordinator) {
  const task = (await coordinator.tasks({ status: "waiting" })).find(({ approval }) => approval !== undefined);
  if (task?.approval === undefined) throw new Error("nothing waits to be approved");
  return { id: task.id, ...task.approval };
}

describe("a task that must be approved", () => {
  it("runs when a person has approved it, and the log tells who, what and when", async () => {
    const coordinator = await crew();
    const handle = await coordinator.submit<number>({ id: "a", input: 21, approval: {} });
    await coordinator.idle();
    const { hash, before } = await waiting(coordinator);
    expect([before, await handle.status()]).toEqual(["run", "waiting"]);
    const explained = await handle.explain();
    expect(explained.reasons).toMatchObject([
      { code: "approval", need: { before: "run", hash, by: "person", subject: { taskId: "a", spec: { input: 21 } } } },
    ]);
    await coordinator.approve("a", { by: "rita", hash });
    expect(await handle.result()).toBe(42);
    expect(await historyOf(coordinator, "a")).toEqual([
      "task.submitted",
      "approval.asked",
      "approval.given",
      "task.started",
      "task.completed",
    ]);
    const given = (await eventsOf(coordinator)).find(({ type }) => type === "approval.given");
    expect(given).toMatchObject({ by: "rita", who: ["rita"], hash, at: expect.any(Number) });
  });

  it("gives its output when that is approved, and shows it to who approves", async () => {
    const coordinator = await crew();
    const handle = await coordinator.submit({ id: "a", input: 21, approval: { before: "output" } });
    await coordinator.idle();
    const need = (await handle.explain()).reasons[0]?.need;
    expect(need).toMatchObject({ before: "output", subject: { agent: "doubler", output: 42 } });
    expect(await rejection(coordinator.approve("a", { by: "doubler" }))).toMatchObject({ code: "UNAUTHORIZED" });
    await coordinator.approve("a");
    expect(await handle.outcome()).toMatchObject({ status: "completed", output: 42, agent: "doubler", via: "agent" });
  });

  it("fails when it is rejected, and can be tried again by a person, who is asked again", async () => {
    const coordinator = await crew();
    const handle = await coordinator.submit({ id: "a", input: 1, approval: { before: "output" } });
    await coordinator.idle();
    const first = await waiting(coordinator);
    await coordinator.reject("a", "odd", { by: "rita" });
    expect(await rejection(handle.result())).toMatchObject({
      code: "UNAUTHORIZED",
      retryable: false,
      message: "task a failed: its output was rejected by rita: odd",
      details: { approval: "output", hash: first.hash, reason: "odd", who: ["rita"] },
    });
    await handle.retry();
    await coordinator.idle();
    expect(await rejection(coordinator.approve("a", { hash: first.hash }))).toMatchObject({ code: "INVALID_STATE" });
    await coordinator.approve("a");
    expect(await rejection(coordinator.approve("a"))).toMatchObject({ code: "INVALID_STATE" });
    expect(await handle.result()).toBe(2);
  });

  it("fails with TIMEOUT when nobody approves it in time", async () => {
    const coordinator = await crew();
    const handle = await coordinator.submit({ input: 1, approval: { expiresMs: 20 } });
    expect(await rejection(handle.result())).toMatchObject({ code: "TIMEOUT" });
  });

  it("refuses who is not there: UNKNOWN_TASK", async () => {
    const coordinator = await crew();
    expect(await rejection(coordinator.approve("nowhere"))).toMatchObject({ code: "UNKNOWN_TASK" });
  });

  it("is decided by agents, who are shown what they vote on", async () => {
    const coordinator = await crew();
    const vote: Voter = ({ question, context, voterId }) => {
      expect(question).toBe("May the output of task a count?");
      expect(context).toMatchObject({ before: "output", taskId: "a", agent: "doubler", output: 42 });
      return voterId === "no" ? "reject" : "approve";
    };
    for (const name of ["yes", "also", "no"]) await coordinator.register(defineAgent({ name, vote }));
    const by = { ballot: "majority" } as const;
    const handle = await coordinator.submit({
      id: "a",
      input: 21,
      skills: ["double"],
      approval: { before: "output", by },
    });
    expect(await handle.result()).toBe(42);
    expect(await coordinator.ballots()).toMatchObject([{ decision: "approve", votes: { no: "reject" } }]);
  });

  it("in a manager's plan is asked for before the manager goes on, and its manager may not approve it", async () => {
    const coordinator = await crew();
    await coordinator.register(
      defineManager<number, number>({
        name: "boss",
        skills: ["lead"],
        team: ["doubler"],
        plan: (task) => [{ id: "half", input: task.input, approval: { before: "output" } }],
        aggregate: (_, [half]) => Number(half?.output) + 1,
      }),
    );
    const handle = await coordinator.submit({ id: "m", skills: ["lead"], input: 4 });
    await coordinator.idle();
    const { id } = await waiting(coordinator);
    expect(id).toBe("m/half");
    expect(await rejection(coordinator.approve(id, { by: "boss" }))).toMatchObject({ code: "UNAUTHORIZED" });
    await coordinator.approve(id, { by: "rita" });
    expect(await handle.result()).toBe(9);
  });

  it("waits over a restart, with the same hash, and its output is not made again", async () => {
    const journal = newJournal();
    const first = await opened({ journal });
    let runs = 0;
    const worker = defineAgent({ name: "worker", run: () => ++runs });
    await first.register(worker);
    await first.submit({ id: "out", approval: { before: "output" } });
    await first.submit({ id: "in", approval: {} });
    await first.idle();
    const before = await first.tasks({ status: "waiting" });
    await first.close();
    const second = await opened({ journal });
    await second.register(worker);
    expect(await second.tasks({ status: "waiting" })).toEqual(before);
    await second.approve("out");
    expect(await (await second.task("out")).result()).toBe(1);
    await second.approve("in");
    expect(await (await second.task("in")).result()).toBe(2);
  });

  it("is approved once, whoever asks at the same time, and not again after a restart", async () => {
    const journal = newJournal();
    const first = await opened({ journal });
    await first.submit({ id: "a", approval: {} });
    const { hash } = await waiting(first);
    const answers = await Promise.allSettled([
      first.approve("a", { by: "rita", hash }),
      first.approve("a", { by: "rita", hash }),
      first.reject("a", "no", { by: "otto", hash }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    await first.close();
    const second = await opened({ journal });
    expect(await rejection(second.approve("a", { by: "rita", hash }))).toMatchObject({ code: "INVALID_STATE" });
    expect(await rejection(second.reject("a", "no", { by: "rita" }))).toMatchObject({ code: "INVALID_STATE" });
    await second.register(doubler);
    await (await second.task("a")).outcome();
    expect(await historyOf(second, "a")).toEqual([
      "task.submitted",
      "approval.asked",
      "approval.given",
      "task.started",
      "task.completed",
    ]);
  });

  it("is approved by a coordinator that has joined", async () => {
    const journal = newJournal();
    const writer = await opened({ journal });
    await writer.register(doubler);
    const joined = await opened({ journal, join: true });
    const [one, other] = await joined.submit<number>([
      { id: "one", input: 1, approval: { before: "output" } },
      { id: "other", input: 1, approval: {} },
    ]);
    await joined.idle();
    const need = (await joined.explain("one")).reasons[0]?.need;
    expect(need).toMatchObject({ subject: { output: 2 } });
    expect(await rejection(joined.approve("one", { by: "doubler" }))).toMatchObject({ code: "UNAUTHORIZED" });
    await joined.approve("one", { by: "rita" });
    await joined.reject("other", "no", { by: "rita" });
    expect(await one?.result()).toBe(2);
    expect(await rejection(other?.result() ?? Promise.resolve())).toMatchObject({ code: "UNAUTHORIZED" });
    const given = (await eventsOf(writer)).find(({ type }) => type === "approval.given");
    expect(given).toMatchObject({ by: "rita" });
  });

  it("has a hash that anybody can make from what explain tells: SHA-256 of its canonical JSON", async () => {
    const coordinator = await crew();
    await coordinator.submit({ id: "a", input: 7, skills: ["double"], approval: { before: "run" } });
    const { hash } = await waiting(coordinator);
    const [asked] = (await eventsOf(coordinator)).filter(({ type }) => type === "approval.asked");
    const subject = `{"asked":${asked?.seq},"before":"run","spec":{"approval":{"before":"run"},"input":7,"skills":["double"]},"taskId":"a"}`;
    expect(createHash("sha256").update(subject).digest("hex")).toBe(hash);
  });
});
