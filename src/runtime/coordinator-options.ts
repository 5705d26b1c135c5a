/** What a coordinator is opened with. */
import type { Logger } from "../agents/agent.ts";
import { checkKeys, entriesOf, invalid, show } from "../coordination/structures/arguments.ts";
import type { Money, RecordOf } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import { checkGuardrails, type Guardrail, namesOf } from "../guardrails/guardrail.ts";
import type { BudgetSpec, OpenSettings, ResourceSpec } from "../kernel/commands.ts";
import type { BreakerPolicy } from "../kernel/events/agents.ts";
import type { OpenedEvent } from "../kernel/events/coordinator.ts";
import type { ResourceKind } from "../kernel/events/resources.ts";
import { checkFunction, checkOptional, checkOptions } from "./options.ts";

/** A resource that tasks share. */
export interface ResourceDescription {
  readonly type: ResourceKind;
  /** ≥ 0, at most nine decimals. */
  readonly capacity: number;
  /** Makes it a rate: `capacity` each `per` milliseconds, refilling all the time. */
  readonly per?: number;
  /**
   * When to give it to nobody for a while: how the attempts that hold it end is counted, as it is for agents. Default: never; for a
   * resource that there is, also one that the journal holds: as before, open if it is. Another policy leaves it as it is, unless
   * `ratio` changes: then it begins anew, closed. `null` takes it away.
   */
  readonly breaker?: BreakerPolicy | null;
}

/** A budget that tasks are paid from. */
export interface BudgetDescription {
  /** How much may be spent under it and all that is part of it: ≥ 0, at most 15 digits before the point and 15 behind it. */
  readonly limit: Money;
  /** The budget that it is part of: told once, and for ever. Default: none. At most 32 one above the other. */
  readonly parent?: string;
}

/** What a coordinator is opened with. Unknown keys are refused. */
export interface CoordinatorOptions {
  /** Where events are kept: `memory:`, `sqlite:PATH`, or a journal. Default: `memory:`. */
  readonly journal?: string | object;
  /** Forward to the process that writes this SQLite journal, through the socket beside it. Default: false. */
  readonly join?: boolean;
  /** Attempts that run at a time: 1 to 1 000 000. Default: 64. */
  readonly concurrency?: number;
  /** Milliseconds of waiting that weigh as much as one level of priority; Infinity: none. Default: Infinity. */
  readonly agingMs?: number;
  /** Milliseconds that a task waits for room before room is kept for it; Infinity: never. Default: 30 000. */
  readonly protectAfterMs?: number;
  /** Milliseconds that a task waits for an agent that can do it. Default: 60 000. */
  readonly unroutableMs?: number;
  /**
   * How many tasks that have ended are kept in memory, to be listed and tried again; with `ms`, those that ended so many
   * milliseconds ago leave, too, as others end after them. The others stay in the journal's archive: their results and outcomes are there for ever. Default: `count` 100 000 (0 to
   * 10 000 000), `ms` without end.
   */
  readonly keepFinished?: { readonly count?: number; readonly ms?: number };
  /** Resources by id. What the journal knows of and is not named here stays as it is. */
  readonly resources?: RecordOf<ResourceDescription> | undefined;
  /** Budgets by id, in any order. What the journal knows of and is not named here stays as it is; what is spent is never forgotten. */
  readonly budgets?: RecordOf<BudgetDescription> | undefined;
  /**
   * Whether an abandoned attempt, whose code goes on although it was told to stop and its grace is over, keeps its resources
   * until that code has really ended, or its process has. Its slot and its room on the agent are free at once either way.
   * Default: false, which frees them, and warns.
   */
  readonly strict?: boolean;
  /**
   * Look at inputs before anybody is given them, at outputs before they count, and at actions before they are taken: in this
   * order, each at what those before it made of it, up to the first that blocks. At most 64 for each. A task that was
   * submitted when there were others, and that none has let pass, is looked at by these. Default: none.
   */
  readonly guardrails?: readonly Guardrail[];
  /** Default: warnings and errors go to stderr, the rest nowhere. */
  readonly logger?: Logger;
}

const SETTINGS = ["concurrency", "agingMs", "protectAfterMs", "unroutableMs", "strict"] as const;
const KEYS = {
  known: ["journal", "join", ...SETTINGS, "keepFinished", "resources", "budgets", "guardrails", "logger"],
};
const JOINING = ["journal", "join", "logger"];

/** What of the options was read once, and holds from then on. */
export interface CheckedOptions {
  /** Whether they ask for a coordinator that joins. */
  readonly join: boolean;
  readonly guardrails: readonly Guardrail[];
}

