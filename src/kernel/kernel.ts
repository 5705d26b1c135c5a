/**
 * The kernel: commands and a time go in, events come out. Deterministic: the same commands at the same times give the same
 * events, and the events give the state.
 *
 * 1. Nothing here asks for time, randomness or IO; `now` comes with the batch.
 * 2. Each event is applied before the next decision is made, by the same code that replays it.
 * 3. A refused command has emitted nothing. An accepted one with an id is answered again from its events.
 * 4. Admission runs once a batch, after its last command and all that is due.
 */

import { NO_MONEY, textOf } from "../coordination/structures/money.ts";
import { sha256 } from "../coordination/structures/sha256.ts";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import { type Digest, subjectOf } from "./approvals.ts";
import { ballotIn } from "./ballot-row.ts";
import type { Answer, Command, Envelope } from "./commands.ts";
import { answerAgain } from "./decide/again.ts";
import { register, setTeam, unregister } from "./decide/agents.ts";
import { approvalDue, approve, hasApprovals, reject, settleApprovals } from "./decide/approvals.ts";
import { attemptDue, checkpoint, complete, deadlineDue, fail, gone, loseHeard } from "./decide/attempts.ts";
import { ballotDue, cast, extendBallot, openBallot, reveal } from "./decide/ballots.ts";
import { setBudget, spendMoney } from "./decide/budgets.ts";
import { cancel, pause, prioritize, resume, retry } from "./decide/control.ts";
import { waitedForBy } from "./decide/deadlock.ts";
import { type Desk, DONE, isPresent } from "./decide/desk.ts";
import { judgeAction, judgeInput } from "./decide/guardrails.ts";
import { failImpossible, failUnpayable, failUnroutable } from "./decide/hopeless.ts";
import { close, open } from "./decide/lifecycle.ts";
import { read, send } from "./decide/messages.ts";
import { awaitTasks, leaseDue, release, request, setResource } from "./decide/resources.ts";
import { judgeOffer, shareOutputs } from "./decide/sharing.ts";
import { plan, submit } from "./decide/submission.ts";
import { deleteState, setState } from "./decide/versioned-state.ts";
import type { Departed } from "./departed.ts";
import type { OpenedEvent } from "./events/coordinator.ts";
import type { EventBody, EventHead, KernelEvent } from "./events.ts";
import { evolve } from "./evolve.ts";
import { explain, explainEnded } from "./explain.ts";
import { subtasksOf, thaw } from "./finished-row.ts";
import { Indexes } from "./indexes.ts";
import type { KeptMessage } from "./mailroom.ts";
import type { ReadyClass } from "./ready-queue.ts";
import { restoreState } from "./restore.ts";
import { Scheduler } from "./scheduler.ts";
import { snapshotRows } from "./snapshot.ts";
import { State } from "./state.ts";
import { askedOf, type TaskStatus } from "./task.ts";
import type { Timer } from "./timers.ts";
import { traceOf } from "./trace.ts";
import type { Entry } from "./versioned-state.ts";
import {
  type AgentInfo,
  agentInfos,
  type BallotView,
  type BudgetInfo,
  ballotView,
  budgetInfos,
  type Explanation,
  infosAmong,
  type ResourceInfo,
  resourceInfos,
  type TaskFilter,
  type TaskInfo,
  type TaskView,
  taskInfos,
  taskView,
} from "./views.ts";

/** What a batch gave: its events, and an answer to each command. */
export interface BatchResult {
  readonly events: readonly KernelEvent[];
  readonly answers: readonly Answer[];
  /** What has left memory, for the archive: it is gone once the events are applied. */
  readonly departed: readonly Departed[];
}

/** Everything that decides, once the past is known. */
interface Works {
  readonly indexes: Indexes;
  readonly scheduler: Scheduler;
}

export class Kernel {
  readonly #state: State;
  readonly #digest: Digest;
  #works: Works | undefined = undefined;
  #decided = false;
  #events: KernelEvent[] = [];
  #now = 0;
  #envelope: Envelope | undefined = undefined;

