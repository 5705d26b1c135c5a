/** A kernel told step by step, for tests: commands at times in, what happened in a few words out. */
import type { Json, Money } from "../coordination/structures/types.ts";
import type {
  AgentDescription,
  Answer,
  Command,
  OpenSettings,
  Refusal,
  ResourceSpec,
  TaskRequest,
} from "./commands.ts";
import type { Failure } from "./events/failure.ts";
import type { KernelEvent } from "./events.ts";
import { Kernel } from "./kernel.ts";
import type { Explanation, TaskView } from "./views.ts";

/** When stories begin: epoch milliseconds. */
const START = 1_000_000;

export class Story {
  kernel: Kernel = new Kernel();
  readonly log: KernelEvent[] = [];
  now: number = START;

  constructor(settings: OpenSettings = {}) {
    this.do({ type: "coordinator.open", ...settings });
  }

  /** Commands of one instant; each must be accepted. What happened. */
  do(...commands: Command[]): KernelEvent[] {
    const { events, answers } = this.try(...commands);
    for (const answer of answers) if (!answer.ok) throw new Error(`${answer.refusal.code}: ${answer.refusal.message}`);
    return events;
  }

  /** Commands of one instant, refused or not. */
  try(...commands: Command[]): { readonly events: KernelEvent[]; readonly answers: readonly Answer[] } {
    return this.send(...commands.map((command) => ({ command })));
  }

  send(...envelopes: { readonly command: Command; readonly id?: string; readonly by?: string }[]): {
    readonly events: KernelEvent[];
    readonly answers: readonly Answer[];
  } {
    const { events, answers } = this.kernel.batch(envelopes, this.now);
    this.log.push(...events);
    return { events: [...events], answers };
  }

  /** Approved, or rejected for a reason, by somebody. What happened. */
  approve(taskId: string, more: { by?: string; hash?: string; reason?: string } = {}): KernelEvent[] {
    const { by, reason, hash } = more;
    const about = { taskId, ...(hash === undefined ? {} : { hash }) };
    const command: Command =
      reason === undefined ? { type: "task.approve", ...about } : { type: "task.reject", reason, ...about };
    const { events, answers } = this.send({ command, ...(by === undefined ? {} : { by }) });
    for (const answer of answers) if (!answer.ok) throw new Error(`${answer.refusal.code}: ${answer.refusal.message}`);
    return events;
  }

  /** The refusal that the command meets; it leaves no trace. */
  refusal(command: Command, by?: string): Refusal {
    const before = this.kernel.seq;
    const [answer] = this.send({ command, ...(by === undefined ? {} : { by }) }).answers;
    if (answer === undefined || answer.ok) throw new Error(`${command.type} was accepted`);
    if (this.kernel.seq !== before) throw new Error(`${command.type} was refused and left a trace`);
    return answer.refusal;
  }

  /** Lets time pass, waking when the kernel wants to be woken. What happened. */
  after(ms: number): KernelEvent[] {
    const until = this.now + ms;
    const events: KernelEvent[] = [];
    for (let wakes = 0; wakes < 10_000; wakes++) {
      const wake = this.kernel.nextWakeAt();
      if (wake === undefined || wake > until) break;
      this.now = Math.max(this.now, wake);
      events.push(...this.do({ type: "tick" }));
    }
    this.now = until;
    return events;
  }

  /** The process dies and another opens the same log later: replayed from the start. */
  crash(downMs: number, settings: OpenSettings = {}): KernelEvent[] {
    this.kernel = new Kernel();
    for (const event of JSON.parse(JSON.stringify(this.log)) as KernelEvent[]) this.kernel.replay(event);
    this.now += downMs;
    return this.do({ type: "coordinator.open", ...settings });
  }

  agent(name: string, description: Omit<AgentDescription, "name" | "kind"> = {}): KernelEvent[] {
    return this.do(register(name, description));
  }

  manager(name: string, team: readonly string[], description: Omit<AgentDescription, "name" | "kind"> = {}): this {
    this.do({ type: "agent.register", agent: { name, kind: "manager", team, ...description } });
    return this;
  }

  resource(resource: string, capacity: number, more: Partial<ResourceSpec> = {}): KernelEvent[] {
    return this.do({ type: "resource.set", resource, kind: "compute", capacity, ...more });
  }