/** INVALID_ARGUMENT for options that are not as described. */
export function checkCoordinatorOptions(options: CoordinatorOptions): CheckedOptions {
  checkOptions(options, KEYS, "a coordinator's options");
  const { journal, join = false, guardrails, logger } = options;
  checkOptional(join, "boolean", "join");
  if (journal !== undefined && typeof journal !== "string" && (typeof journal !== "object" || journal === null)) {
    throw invalid("journal", journal, "a URL or a journal");
  }
  if (logger !== undefined) checkLogger(logger);
  const checked = { join, guardrails: guardrails === undefined ? [] : checkGuardrails(guardrails, "guardrails") };
  if (!join) return checked;
  for (const key of Object.keys(options)) {
    if (JOINING.includes(key)) continue;
    const message = `the option ${show(key)} is for the process that writes the journal; with join it has no effect`;
    throw new SafeguardsError("INVALID_ARGUMENT", message);
  }
  return checked;
}

export function settingsOf(options: CoordinatorOptions): OpenSettings {
  const given = SETTINGS.filter((key) => options[key] !== undefined);
  const { count, ms } = keptOf(options);
  const guardrails = namesOf(options.guardrails ?? []);
  return {
    ...Object.fromEntries(given.map((key) => [key, options[key]])),
    ...(count === undefined ? {} : { keepCount: count }),
    ...(ms === undefined ? {} : { keepMs: ms }),
    ...(guardrails === undefined ? {} : { guardrails }),
  };
}

/** The options that a journal was last opened with. */
export function optionsOf(opened: OpenedEvent): CoordinatorOptions {
  const { concurrency, agingMs, protectAfterMs = Number.POSITIVE_INFINITY, unroutableMs, keepCount, keepMs } = opened;
  return {
    ...(opened.strict === undefined ? {} : { strict: opened.strict }),
    concurrency,
    ...(agingMs === undefined ? {} : { agingMs }),
    protectAfterMs,
    unroutableMs,
    keepFinished: {
      ...(keepCount === undefined ? {} : { count: keepCount }),
      ...(keepMs === undefined ? {} : { ms: keepMs }),
    },
  };
}

function keptOf({ keepFinished = {} }: CoordinatorOptions): { readonly count?: number; readonly ms?: number } {
  if (typeof keepFinished !== "object" || keepFinished === null)
    throw invalid("keepFinished", keepFinished, "an object with count or ms");
  checkKeys(keepFinished, ["count", "ms"], "keepFinished");
  return keepFinished;
}

export function resourcesOf({ resources = {} }: CoordinatorOptions): (readonly [id: string, spec: ResourceSpec])[] {
  const entries = entriesOf(resources, "resources");
  return entries.map(([id, description]) => [id, resourceOf(id, description)]);
}

/** A resource as the kernel is told of it. */
export function resourceOf(id: string, description: ResourceDescription): ResourceSpec {
  checkKeys(description, ["type", "capacity", "per", "breaker"], `resource ${show(id)}`);
  const { type: kind, capacity, per, breaker } = description;
  return { kind, capacity, ...(per === undefined ? {} : { per }), ...(breaker === undefined ? {} : { breaker }) };
}

/** Each behind the one that it is part of. */
export function budgetsOf({ budgets = {} }: CoordinatorOptions): (readonly [id: string, spec: BudgetSpec])[] {
  const left = new Map(entriesOf(budgets, "budgets").map(([id, given]) => [id, budgetOf(id, given)]));
  const ordered: (readonly [id: string, spec: BudgetSpec])[] = [];
  while (left.size > 0) {
    const first = [...left].filter(([, { parent }]) => parent === undefined || !left.has(parent));
    if (first.length === 0)
      throw invalid("budgets", [...left.keys()], "budgets that are not part of themselves, by whatever way");
    for (const [id] of first) left.delete(id);
    ordered.push(...first);
  }
  return ordered;
}

/** A budget as the kernel is told of it. */
export function budgetOf(id: string, description: BudgetDescription): BudgetSpec {
  checkKeys(description, ["limit", "parent"], `budget ${show(id)}`);
  const { limit, parent } = description;
  return { limit, ...(parent === undefined ? {} : { parent }) };
}

export function checkLogger(logger: Logger): void {
  if (typeof logger !== "object" || logger === null) throw invalid("logger", logger, "an object");
  for (const level of ["debug", "info", "warn", "error"] as const)
    checkFunction(logger[level], `${level} of the logger`);
}
