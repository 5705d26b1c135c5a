/** Approvals under random commands, judged by the log alone: nothing here asks the kernel who may do what. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { KernelEvent } from "./events.ts";
import { approval, Draws, World } from "./world.fixture.ts";

const numbers = fc.array(fc.nat({ max: 1_000_000 }), { minLength: 300, maxLength: 900, size: "max" });
const runs = Number(process.env.SAFEGUARDS_RUNS ?? 150);

type EventOf<T extends KernelEvent["type"]> = Extract<KernelEvent, { type: T }>;

/** What the log has told of a task. */
interface Told {
  readonly spec: EventOf<"task.submitted">;
  readonly agents: Set<string>;
  asked: EventOf<"approval.asked"> | undefined;
  /** Who approved its run, in the present series. */
  approvers: readonly string[] | undefined;
  /** The output that was approved. */
  output: EventOf<"approval.asked"> | undefined;
}

class Auditor {
  readonly #tasks: Map<string, Told> = new Map();
  /** Hashes that were answered, or whose task has ended since. */
  readonly #used: Set<string> = new Set();
  readonly #teams: Map<string, readonly string[]> = new Map();
  answers = 0;

  take(event: KernelEvent): void {
    if (event.type === "agent.registered" || event.type === "team.changed")
      this.#teams.set(event.agent, event.team ?? []);
    if (event.type === "task.submitted") {
      const told = {
        spec: event,
        agents: new Set<string>(),
        asked: undefined,
        approvers: undefined,
        output: undefined,
      };
      this.#tasks.set(event.taskId, told);
    }
    const task = "taskId" in event ? this.#tasks.get(event.taskId) : undefined;
    if (task === undefined) return;
    switch (event.type) {
      case "task.started":
        if (task.spec.approval?.before === "run") {
          expect(task.approvers, `${event.taskId} runs and was not approved`).toBeDefined();
          expect(task.approvers).not.toContain(event.agent);
        }
        for (let id = event.taskId; id.includes("/"); ) {
          id = id.slice(0, id.lastIndexOf("/"));
          expect(this.#tasks.get(id)?.approvers ?? [], `who does ${event.taskId}`).not.toContain(event.agent);
        }
        task.agents.add(event.agent);
        break;
      case "approval.asked":
        expect(this.#used.has(event.hash), "a hash is asked for once").toBe(false);
        this.#close(task);
        task.asked = event;
        break;
      case "approval.given":
        this.#judge(task, event);
        if (event.before === "run") task.approvers = event.who;
        else task.output = task.asked;
        this.#close(task);
        break;
      case "approval.rejected":
        this.#judge(task, event);
        this.#close(task);
        break;
      case "task.completed":
        if (task.spec.approval?.before === "output") {
          expect(task.output, `the output of ${event.taskId} counts and was not approved`).toBeDefined();
          expect([event.token, event.output]).toEqual([task.output?.token, task.output?.output]);
        }
        this.#close(task);
        break;
      case "task.ending":
      case "task.failed":
      case "task.skipped":
      case "task.cancelled":
        this.#close(task);
        break;
      case "input.accepted":
        if (event.input !== undefined) task.approvers = undefined;
        break;
      case "task.retried":
        task.approvers = undefined;
        task.output = undefined;
        break;
      default:
        break;
    }
  }

  #close(task: Told): void {
    if (task.asked !== undefined) this.#used.add(task.asked.hash);
    task.asked = undefined;
  }

  #judge(task: Told, event: EventOf<"approval.given"> | EventOf<"approval.rejected">): void {
    this.answers += 1;
    expect(task.asked, `nothing was asked about ${event.taskId}`).toBeDefined();
    expect(event.hash).toBe(task.asked?.hash);
    expect(this.#used.has(event.hash)).toBe(false);
    if (event.ballotId === undefined) expect(event.at).toBeLessThan(task.asked?.expiresAt ?? Number.POSITIVE_INFINITY);
    const barred = this.#barred(task);
    for (const name of event.who) expect(barred, `who decides about ${event.taskId}`).not.toContain(name);
    if (event.ballotId === undefined) expect(event.who).toEqual(event.by === undefined ? [] : [event.by]);
  }

  /** Whoever has the task done, does it, or works below it or for who does it. */
  #barred(task: Told): readonly string[] {
    const { taskId, agent } = task.spec;
    const doers = [...task.agents, ...(agent === undefined ? [] : [agent])];
    const names = [...doers];
    for (const [id, other] of this.#tasks) {
      if (taskId.startsWith(`${id}/`) || id.startsWith(`${taskId}/`)) names.push(...other.agents);
    }
    const below = (name: string): readonly string[] => {
      const team = this.#teams.get(name) ?? [];
      return [...team, ...team.flatMap(below)];
    };
    // What another task gave is the work of whoever did that, too.
    const from = task.asked?.from;
    const source = from === undefined ? undefined : this.#tasks.get(from);
    if (source === undefined || from === undefined) return [...names, ...doers.flatMap(below)];
    for (const [id, other] of this.#tasks) if (id.startsWith(`${from}/`)) names.push(...other.agents);
    return [...names, ...source.agents, ...[...doers, ...source.agents].flatMap(below)];
  }
}

test("an approval is for what was asked, once, in time, and by none of those who must not", {
  timeout: 300_000,
}, () => {
  let answers = 0;
  fc.assert(
    fc.property(numbers, (list) => {
      const draws = new Draws(list);
      const world = new World();
      world.open(draws);
      while (draws.left) {
        world.step(draws);
        const tasks = [{ ...world.request(draws, false), approval: approval(draws) }];
        if (draws.chance(30)) world.run({ type: "task.submit", tasks });
        if (draws.chance(60)) world.run(world.approval(draws), world.approval(draws));
      }
      const auditor = new Auditor();
      for (const event of world.log) auditor.take(event);
      answers += auditor.answers;
    }),
    { numRuns: runs, endOnFailure: true },
  );
  expect(answers).toBeGreaterThan(runs / 4);
});

test("whatever the order in which it is tried, only the present hash and the right ones get through", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("approve"), by: fc.constantFrom("ann", "bob", "rita"), which: fc.nat(9) }),
    fc.record({ do: fc.constant("reject"), by: fc.constantFrom("ann", "bob", "rita"), which: fc.nat(9) }),
    fc.record({ do: fc.constantFrom("end", "retry", "tick"), by: fc.constant("rita"), which: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.constantFrom("run", "output"), fc.array(step, { maxLength: 40 }), (before, steps) => {
      const world = new World();
      world.run({ type: "coordinator.open" });
      for (const name of ["ann", "bob"]) world.run({ type: "agent.register", agent: { name, kind: "agent" } });
      const approval = { before: before === "run" ? "run" : "output" } as const;
      world.run({ type: "task.submit", tasks: [{ id: "a", agent: "ann", approval, retry: { maxAttempts: 1 } }] });
      for (const { do: what, by, which } of steps) {
        world.now += 1;
        const asked = world.log.filter((event) => event.type === "approval.asked");
        const { hash = "none" } = asked.at(-1 - (which % Math.max(1, asked.length))) ?? {};
        const [now] = world.kernel.tasks({ status: "waiting" });
        const live = [...world.state.live.values()][0];
        if (what === "approve" || what === "reject") {
          const command =
            what === "approve"
              ? ({ type: "task.approve", taskId: "a", hash } as const)
              : ({ type: "task.reject", taskId: "a", hash, reason: "no" } as const);
          const [answer] = world.kernel.batch([{ command, by }], world.now).answers;
          expect(answer?.ok).toBe(now?.approval?.hash === hash && by !== "ann");
        } else if (what === "retry") world.run({ type: "task.retry", taskId: "a" });
        else if (what === "end" && live !== undefined)
          world.run({ type: "attempt.complete", taskId: "a", token: live.token, output: "same" });
        else world.run({ type: "tick" });
      }
    }),
    { numRuns: runs },
  );
});
