/** What goes wrong in a simulation, and how often. */
import { invalid } from "../coordination/structures/arguments.ts";
import { checkOptions, notYet } from "../runtime/options.ts";
import type { ClockJump } from "./virtual-time.ts";

/**
 * How often what goes wrong: rates from 0 (the default) to 1. Whether it does is drawn from the seed, so that the same plan
 * strikes the same attempts and appends again. `journalTears` is refused: a journal in memory has no torn tail.
 *
 * @example
 * ```ts
 * import { simulate } from "safeguards/testing";
 * const { violations } = await simulate({
 *   agents: [{ name: "worker", capacity: 2 }],
 *   tasks: [{ id: "read", estimatedMs: 20 }, { id: "write", estimatedMs: 10, dependsOn: ["read"], timeoutMs: 60 }],
 *   seed: 7,
 *   faults: { agentThrows: 0.2, agentHangs: 0.1, processDies: 0.1 },
 * });
 * console.log(violations); // []
 * ```
 */
export interface FaultPlan {
  /** Per attempt: it throws instead of giving its output. */
  readonly agentThrows?: number;
  /** Per attempt: it never answers, and stops only when it is told to. Without a timeout or a deadline it runs for ever. */
  readonly agentHangs?: number;
  /** Per attempt: it gives another output after the first, through its promise and past it. */
  readonly agentAnswersTwice?: number;
  /** Per attempt: it answers only after its timeout and its grace, deaf to the signal; without a timeout, after ten times its time. */
  readonly agentAnswersLate?: number;
  /** Per attempt: told to stop, it goes on as if nothing had happened. */
  readonly ignoresAbort?: number;
  /** Per append: the process dies before or after it is written, and is started again; at most 100 times in a simulation. */
  readonly processDies?: number;
  /** Refused if above 0. */
  readonly journalTears?: number;
  /** Per append: the wall clock is set by up to an hour either way, or the process stands still for up to a minute. */
  readonly clockJumps?: number;
  /** Per attempt, and for the submission: the command is sent again under its id, and must be answered the same. */
  readonly duplicateCommands?: number;
}

const RATES = [
  "agentThrows",
  "agentHangs",
  "agentAnswersTwice",
  "agentAnswersLate",
  "ignoresAbort",
  "processDies",
  "clockJumps",
  "duplicateCommands",
] as const;
type Fault = (typeof RATES)[number];

const MOST_DEATHS = 100;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** How an attempt goes. */
export interface Script {
  readonly durationMs: number;
  readonly ends: "with an output" | "by throwing" | "never";
  /** To the signal. */
  readonly deaf: boolean;
  /** It gives two outputs, and not only to who awaits one. */
  readonly twice: boolean;
  /** Its answer is sent as a command with an id, two times. */
  readonly duplicated: boolean;
}

/** What of a task its script depends on. */
export interface Timing {
  readonly timeoutMs: number | undefined;
  readonly graceMs: number;
}

/** The plan, drawn from a seed. Each draw has a name and depends on nothing but that, its kind and the seed. */
export class Faults {
  readonly #rates: Readonly<Record<Fault, number>>;
  readonly #seed: number;
  #deaths = 0;

  /** INVALID_ARGUMENT for what is no rate. */
  constructor(plan: FaultPlan, seed: number) {
    checkOptions(plan, { known: [...RATES, "journalTears"] }, "a fault plan");
    for (const fault of [...RATES, "journalTears"] as const) checkRate(plan[fault], fault);
    if ((plan.journalTears ?? 0) > 0) throw notYet("journalTears of a fault plan");
    this.#rates = Object.fromEntries(RATES.map((fault) => [fault, plan[fault] ?? 0])) as Record<Fault, number>;
    this.#seed = seed;
  }

  strike(fault: Fault, at: string): boolean {
    const rate = this.#rates[fault];
    return rate > 0 && this.#draw(fault, at) < rate;
  }

  script(attempt: string, durationMs: number, { timeoutMs, graceMs }: Timing): Script {
    const late = this.strike("agentAnswersLate", attempt);
    const lateMs = timeoutMs === undefined ? durationMs * 10 : Math.max(durationMs, timeoutMs + graceMs + 1);
    return {
      durationMs: late ? lateMs : durationMs,
      ends: this.strike("agentHangs", attempt)
        ? "never"
        : this.strike("agentThrows", attempt)
          ? "by throwing"
          : "with an output",
      deaf: late || this.strike("ignoresAbort", attempt),
      twice: late || this.strike("agentAnswersTwice", attempt),
      duplicated: this.strike("duplicateCommands", attempt),
    };
  }

  /** Whether the process dies at this append, and on which side of it. */
  death(append: string): "before" | "after" | undefined {
    if (this.#deaths >= MOST_DEATHS || !this.strike("processDies", append)) return undefined;
    this.#deaths += 1;
    return this.#draw("the side of a death", append) < 0.5 ? "before" : "after";
  }

  clockJump(append: string): ClockJump | undefined {
    if (!this.strike("clockJumps", append)) return undefined;
    const size = this.#draw("the size of a jump", append);
    return this.#draw("the kind of a jump", append) < 0.5
      ? { wallMs: Math.round((2 * size - 1) * HOUR_MS) }
      : { stallMs: Math.round(size * MINUTE_MS) };
  }

  /** From 0 to below 1: the 32 bits of FNV-1a (Fowler, Noll, Vo) over the draw's name, mixed by the finalizer of MurmurHash3. */
  #draw(kind: string, at: string): number {
    let h = 0x811c9dc5;
    for (const unit of `${this.#seed} ${kind} ${at}`) h = Math.imul(h ^ (unit.codePointAt(0) ?? 0), 0x01000193);
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
  }
}

function checkRate(rate: unknown, fault: string): void {
  if (rate === undefined || (typeof rate === "number" && rate >= 0 && rate <= 1)) return;
  throw invalid(`${fault} of a fault plan`, rate, "a number from 0 to 1");
}
