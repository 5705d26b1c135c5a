import { nullRecord } from "../coordination/structures/arguments.ts";
import type { TaskStatus } from "../kernel/task.ts";
import { Distribution, type DistributionView } from "./distribution.ts";
import { runtimeLimits } from "./limits.ts";

/** How much there is, and how long things take, in milliseconds. */
export interface Stats {
  /** The last event. */
  readonly seq: number;
  readonly tasks: Readonly<Record<TaskStatus, number>>;
  /** From submission to the first start. */
  readonly queueWaitMs: DistributionView;
  /** From when an agent's code is entered to when it has ended. */
  readonly runMs: DistributionView;
  /** Deciding one batch. */
  readonly decisionMs: DistributionView;
  /** From a decision to when it is durable. */
  readonly journalMs: DistributionView;
  /** From a decision to when the agent's code is entered. */
  readonly dispatchMs: DistributionView;
  /** From when a message was sent to when it is handed to an agent that reads. */
  readonly messageMs: DistributionView;
  /**
   * The same by agent: the 256 whose attempts started last since the coordinator was opened. `cost` is the exact sum of all that the
   * agent's attempts have ever spent, as far as the journal knows, those that were lost included: it outlives restarts.
   */
  readonly agents: Readonly<Record<string, PartStats & { readonly cost: string }>>;
  /**
   * The same by what tasks ask for by name, such as `skills write / resources gpu`; `anything` for those that ask for nothing. The
   * 256 of which an attempt started last.
   */
  readonly classes: Readonly<Record<string, PartStats>>;
}

/** How long things take for one agent, or for tasks of one class: of the latest 256 measurements. */
export type PartStats = Pick<Stats, "queueWaitMs" | "runMs" | "dispatchMs" | "messageMs">;

/** What is measured of one agent, or of one class of tasks. */
export class PartMeters {
  readonly queueWait: Distribution = new Distribution(runtimeLimits.partSamples);
  readonly run: Distribution = new Distribution(runtimeLimits.partSamples);
  readonly dispatch: Distribution = new Distribution(runtimeLimits.partSamples);
  readonly message: Distribution = new Distribution(runtimeLimits.partSamples);

  stats(): PartStats {
    return {
      queueWaitMs: this.queueWait.view(),
      runMs: this.run.view(),
      dispatchMs: this.dispatch.view(),
      messageMs: this.message.view(),
    };
  }
}

/** Meters by name, as many as there may be: those that were asked for last. Constant time. */
class Breakdown {
  readonly #parts: Map<string, PartMeters> = new Map();

  of(name: string): PartMeters {
    const part = this.#parts.get(name) ?? new PartMeters();
    this.#parts.delete(name);
    this.#parts.set(name, part);
    if (this.#parts.size > runtimeLimits.meteredParts) {
      for (const oldest of this.#parts.keys()) {
        this.#parts.delete(oldest);
        break;
      }
    }
    return part;
  }

  all(): Iterable<readonly [name: string, part: PartMeters]> {
    return this.#parts;
  }

  stats(): Record<string, PartStats> {
    const stats = nullRecord<PartStats>();
    for (const [name, part] of this.#parts) stats[name] = part.stats();
    return stats;
  }
}

/** What is measured. */
export class Meters {
  readonly queueWait: Distribution = new Distribution();
  readonly run: Distribution = new Distribution();
  readonly decision: Distribution = new Distribution();
  readonly journal: Distribution = new Distribution();
  readonly dispatch: Distribution = new Distribution();
  readonly message: Distribution = new Distribution();
  readonly #agents: Breakdown = new Breakdown();
  readonly #classes: Breakdown = new Breakdown();

  /** Those of an agent, and those of a class of tasks. */
  partsOf(agent: string, classOfTask: string): readonly PartMeters[] {
    return [this.#agents.of(agent), this.#classes.of(classOfTask)];
  }

  /** `spentBy`: what an agent has spent. */
  stats(seq: number, tasks: Readonly<Record<TaskStatus, number>>, spentBy: (agent: string) => string): Stats {
    const agents = nullRecord<PartStats & { readonly cost: string }>();
    for (const [name, part] of this.#agents.all()) agents[name] = { ...part.stats(), cost: spentBy(name) };
    return {
      seq,
      tasks,
      queueWaitMs: this.queueWait.view(),
      runMs: this.run.view(),
      decisionMs: this.decision.view(),
      journalMs: this.journal.view(),
      dispatchMs: this.dispatch.view(),
      messageMs: this.message.view(),
      agents,
      classes: this.#classes.stats(),
    };
  }
}
