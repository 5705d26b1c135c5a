/** The guardrails of a coordinator, asked about one thing at a time. */
import type { Logger } from "../agents/agent.ts";
import { show } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import type { GuardedPoint, Guardrail } from "../guardrails/guardrail.ts";
import { type Blocked, type Judged, judge } from "../guardrails/judge.ts";
import type { TaskView } from "../kernel/views.ts";
import type { Clock } from "./clock.ts";
import { taskOf } from "./handed-task.ts";
import { runtimeLimits } from "./limits.ts";

/** Whose the value is: nobody's yet, an agent's, or an agent's for an action. */
export interface Judging {
  readonly agent?: string;
  readonly action?: string;
  /** Whether something can be made of a changed value. Default: true. */
  readonly takesChange?: boolean;
  /** Aborted when nobody wants to know any more: then the answer says nothing, and nobody else is asked. */
  readonly signal?: AbortSignal;
}

export class Judges {
  readonly #guardrails: Readonly<Record<GuardedPoint, readonly Guardrail[]>>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** What ends the time of each guardrail that is asked and has not answered. */
  readonly #patience: Set<() => void> = new Set();

  constructor(guardrails: readonly Guardrail[], clock: Clock, logger: Logger) {
    const those = (on: GuardedPoint): readonly Guardrail[] => guardrails.filter((guardrail) => guardrail.on === on);
    this.#guardrails = { input: those("input"), output: those("output"), action: those("action") };
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Whether any guardrail looks at these: else there is nobody to ask. */
  watch(on: GuardedPoint): boolean {
    return this.#guardrails[on].length > 0;
  }

  /**
   * What the guardrails say of an input, an output or the arguments of an action of the task. Never rejects. Their verdicts
   * are to be handed to the kernel with what follows from them (`task.judge`, `attempt.complete`, `attempt.act`).
   */
  judge(
    on: GuardedPoint,
    view: TaskView,
    value: Json,
    { agent, action, takesChange, signal }: Judging = {},
  ): Promise<Judged> {
    const subject = {
      task: taskOf(view),
      ...(agent === undefined ? {} : { agent }),
      value,
      ...(action === undefined ? {} : { action }),
      at: this.#clock.now(),
    };
    return judge(this.#guardrails[on], subject, {
      after: (ms, fn) => this.#after(ms, fn),
      maxBytes: on === "output" ? runtimeLimits.outputBytes : runtimeLimits.inputBytes,
      ...(takesChange === undefined ? {} : { takesChange }),
      ...(signal === undefined ? {} : { signal }),
      threw: (guardrail, error) => this.#threw(view.id, guardrail, error),
    });
  }

  /** Waits for nobody any more, so that no timer keeps the process alive: whoever has not answered is late. */
  stop(): void {
    for (const end of [...this.#patience]) end();
  }

  #after(ms: number, fn: () => void): () => void {
    const forget = (): void => {
      cancel();
      this.#patience.delete(end);
    };
    const end = (): void => {
      forget();
      fn();
    };
    const cancel = this.#clock.after(ms, end);
    this.#patience.add(end);
    return forget;
  }

  /** What it threw may repeat what it was asked about: that is for those only who ask for it. */
  #threw(taskId: string, guardrail: string, error: unknown): void {
    this.#logger.warn({ taskId, guardrail }, `guardrail ${show(guardrail)} threw, and so blocks; debug says what`);
    this.#logger.debug({ taskId, guardrail, error }, `what guardrail ${show(guardrail)} threw`);
  }
}

/** What whoever asked for what was blocked is told. */
export function blockedError({ guardrail, reason }: Blocked, what: string): SafeguardsError {
  return new SafeguardsError("GUARDRAIL_BLOCKED", `guardrail ${guardrail} blocked ${what}: ${reason}`, {
    details: { guardrail },
  });
}
