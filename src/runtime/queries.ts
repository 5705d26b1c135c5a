/** What can be seen of the kernel, and of what has left its memory: plain data that the caller may keep. */
import { show } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { type ErrorCode, SafeguardsError } from "../errors.ts";
import type { Command, Refusal } from "../kernel/commands.ts";
import type { Departed } from "../kernel/departed.ts";
import { seqIn, statusIn } from "../kernel/finished-row.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { BallotView, TaskFilter, TaskInfo } from "../kernel/views.ts";
import type { Outputs } from "./attempt-context.ts";
import type { BallotResult, QueryTypes } from "./backend.ts";
import type { Clock } from "./clock.ts";
import type { Departures } from "./departures.ts";
import { errorFrom } from "./failure.ts";
import { type OutcomeData, outcomeOf } from "./outcome.ts";
import type { Meters } from "./stats.ts";

/** What has left memory may have to be fetched. */
type Answers = {
  readonly [N in keyof QueryTypes]: (
    about: QueryTypes[N]["in"],
  ) => QueryTypes[N]["out"] | Promise<QueryTypes[N]["out"]>;
};

const UNKNOWN: Readonly<Record<Departed["kind"], ErrorCode>> = { task: "UNKNOWN_TASK", ballot: "UNKNOWN_BALLOT" };

export class Queries {
  readonly answers: Answers;
  readonly #kernel: Kernel;
  readonly #departures: Departures;
  readonly #inTurn: <T>(look: () => T) => Promise<T>;

  /** `inTurn`: looks when all that was asked for before is decided, and tells it when that is durable. */
  constructor(
    kernel: Kernel,
    departures: Departures,
    clock: Pick<Clock, "now">,
    meters: Meters,
    inTurn: <T>(look: () => T) => Promise<T>,
  ) {
    this.#kernel = kernel;
    this.#inTurn = inTurn;
    this.#departures = departures;
    this.answers = {
      settled: () => undefined,
      status: (id) => kernel.task(id)?.status ?? this.#departed("task", id, (row) => kernel.finishedTask(row).status),
      explain: (id) =>
        kernel.explain(id, clock.now()) ?? this.#departed("task", id, (row) => kernel.explainFinished(row)),
      outcome: (id) => {
        const outcome = this.outcome(id);
        return outcome === undefined ? this.#departed("task", id, (row) => this.#outcomeIn(row)) : ifEnded(outcome);
      },
      decision: (id) => {
        const decision = this.decision(id);
        return decision === undefined
          ? this.#departed("ballot", id, (row) => this.#decisionIn(row))
          : ifEnded(decision);
      },
      recount: (id) => {
        const view = kernel.recount(id);
        return view === undefined ? this.#departed("ballot", id, (row) => this.#decisionIn(row)) : resultOf(view);
      },
      tasks: (filter) => this.#tasks(filter),
      agents: () =>
        kernel.agents(clock.now()).map((agent) => (agent.team ? { ...agent, team: [...agent.team] } : agent)),
      resources: () => kernel.resources(clock.now()),
      budgets: () => kernel.budgets(),
      ballots: () => kernel.ballots().map(resultOf),
      stats: () => meters.stats(kernel.seq, kernel.counts(), (agent) => kernel.spentBy(agent)),
    };
  }

  /** How a task in memory ended; undefined when there is none with that id. */
  outcome(id: string): OutcomeData | "open" | undefined {
    const view = this.#kernel.task(id);
    if (view !== undefined) return outcomeOf(view) ?? "open";
    const row = this.#departures.held("task", id);
    return row === undefined ? undefined : this.#outcomeIn(row);
  }

  /** How a task ended that has left memory. */
  async departedOutcome(id: string): Promise<OutcomeData | undefined> {
    const row = await this.#departures.find("task", id);
    return row === undefined ? undefined : this.#outcomeIn(row);
  }

