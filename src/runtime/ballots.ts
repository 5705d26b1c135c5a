/**
 * Asks the voters that live in this process.
 *
 * 1. A voter is asked once for each ballot in which it has a vote, when the ballot is durably open.
 * 2. One that throws abstains; one that is late is not waited for. What is given and is not JSON is a vote of a wrong kind: it
 *    is cast as `null`, which is no vote with any method, so that the count tells it as invalid.
 * 3. The time of a ballot is its voters': what passes before they are asked, or while one of them keeps the process busy as
 *    it is asked, puts the end off. That one has only its own time, and abstains when it took longer.
 */
import type { Logger, Voter } from "../agents/agent.ts";
import type { Definition } from "../agents/definition.ts";
import { show } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { Command } from "../kernel/commands.ts";
import type { BallotOpenedEvent } from "../kernel/events/ballots.ts";
import type { BallotView } from "../kernel/views.ts";
import { failureOf } from "./failure.ts";
import { guardedController } from "./guarded-signal.ts";
import { admit, copyOf } from "./json.ts";
import { runtimeLimits } from "./limits.ts";

interface OpenBallot {
  readonly opened: BallotOpenedEvent;
  /** Who has voted before, or was asked. */
  readonly asked: Set<string>;
  readonly closing: AbortController;
  /** Milliseconds that its voters have at least. */
  readonly timeMs: number;
  /** Epoch milliseconds at which it is to close, as far as it has been told. */
  deadlineAt: number;
  /** For how long its voters were kept from voting beyond that. */
  heldUpMs: number;
}

/** What is less than one of so many parts of its voters' time is not told: each telling is an event. */
const NOTICED_PARTS = 10;

export class Ballots {
  readonly #open: Map<string, OpenBallot> = new Map();
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #definition: (agent: string) => Definition | undefined;
  readonly #post: (command: Command, by: string | undefined, bytes: number) => void;
  readonly #approvalOf: (taskId: string) => Json | undefined;

  constructor(parts: {
    readonly logger: Logger;
    /** Epoch milliseconds, by the clock that deadlines are of. */
    now(): number;
    definition(agent: string): Definition | undefined;
    post(command: Command, by: string | undefined, bytes: number): void;
    /** What is to be approved of a task: the context of those who vote on that. */
    approvalOf(taskId: string): Json | undefined;
  }) {
    this.#logger = parts.logger;
    this.#now = parts.now;
    this.#definition = parts.definition;
    this.#post = parts.post;
    this.#approvalOf = parts.approvalOf;
  }

  /** Ballots that were open before: their voters are asked as they register. */
  resume(ballots: readonly BallotView[]): void {
    for (const { open, opened, voted, openedAt } of ballots) {
      if (open) this.#open.set(opened.ballotId, this.#begin(opened, openedAt, voted));
    }
  }

  #begin(opened: BallotOpenedEvent, openedAt: number, voted: readonly string[] = []): OpenBallot {
    const { ballotId, deadlineAt } = opened;
    const timeMs = deadlineAt - openedAt;
    const closing = guardedController((error) => {
      const facts = { ballotId, error: failureOf(error).message };
      this.#logger.warn(facts, "a voter threw in a listener of its signal");
    });
    return { opened, asked: new Set(voted), closing, timeMs, deadlineAt, heldUpMs: 0 };
  }

  opened(event: BallotOpenedEvent, at: number): void {
    const ballot = this.#begin(event, at);
    this.#open.set(event.ballotId, ballot);
    this.#putOff(ballot, this.#now() - at);
    for (const voter of event.electorate) this.#ask(ballot, voter);
  }

  decided(ballotId: string): void {
    const ballot = this.#open.get(ballotId);
    this.#open.delete(ballotId);
    ballot?.closing.abort();
  }

  /** An agent has code here now. */
  registered(agent: string): void {
    for (const ballot of this.#open.values()) {
      if (ballot.opened.electorate.includes(agent)) this.#ask(ballot, agent);
    }
  }

  /** Tells all that are still thinking to stop. */
  stop(): void {
    const open = [...this.#open.values()];
    this.#open.clear();
    for (const { closing } of open) closing.abort();
  }

  #ask(ballot: OpenBallot, voter: string): void {
    if (ballot.asked.has(voter)) return;
    const definition = this.#definition(voter);
    const vote = definition?.kind === "agent" ? definition.vote : undefined;
    if (vote === undefined) return;
    ballot.asked.add(voter);
    const { opened } = ballot;
    const context = opened.approves === undefined ? opened.context : this.#approvalOf(opened.approves);
    // It was decided, or is wanted no more.
    if (opened.approves !== undefined && context === undefined) return;
    const askedAt = this.#now();
    const answer = this.#answerTo(ballot, voter, vote, context);
    const heldUpMs = this.#now() - askedAt;
    if (heldUpMs > 0 && askedAt + heldUpMs >= ballot.deadlineAt + ballot.heldUpMs) {
      this.#abstains(opened.ballotId, voter, `it kept the process busy for ${heldUpMs} ms, beyond the deadline`);
      answer.catch(() => undefined);
    } else void this.#take(opened.ballotId, voter, answer);
    if (heldUpMs > 0) for (const open of this.#open.values()) this.#putOff(open, heldUpMs);
  }

  /** Asks; what the voter does before it first waits for something is done when this returns. */
  async #answerTo(
    { opened, closing }: OpenBallot,
    voter: string,
    vote: Voter,
    context: Json | undefined,
  ): Promise<unknown> {
    return vote({
      question: opened.question,
      options: [...opened.options],
      voterId: voter,
      signal: closing.signal,
      ...(context === undefined ? {} : { context: copyOf(context) }),
    });
  }

  async #take(ballotId: string, voter: string, answer: Promise<unknown>): Promise<void> {
    let vote: unknown;
    try {
      vote = await answer;
    } catch (error) {
      this.#abstains(ballotId, voter, failureOf(error).message);
      return;
    }
    const { json, bytes } = this.#admitted(ballotId, voter, vote);
    this.#cast(ballotId, voter, json, bytes);
  }

  /** A vote of a wrong kind stays one. */
  #admitted(ballotId: string, voter: string, vote: unknown): { readonly json?: Json; readonly bytes: number } {
    if (vote === undefined) return { bytes: 0 };
    try {
      return admit(vote, `the vote of ${show(voter)}`, runtimeLimits.inputBytes);
    } catch (error) {
      const { message } = failureOf(error);
      this.#logger.warn({ ballotId, voter, error: message }, `the vote of ${show(voter)} is invalid: ${message}`);
      return { json: null, bytes: 0 };
    }
  }

  #abstains(ballotId: string, voter: string, why: string): void {
    this.#logger.warn({ ballotId, voter, error: why }, `voter ${show(voter)} failed and abstains: ${why}`);
    this.#cast(ballotId, voter, undefined, 0);
  }

  #cast(ballotId: string, voter: string, vote: Json | undefined, bytes: number): void {
    if (!this.#open.has(ballotId)) return;
    this.#post({ type: "ballot.cast", ballotId, voter, ...(vote === undefined ? {} : { vote }) }, voter, bytes);
  }

  /** Its voters could not vote for so long: that is made good, once it is worth telling. */
  #putOff(ballot: OpenBallot, ms: number): void {
    ballot.heldUpMs += ms;
    if (ballot.heldUpMs * NOTICED_PARTS < ballot.timeMs) return;
    this.#post({ type: "ballot.extend", ballotId: ballot.opened.ballotId, ms: ballot.heldUpMs }, undefined, 0);
    ballot.deadlineAt += ballot.heldUpMs;
    ballot.heldUpMs = 0;
  }
}
