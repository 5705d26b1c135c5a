import type { TaskStatus } from "../kernel/state.ts";
import { Distribution, type DistributionView } from "./distribution.ts";

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
}

/** What is measured. */
export class Meters {
  readonly queueWait: Distribution = new Distribution();
  readonly run: Distribution = new Distribution();
  readonly decision: Distribution = new Distribution();
  readonly journal: Distribution = new Distribution();
  readonly dispatch: Distribution = new Distribution();
  readonly message: Distribution = new Distribution();

  stats(seq: number, tasks: Readonly<Record<TaskStatus, number>>): Stats {
    return {
      seq,
      tasks,
      queueWaitMs: this.queueWait.view(),
      runMs: this.run.view(),
      decisionMs: this.decision.view(),
      journalMs: this.journal.view(),
      dispatchMs: this.dispatch.view(),
      messageMs: this.message.view(),
    };
  }
}