  /** `digest` may be faster than the kernel's own, never another: what is decided must not hang on where. */
  constructor(state: State = new State(), digest: Digest = sha256) {
    this.#state = state;
    this.#digest = digest;
  }

  static restore(rows: Iterable<Json>): Kernel {
    return new Kernel(restoreState(rows));
  }

  /** The last event applied; 0 before the first. */
  get seq(): number {
    return this.#state.seq;
  }

  /** Time of the last event: epoch milliseconds. */
  get at(): number {
    return this.#state.at;
  }

  /** What it was last opened with; undefined before that. */
  get settings(): OpenedEvent | undefined {
    return this.#state.settings;
  }

  /** Applies a stored event. Only before the first batch. */
  replay(event: KernelEvent): void {
    if (this.#decided) throw new RangeError("replay comes before the first batch");
    this.#works = undefined;
    evolve(this.#state, event, undefined);
    // What left memory then was put into the archive then.
    this.#state.outbox.take();
  }

  /**
   * Decides what is asked at one instant: each command in order, then what is due, then one admission. `votedUpTo`: ballots
   * whose time was up by then close; those that are due later stay open, since votes that were given in time are still to come.
   */
  batch(envelopes: readonly Envelope[], now: number, votedUpTo: number = now): BatchResult {
    const state = this.#state;
    if (!(now >= state.at)) throw new RangeError(`time runs backwards: ${now} after ${state.at}`);
    this.#decided = true;
    this.#events = [];
    this.#now = now;
    // Not made before the first command is decided: an opening would have it made again.
    if (this.#works !== undefined) this.#works.indexes.now = now;
    const works = (): Works => this.#works ?? this.#built(now);
    const asker = (): string | undefined => this.#envelope?.by;
    const desk: Desk = {
      state,
      get indexes() {
        return works().indexes;
      },
      get scheduler() {
        return works().scheduler;
      },
      now,
      digest: this.#digest,
      get by() {
        return asker();
      },
      // What has left memory since the batch began is on its way to the archive.
      recalled: (kind, id) => state.outbox.row(kind, id) ?? this.#envelope?.recalled?.get(id),
      emit: (body) => this.#emit(body),
    };
    // A lease that has run out is over for whatever is asked now, and a breaker has rested; after a kill that is told once the
    // journal is open again.
    if (state.open && envelopes[0]?.command.type !== "coordinator.open") {
      const { first } = works().indexes;
      for (let timer = first.due(now); timer !== undefined; timer = first.due(now)) this.#due(desk, timer);
    }
    const answers = envelopes.map((envelope) => this.#answer(desk, envelope));
    this.#envelope = undefined;
    if (state.open) {
      const { indexes, scheduler } = works();
      const { approvals, closings, timers } = indexes;
      const unroutable: ReadyClass[] = [];
      const next = (): Timer | undefined => timers.due(now) ?? closings.due(votedUpTo) ?? approvals.expiries.due(now);
      for (let timer = next(); timer !== undefined; timer = next()) {
        const of = this.#due(desk, timer);
        if (of !== undefined) unroutable.push(of);
      }
      failUnroutable(desk, unroutable);
      do {
        settleApprovals(desk);
        failImpossible(desk);
        failUnpayable(desk);
        // What could never run may have kept back what has to be approved.
      } while (shareOutputs(desk) || hasApprovals(desk) || isAnyInVain(indexes));
      scheduler.admit();
    }
    return { events: this.#events, answers, departed: state.outbox.take() };
  }

  /** When a `tick` has something to do; undefined: never, as things are. */
  nextWakeAt(): number | undefined {
    const last = this.#works?.indexes.approvals.expiries.next();
    return this.#state.open ? earliest(this.#nextStartAt(), last) : undefined;
  }

  /** The same for what may let something start: that nobody approves in time does not. */
  #nextStartAt(): number | undefined {
    if (!this.#state.open || this.#works === undefined) return undefined;
    const { timers, first, closings } = this.#works.indexes;
    return earliest(earliest(timers.next(), first.next()), closings.next());
  }

  /** When the first of the open ballots is to close; undefined when none is open. */
  nextClosingAt(): number | undefined {
    return this.#state.open ? this.#works?.indexes.closings.next() : undefined;
  }

  /** What is to be approved of a task, whole; undefined when nothing is. */
  approvalOf(id: string): Json | undefined {
    const task = this.#state.tasks.get(id);
    const asked = task === undefined ? undefined : askedOf(task);
    return task === undefined || asked === undefined ? undefined : subjectOf(task, asked);
  }

  /** Tasks that have to end before it goes on, as far as is known: those it depends on, its subtasks, those it awaits. */
  aheadOf(id: string): readonly string[] {
    const task = this.#state.tasks.get(id);
    return task === undefined ? [] : waitedForBy(this.#state, task).map((other) => other.id);
  }

  task(id: string): TaskView | undefined {
    const task = this.#state.tasks.get(id);
    if (task !== undefined)
      return taskView(
        task,
        this.#built().indexes.effective(task),
        { ...subtasksOf(task), spentBelow: task.family?.spentBelow ?? NO_MONEY },
        this.#state.flights.offers.get(task),
      );
    const row = this.#state.finished.row(id);
    return row === undefined ? undefined : this.finishedTask(row);
  }

  /** A task that has ended, as its line of text tells of it. */
  finishedTask(row: string): TaskView {
    const thawed = thaw(row, this.#state);
    return taskView(thawed.task, thawed.task.priority, thawed);
  }

  /** Whether any task, or any ballot, has left memory. */
  hasDepartures(kind: Departed["kind"]): boolean {
    const { arrivals, tasks, finished, lastBallotNumber, ballots } = this.#state;
    return kind === "task" ? arrivals > tasks.size + finished.size : lastBallotNumber > ballots.size;
  }

  /** What will tell the output of a task in memory, whatever becomes of the task; undefined when it is not there. */
  outputOf(id: string): (() => Json | undefined) | undefined {
    const task = this.#state.tasks.get(id);
    if (task !== undefined) return () => task.ended?.output;
    const row = this.#state.finished.row(id);
    return row === undefined ? undefined : () => this.finishedTask(row).output;
  }

  /** Whether anything is known of such a task, or ballot, without asking the archive. */
  has(kind: Departed["kind"], id: string): boolean {
    return kind === "task" ? isPresent(this.#state, id) : this.#state.ballots.has(id);
  }

  tasks(filter: TaskFilter = {}): readonly TaskInfo[] {
    return taskInfos(this.#state, filter);
  }

  /** The same among tasks that have left memory, as their lines tell of them. */
  tasksIn(rows: readonly string[], filter: TaskFilter): readonly TaskInfo[] {
    return infosAmong(this.#state, rows, filter);
  }

  agents(now: number): readonly AgentInfo[] {
    return agentInfos(this.#state, now);
  }

  resources(now: number): readonly ResourceInfo[] {
    return resourceInfos(this.#state, now, this.#built().indexes);
  }

  budgets(): readonly BudgetInfo[] {
    return budgetInfos(this.#state);
  }

  ballot(id: string): BallotView | undefined {
    const ballot = this.#state.ballots.get(id);
    return ballot === undefined ? undefined : ballotView(ballot);
  }

  /** The same with its votes counted anew. */
  recount(id: string): BallotView | undefined {
    const ballot = this.#state.ballots.get(id);
    return ballot === undefined ? undefined : ballotView({ ...ballot, counted: undefined });
  }

  /** A closed ballot, as its line of text tells of it. */
  closedBallot(row: string): BallotView {
    return ballotView(ballotIn(row));
  }

  ballots(): readonly BallotView[] {
    return [...this.#state.ballots.values()].map(ballotView);
  }

  /** The first message that the agent has not read and that is not in hand: of its mailbox, or of a topic. */
  nextMessage(agent: string, topic: string | undefined, inHand: { has(id: string): boolean }): KeptMessage | undefined {
    return this.#state.mail.next(agent, topic, inHand);
  }

  /** The value of a key of the shared state. */
  entry(key: string): Entry | undefined {
    return this.#state.shared.get(key);
  }

  counts(): Readonly<Record<TaskStatus, number>> {
    return { ...this.#state.counts };
  }

  /** Why it runs, waits or ended: the scheduler's own verdict. */
  explain(taskId: string, now: number): Explanation | undefined {
    const task = this.#state.tasks.get(taskId);
    if (task === undefined) {
      const row = this.#state.finished.row(taskId);
      return row === undefined ? undefined : this.explainFinished(row);
    }
    const works = this.#built();
    works.indexes.now = Math.max(now, this.#state.at);
    return explain(this.#state, works, task, works.indexes.now);
  }

  /** The same for a task that has ended, as its line of text tells of it. */
  explainFinished(row: string): Explanation {
    return explainEnded(this.#state, thaw(row, this.#state).task);
  }

  /** Tasks that an output is to answer once guardrails have let it pass. */
  offered(): readonly string[] {
    return [...this.#state.flights.offers.keys()].map((task) => task.id);
  }

  /** Tasks that are kept back until guardrails have looked at their input, in order of submission. */
  awaitingJudgement(): readonly string[] {
    const awaiting = [...this.#built().indexes.judging];
    return awaiting.sort((a, b) => a.seq - b.seq).map((task) => task.id);
  }

  /** Nothing runs, and nothing will without a new command: no timer can start anything. */
  idle(): boolean {
    if (this.#state.open && this.#state.flights.offers.size > 0) return false;
    const { counts } = this.#state;
    if (counts.running > 0 || this.#state.openBallots > 0) return false;
    // Code that was abandoned may still give back what others wait for.
    if (this.#state.kept.size > 0 && counts.pending > 0) return false;
    if (counts.pending + counts.blocked + counts.waiting + counts.paused === 0) return true;
    if (this.#state.open && this.#works !== undefined && this.#works.indexes.judging.size > 0) return false;
    return this.#nextStartAt() === undefined;
  }

  /** What the attempts of an agent have spent; "0" of one that is not known. */
  spentBy(agent: string): string {
    return textOf(this.#state.agents.get(agent)?.spent ?? NO_MONEY);
  }

  /** The state as rows of JSON; consume them before the next batch. */
  snapshot(): Iterable<Json> {
    return snapshotRows(this.#state);
  }

  /** What decides, made when it is first asked for, and anew after a replay or another opening. */
  #built(now: number = this.#state.at): Works {
    if (this.#works === undefined) {
      const indexes = new Indexes(this.#state);
      indexes.now = now;
      this.#works = { indexes, scheduler: new Scheduler(this.#state, indexes, (body) => this.#emit(body)) };
    }
    return this.#works;
  }

  #emit(body: EventBody): void {
    const envelope = this.#envelope;
    // A plain copy that is added to is made at a third of the cost of one that begins with anything else.
    const event: { -readonly [K in keyof EventHead]: EventHead[K] } & EventBody = {
      ...body,
      seq: this.#state.seq + 1,
      at: this.#now,
    };
    if (envelope?.id !== undefined) event.commandId = envelope.id;
    if (envelope?.by !== undefined) event.by = envelope.by;
    const trace = traceOf(this.#state, body) ?? envelope?.trace;
    if (trace !== undefined) event.trace = trace;
    this.#events.push(event);
    // Another opening brings other settings, by which everything is ordered anew.
    if (event.type === "coordinator.opened") this.#works = undefined;
    evolve(this.#state, event, this.#works?.indexes);
  }

  #answer(desk: Desk, envelope: Envelope): Answer {
    const { id, command } = envelope;
    if (id !== undefined) {
      const made = this.#state.commands.get(id);
      if (made !== undefined) return answerAgain(this.#state, command, made);
    }
    const before = this.#state.seq;
    this.#envelope = envelope;
    try {
      if (!this.#state.open && command.type !== "coordinator.open")
        throw new SafeguardsError("CLOSED", "the coordinator is closed");
      return decide(desk, command);
    } catch (error) {
      if (!(error instanceof SafeguardsError) || this.#state.seq !== before) throw error;
      const { code, message, details } = error;
      return {
        ok: false,
        refusal:
          details === undefined ? { code, message } : { code, message, details: details as { [key: string]: Json } },
      };
    }
  }

  /** Does what is due; returns the class whose tasks may have waited too long for somebody who can do them. */
  #due(desk: Desk, timer: Timer): ReadyClass | undefined {
    const { indexes, state } = desk;
    switch (timer.kind) {
      case "attempt":
        attemptDue(desk, timer.live);
        break;
      case "deadline":
        deadlineDue(desk, timer.task);
        break;
      case "backoff":
        indexes.task(timer.task);
        break;
      case "lease":
        leaseDue(desk, timer.allocation);
        break;
      case "breaker":
        indexes.agent(timer.agent, "other");
        // Once probes have gone out, it was told before.
        if (timer.agent.breaker.kind === "open" && timer.agent.breaker.probes.length === 0)
          desk.emit({ type: "breaker.changed", v: 1, agent: timer.agent.name, state: "half-open" });
        break;
      case "resource-breaker": {
        const { resource } = timer;
        indexes.resource(resource, "freed");
        if (resource.breaker.kind === "open" && resource.breaker.probes.length === 0)
          desk.emit({ type: "resource.breaker-changed", v: 1, resource: resource.id, state: "half-open" });
        break;
      }
      case "ballot":
        ballotDue(desk, timer.ballotId);
        break;
      case "unroutable":
        return timer.of;
      case "approval":
        approvalDue(desk, timer.task);
        break;
      case "tokens":
      case "batch":
        indexes.queue.wake(timer.of);
        break;
      default: {
        const never: never = timer;
        throw new RangeError(`unknown timer ${String(never)} at ${state.seq}`);
      }
    }
    return undefined;
  }
}

/** Whether anybody has become ready meanwhile who waits in vain. */
function isAnyInVain({ impossible, payers }: Indexes): boolean {
  return impossible.size > 0 || payers.isStrained;
}

function earliest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
}

function decide(desk: Desk, command: Command): Answer {
  switch (command.type) {
    case "coordinator.open":
      return open(desk, command);
    case "coordinator.drain":
      desk.scheduler.drain();
      return DONE;
    case "coordinator.close":
      return close(desk);
    case "agent.register":
      return register(desk, command);
    case "agent.unregister":
      return unregister(desk, command);
    case "team.set":
      return setTeam(desk, command);
    case "resource.set":
      return setResource(desk, command);
    case "budget.set":
      return setBudget(desk, command);
    case "task.submit":
      return submit(desk, command);
    case "task.cancel":
      return cancel(desk, command);
    case "task.pause":
      return pause(desk, command);
    case "task.resume":
      return resume(desk, command);
    case "task.prioritize":
      return prioritize(desk, command);
    case "task.retry":
      return retry(desk, command);
    case "task.answer":
      return judgeOffer(desk, command);
    case "task.judge":
      return judgeInput(desk, command);
    case "attempt.act":
      return judgeAction(desk, command);
    case "task.approve":
      return approve(desk, command);
    case "task.reject":
      return reject(desk, command);
    case "attempt.complete":
      return complete(desk, command);
    case "attempt.fail":
      return fail(desk, command);
    case "attempt.lose":
      return loseHeard(desk, command);
    case "attempt.gone":
      return gone(desk, command);
    case "attempt.checkpoint":
      return checkpoint(desk, command);
    case "attempt.plan":
      return plan(desk, command);
    case "attempt.await":
      return awaitTasks(desk, command);
    case "attempt.request":
      return request(desk, command);
    case "attempt.release":
      return release(desk, command);
    case "message.send":
      return send(desk, command);
    case "message.read":
      return read(desk, command);
    case "state.set":
      return setState(desk, command);
    case "state.delete":
      return deleteState(desk, command);
    case "attempt.spend":
      return spendMoney(desk, command);
    case "ballot.open":
      return openBallot(desk, command);
    case "ballot.cast":
      return cast(desk, command);
    case "ballot.extend":
      return extendBallot(desk, command);
    case "ballot.reveal":
      return reveal(desk, command);
    case "tick":
      return DONE;
    default: {
      const never: never = command;
      throw new RangeError(`unknown command ${String(never)}`);
    }
  }
}
