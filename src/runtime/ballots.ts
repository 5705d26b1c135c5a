/**
 * Asks the voters that live in this process.
 *
 * 1. A voter is asked once for each ballot in which it has a vote, when the ballot is durably open.
 * 2. One that throws, or gives what is not JSON, abstains; one that is late is not waited for.
 */
import type { Logger, Voter } from "../agents/agent.ts";
import type { Definition } from "../agents/definition.ts";
import { show } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import type { Command } from "../kernel/commands.ts";
import type { BallotOpenedEvent } from "../kernel/events/ballots.ts";
import type { BallotView } from "../kernel/views.ts";
import { failureOf } from "./failure.ts";
import { admit, copyOf } from "./json.ts";
import { runtimeLimits } from "./limits.ts";

interface OpenBallot {
  readonly opened: BallotOpenedEvent;
  /** Who has voted before, or was asked. */
  readonly asked: Set<string>;
  readonly closing: AbortController;
}

export class Ballots {
  readonly #open: Map<string, OpenBallot> = new Map();
  readonly #logger: Logger;
  readonly #definition: (agent: string) => Definition | undefined;
  readonly #post: (command: Command, by: string, bytes: number) => void;
  readonly #approvalOf: (taskId: string) => Json | undefined;

  constructor(parts: {
    readonly logger: Logger;
    definition(agent: string): Definition | undefined;
    post(command: Command, by: string, bytes: number): void;
    /** What is to be approved of a task: the context of those who vote on that. */
    approvalOf(taskId: string): Json | undefined;
  }) {
    this.#logger = parts.logger;
    this.#definition = parts.definition;
    this.#post = parts.post;
    this.#approvalOf = parts.approvalOf;
  }

  /** Ballots that were open before: their voters are asked as they register. */
  resume(ballots: readonly BallotView[]): void {
    for (const { open, opened, voted } of ballots) {
      if (!open) continue;
      this.#open.set(opened.ballotId, { opened, asked: new Set(voted), closing: new AbortController() });
    }
  }

  opened(event: BallotOpenedEvent): void {
    const ballot: OpenBallot = { opened: event, asked: new Set(), closing: new AbortController() };
    this.#open.set(event.ballotId, ballot);
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
    void this.#vote(ballot, voter, vote);
  }

  async #vote({ opened, closing }: OpenBallot, voter: string, vote: Voter): Promise<void> {
    const { ballotId, question, options, approves } = opened;
    const context = approves === undefined ? opened.context : this.#approvalOf(approves);
    // It was decided, or is wanted no more.
    if (approves !== undefined && context === undefined) return;
    let given: Json | undefined;
    let bytes = 0;
    try {
      const answer: unknown = await vote({
        question,
        options: [...options],
        voterId: voter,
        signal: closing.signal,
        ...(context === undefined ? {} : { context: copyOf(context) }),
      });
      if (answer !== undefined) {
        ({ json: given, bytes } = admit(answer, `the vote of ${show(voter)}`, runtimeLimits.inputBytes));
      }
    } catch (error) {
      const { message } = failureOf(error);
      this.#logger.warn({ ballotId, voter, error: message }, `voter ${show(voter)} failed and abstains: ${message}`);
    }
    if (!this.#open.has(ballotId)) return;
    this.#post({ type: "ballot.cast", ballotId, voter, ...(given === undefined ? {} : { vote: given }) }, voter, bytes);
  }
}
