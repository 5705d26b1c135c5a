/** What can be seen of the kernel: plain data that the caller may keep. */
import { show } from "../coordination/structures/arguments.ts";
import { type ErrorCode, SafeguardsError } from "../errors.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { BallotResult, QueryTypes } from "./backend.ts";
import type { Clock } from "./clock.ts";
import { type OutcomeData, outcomeOf } from "./outcome.ts";
import type { Meters } from "./stats.ts";

type Answers = { readonly [N in keyof QueryTypes]: (about: QueryTypes[N]["in"]) => QueryTypes[N]["out"] };

export class Queries {
  readonly answers: Answers;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, clock: Clock, meters: Meters) {
    this.#kernel = kernel;
    this.answers = {
      settled: () => undefined,
      status: (id) => known(kernel.task(id), "task", "UNKNOWN_TASK", id).status,
      explain: (id) => known(kernel.explain(id, clock.now()), "task", "UNKNOWN_TASK", id),
      outcome: (id) => ifEnded(known(this.outcome(id), "task", "UNKNOWN_TASK", id)),
      decision: (id) => ifEnded(known(this.decision(id), "ballot", "UNKNOWN_BALLOT", id)),
      tasks: (filter) => {
        const { after } = filter;
        if (after !== undefined) known(kernel.task(after), "task", "UNKNOWN_TASK", after);
        return kernel.tasks(filter);
      },
      agents: () =>
        kernel.agents(clock.now()).map((agent) => (agent.team ? { ...agent, team: [...agent.team] } : agent)),
      resources: () => kernel.resources(clock.now()),
      ballots: () => kernel.ballots().map(({ ballotId, open, decision }) => ({ ...decision, ballotId, open })),
      stats: () => meters.stats(kernel.seq, kernel.counts()),
    };
  }

  /** How a task ended; undefined when there is none with that id. */
  outcome(id: string): OutcomeData | "open" | undefined {
    const view = this.#kernel.task(id);
    return view === undefined ? undefined : (outcomeOf(view) ?? "open");
  }

  /** What came of a ballot; undefined when there is none with that id. */
  decision(id: string): BallotResult | "open" | undefined {
    const view = this.#kernel.ballot(id);
    if (view === undefined) return undefined;
    return view.open ? "open" : { ...view.decision, ballotId: id, open: false };
  }
}

function known<T>(found: T | undefined, what: string, code: ErrorCode, id: string): T {
  if (found !== undefined) return found;
  throw new SafeguardsError(code, `no ${what} has the id ${show(id)}`, { details: { id } });
}

function ifEnded<T>(end: T | "open"): T | null {
  return end === "open" ? null : end;
}
