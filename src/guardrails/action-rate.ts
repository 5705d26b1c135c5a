import { checkDuration, checkId, checkInteger, invalid } from "../coordination/structures/arguments.ts";
import { runtimeLimits } from "../runtime/limits.ts";
import { checkOptions } from "../runtime/options.ts";
import type { GuardedSubject, Guardrail } from "./guardrail.ts";

/** What {@link actionRate} takes. */
export interface ActionRateOptions {
  /** Actions within the window: 1 to 10 000. */
  readonly limit: number;
  /** The window: milliseconds above 0. */
  readonly perMs: number;
  /** Whose actions are counted together. Default: `agent`. */
  readonly per?: "agent" | "task" | "all";
  /** Default: `action-rate`. */
  readonly name?: string;
}

const WHOSE = ["agent", "task", "all"] as const;

/**
 * Blocks an action when as many as are allowed were let pass by it within the last `perMs` milliseconds. Counts in memory,
 * for this opening of the journal; of 10 000 agents or tasks at most within one window.
 *
 * @example
 * ```ts
 * import { actionRate, Coordinator } from "safeguards";
 * await using coordinator = await Coordinator.open({ guardrails: [actionRate({ limit: 10, perMs: 60_000 })] });
 * ```
 */
export function actionRate(options: ActionRateOptions): Guardrail {
  checkOptions(options, { known: ["limit", "perMs", "per", "name"] }, "the options of actionRate");
  const { limit, perMs, per = "agent", name = "action-rate" } = options;
  checkInteger(limit, "limit of actionRate", 1, runtimeLimits.countedActions);
  checkDuration(perMs, "perMs of actionRate");
  if (!WHOSE.includes(per)) throw invalid("per of actionRate", per, WHOSE.join(", "));
  const windows = new Windows(limit, perMs);
  return {
    name: checkId(name, "name of actionRate"),
    on: "action",
    // Asked by a coordinator it is told the time; asked by anybody else it takes the system's.
    check: ({ task, agent = "", at = Date.now() }: GuardedSubject) => {
      if (windows.admits(per === "agent" ? agent : per === "task" ? task.id : "", at)) return { allow: true };
      return { allow: false, reason: `more than ${limit} actions within ${perMs} ms` };
    },
  };
}

/** When each of those that are counted apart acted last: oldest first, and no more than count. */
class Windows {
  readonly #limit: number;
  readonly #perMs: number;
  /** In order of their last action. */
  readonly #times: Map<string, number[]> = new Map();

  constructor(limit: number, perMs: number) {
    this.#limit = limit;
    this.#perMs = perMs;
  }

  admits(whose: string, at: number): boolean {
    const times = this.#times.get(whose) ?? [];
    let past = 0;
    while (past < times.length && (times[past] ?? at) <= at - this.#perMs) past += 1;
    times.splice(0, past);
    if (times.length >= this.#limit || !this.#hasRoom(whose, at)) return false;
    times.push(at);
    this.#times.delete(whose);
    this.#times.set(whose, times);
    return true;
  }

  #hasRoom(whose: string, at: number): boolean {
    if (this.#times.has(whose) || this.#times.size < runtimeLimits.countedActors) return true;
    for (const [longest, times] of this.#times) {
      if ((times.at(-1) ?? 0) > at - this.#perMs) return false;
      this.#times.delete(longest);
      return true;
    }
    return true;
  }
}