  budget(budget: string, limit: Money, parent?: string): KernelEvent[] {
    return this.do({ type: "budget.set", budget, limit, ...(parent === undefined ? {} : { parent }) });
  }

  spend(id: string, amount: Money, what?: string): KernelEvent[] {
    return this.do({ type: "attempt.spend", ...this.from(id), amount, ...(what === undefined ? {} : { what }) });
  }

  /** How the budgets stand: what is spent, set aside and available of each. */
  get money(): string {
    const told = this.kernel
      .budgets()
      .map(({ id, limit, spent, reserved, available }) => `${id} ${spent}+${reserved}/${limit} ${available}`);
    return told.join(", ");
  }

  submit(...tasks: TaskRequest[]): KernelEvent[] {
    return this.do({ type: "task.submit", tasks });
  }

  token(id: string): number {
    const last = this.task(id).attempts.at(-1);
    if (last === undefined) throw new Error(`${id} was never started`);
    return last.token;
  }

  from(id: string): { readonly taskId: string; readonly token: number } {
    return { taskId: id, token: this.token(id) };
  }

  complete(id: string, output: Json = null): KernelEvent[] {
    return this.do(this.completion(id, output));
  }

  completion(id: string, output: Json = null): Command {
    return { type: "attempt.complete", ...this.from(id), output };
  }

  fail(id: string, error: Partial<Failure> = {}): KernelEvent[] {
    return this.do(this.failure(id, error));
  }

  failure(id: string, error: Partial<Failure> = {}): Command {
    return { type: "attempt.fail", ...this.from(id), error: { code: "TASK_FAILED", message: "no", ...error } };
  }

  /** What the guardrails say of a task's input: all of them allow, or the first blocks for this reason. */
  judge(id: string, { blocks, input }: { readonly blocks?: string; readonly input?: Json } = {}): KernelEvent[] {
    return this.do(
      judgement(this.kernel, id, blocks === undefined ? { ...(input === undefined ? {} : { input }) } : { blocks }),
    );
  }

  plan(id: string, ...tasks: TaskRequest[]): KernelEvent[] {
    return this.do({ type: "attempt.plan", ...this.from(id), tasks });
  }

  /** Submitted by the code of a running attempt. */
  spawn(id: string, ...tasks: TaskRequest[]): KernelEvent[] {
    return this.do({ type: "task.submit", from: this.from(id), tasks });
  }

  await(id: string, ...on: string[]): KernelEvent[] {
    return this.do({ type: "attempt.await", ...this.from(id), on });
  }

  ask(id: string, amounts: Record<string, number>, more: { wait?: boolean; leaseMs?: number } = {}): KernelEvent[] {
    return this.do({ type: "attempt.request", ...this.from(id), amounts, ...more });
  }

  task(id: string): TaskView {
    const task = this.kernel.task(id);
    if (task === undefined) throw new Error(`no task ${id}`);
    return task;
  }

  status(...ids: string[]): string {
    return ids.map((id) => this.task(id).status).join(" ");
  }

  why(id: string): Explanation {
    const explanation = this.kernel.explain(id, this.now);
    if (explanation === undefined) throw new Error(`no task ${id}`);
    return explanation;
  }

  /** Codes of the reasons why it waits. */
  reasons(id: string): string {
    return this.why(id)
      .reasons.map((reason) => reason.code)
      .join(" ");
  }

  /** Those that run, in order of their starts. */
  get running(): string {
    return this.kernel
      .tasks({ status: "running" })
      .map(({ id }) => id)
      .sort((a, b) => this.token(a) - this.token(b))
      .join(" ");
  }
}

export function register(name: string, description: Omit<AgentDescription, "name" | "kind"> = {}): Command {
  return { type: "agent.register", agent: { name, kind: "agent", ...description } };
}

/** The verdicts of all guardrails that there are on the input of a task: they allow it, or the first blocks it. */
export function judgement(
  kernel: Kernel,
  taskId: string,
  how: { readonly blocks?: string; readonly input?: Json } = {},
): Command {
  const { blocks, input } = how;
  const [first = "", ...others] = kernel.settings?.guardrails?.input ?? [];
  if (blocks !== undefined)
    return { type: "task.judge", taskId, verdicts: [{ guardrail: first, verdict: "block", reason: blocks }] };
  const verdict = input === undefined ? "allow" : "change";
  const verdicts = [first, ...others].map((guardrail) => ({ guardrail, verdict }) as const);
  return { type: "task.judge", taskId, verdicts, ...(input === undefined ? {} : { input }) };
}