  /** What came of a ballot in memory; undefined when there is none with that id. */
  decision(id: string): BallotResult | "open" | undefined {
    const view = this.#kernel.ballot(id);
    if (view !== undefined) return view.open ? "open" : resultOf(view);
    const row = this.#departures.held("ballot", id);
    return row === undefined ? undefined : this.#decisionIn(row);
  }

  /** What came of a ballot that has left memory. */
  async departedDecision(id: string): Promise<BallotResult | undefined> {
    const row = await this.#departures.find("ballot", id);
    return row === undefined ? undefined : this.#decisionIn(row);
  }

  /** What will tell the outputs of tasks that have ended, whatever becomes of them; some may have to be fetched. */
  outputsOf(ids: readonly string[]): Outputs | Promise<Outputs> {
    const outputs = new Map<string, () => Json | undefined>();
    const gone: string[] = [];
    for (const id of ids) {
      const output = this.#kernel.outputOf(id);
      if (output === undefined) gone.push(id);
      else outputs.set(id, output);
    }
    if (gone.length === 0) return outputs;
    return this.#departures.findAll("task", gone).then((rows) => {
      for (const [id, row] of rows) outputs.set(id, () => this.#kernel.finishedTask(row).output);
      return outputs;
    });
  }

  /** What a command is refused with: of a task that the kernel does not know any more, it is said that it has ended. */
  async refusalOf(command: Command, refusal: Refusal): Promise<SafeguardsError> {
    const error = errorFrom(refusal);
    if (error.code !== "UNKNOWN_TASK" || !("taskId" in command) || "token" in command) return error;
    const { taskId } = command;
    const row = await this.#departures.find("task", taskId);
    if (row === undefined) return error;
    const status = statusIn(row);
    const message = `task ${taskId} is ${status} and has left memory (keepFinished): nothing changes it any more`;
    return new SafeguardsError("INVALID_STATE", message, { details: { taskId, status } });
  }

  #tasks(filter: TaskFilter): readonly TaskInfo[] | Promise<readonly TaskInfo[]> {
    const { after, parentId } = filter;
    const present = [after, parentId].every((id) => id === undefined || this.#kernel.has("task", id));
    return present ? this.#kernel.tasks(filter) : this.#departedTasks(filter);
  }

  /** After a task, or of a parent, that has left memory: the subtasks have left with it. */
  async #departedTasks(filter: TaskFilter): Promise<readonly TaskInfo[]> {
    const { after, parentId } = filter;
    let meant = filter;
    if (after !== undefined && !this.#kernel.has("task", after))
      meant = await this.#departed("task", after, (row) => ({ ...filter, afterSeq: seqIn(row) }));
    if (parentId === undefined || this.#kernel.has("task", parentId))
      return this.#inTurn(() => this.#kernel.tasks(meant));
    const parent = await this.#departures.find("task", parentId);
    if (parent === undefined) return [];
    const rows = await this.#departures.findAll("task", this.#kernel.finishedTask(parent).children);
    return this.#kernel.tasksIn([...rows.values()], meant);
  }

  #outcomeIn(row: string): OutcomeData {
    const outcome = outcomeOf(this.#kernel.finishedTask(row));
    if (outcome === undefined) throw new RangeError("what has left memory has ended");
    return outcome;
  }

  #decisionIn(row: string): BallotResult {
    return resultOf(this.#kernel.closedBallot(row));
  }

  /** What is to be told of one that has left memory; refuses an id that there never was. */
  async #departed<T>(kind: Departed["kind"], id: string, told: (row: string) => T): Promise<T> {
    const row = await this.#departures.find(kind, id);
    if (row !== undefined) return told(row);
    throw new SafeguardsError(UNKNOWN[kind], `no ${kind} has the id ${show(id)}`, { details: { id } });
  }
}

function resultOf({ ballotId, open, decision }: BallotView): BallotResult {
  return { ...decision, ballotId, open };
}

function ifEnded<T>(end: T | "open"): T | null {
  return end === "open" ? null : end;
}