/** What happened, in a few words each; what only prepares the rest is left out. */
export function told(events: readonly KernelEvent[]): string[] {
  return events.flatMap((event) => {
    switch (event.type) {
      case "task.started":
        return [`${event.taskId} ${event.phase === "run" ? "starts" : `${event.phase}s`} on ${event.agent}`];
      case "task.completed":
        if (event.from !== undefined) return [`${event.taskId} completed by ${event.from}`];
        return [`${event.taskId} completed${event.via === undefined ? "" : ` via ${event.via}`}`];
      case "task.fell-back":
        return [`${event.taskId} falls back on ${event.to === "agents" ? "others" : "a value"}: ${event.error.code}`];
      case "output.offered":
        return [`${event.taskId} is offered the output of ${event.from}`];
      case "flight.led":
        return [`${event.taskId} leads${event.alone === true ? " alone" : ""}`];
      case "flight.joined":
        return [`${event.taskId} follows ${event.leader}`];
      case "task.failed":
        return [`${event.taskId} failed: ${event.error.code}`];
      case "task.skipped":
        return [`${event.taskId} skipped for ${event.dependency}`];
      case "task.cancelled":
        return [`${event.taskId} cancelled`];
      case "task.ending":
        return [`${event.taskId} is ending`];
      case "attempt.ended":
        return [`${event.taskId} attempt ${event.end}`];
      case "attempt.stopping":
        return [`${event.taskId} stops: ${event.reason}${event.for === undefined ? "" : ` for ${event.for}`}`];
      case "promise.dropped":
        return [`${event.taskId} loses its promise`];
      case "attempt.waiting":
        return [`${event.taskId} waits on ${event.on.join(" ")}`];
      case "attempt.regained":
        return [`${event.taskId} regains its seat`];
      case "resource.requested":
        return [`${event.taskId} queues for ${named(event.amounts)}`];
      case "resource.granted":
        return [`${event.taskId} gets ${named(event.amounts)}`];
      case "resource.released":
        return [`${event.allocationId} ${event.why}`];
      case "resource.refused":
        return [`${event.requestId} refused: ${event.error.code}`];
      case "budget.spent":
        return [`${event.taskId} spends ${event.amount}`];
      case "budget.overrun":
        return [`${event.taskId} overruns ${event.budget} by ${event.amount}`];
      case "approval.asked":
        return [`${event.taskId} asks for approval of its ${event.before}`];
      case "approval.given":
        return [`${event.taskId} is approved`];
      case "approval.rejected":
        return [`${event.taskId} is rejected`];
      case "breaker.changed":
        return [`${event.agent} ${event.state}`];
      case "resource.breaker-changed":
        return [`${event.resource} ${event.state}`];
      case "attempt.gone":
        return [`${event.taskId} gives back what it kept`];
      case "guardrail.judged":
        return [`${event.guardrail} ${event.verdict}s an ${event.on} of ${event.taskId}`];
      case "input.accepted":
        return [`the input of ${event.taskId} is accepted`];
      case "ballot.decided":
        return [`${event.ballotId} ${event.outcome}${event.decision === undefined ? "" : ` ${event.decision}`}`];
      default:
        return [];
    }
  });
}

function named(amounts: Readonly<Record<string, number>>): string {
  return Object.entries(amounts)
    .map(([name, amount]) => `${amount} ${name}`)
    .join(" and ");
}

/** The verdicts of all guardrails that there are on the output of another that is to answer the task. */
export function verdictOnOffer(
  kernel: Kernel,
  taskId: string,
  how: { readonly blocks?: string; readonly output?: Json } = {},
): Command {
  const { blocks, output } = how;
  const [first = "", ...others] = kernel.settings?.guardrails?.output ?? [];
  const from = kernel.task(taskId)?.offer?.from ?? "";
  if (blocks !== undefined)
    return { type: "task.answer", taskId, from, verdicts: [{ guardrail: first, verdict: "block", reason: blocks }] };
  const verdict = output === undefined ? "allow" : "change";
  const verdicts = [first, ...others].map((guardrail) => ({ guardrail, verdict }) as const);
  return { type: "task.answer", taskId, from, verdicts, ...(output === undefined ? {} : { output }) };
}
