import { checkInteger, checkKeys, invalid } from "../coordination/structures/arguments.ts";
import type { RecordOf } from "../coordination/structures/types.ts";
import type { BudgetSpec, OpenSettings, ResourceSpec, TaskRequest } from "../kernel/commands.ts";
import { limits } from "../kernel/limits.ts";
import {
  type BudgetDescription,
  budgetsOf,
  type ResourceDescription,
  resourcesOf,
  settingsOf,
} from "../runtime/coordinator-options.ts";
import { checkOptions } from "../runtime/options.ts";
import type { TaskSpec } from "../runtime/task.ts";
import { takeInAll } from "../runtime/task-request.ts";
import { type FaultPlan, Faults } from "./fault-plan.ts";
import type { SimulatedAgent } from "./scripted-agent.ts";

/** What is simulated. Unknown keys are refused. */
export interface SimulatedCrew {
  readonly agents: readonly SimulatedAgent[];
  /** All of them are submitted together at time 0. */
  readonly tasks: readonly TaskSpec[];
  /** By id, as in the coordinator's options. */
  readonly resources?: RecordOf<ResourceDescription> | undefined;
  readonly budgets?: RecordOf<BudgetDescription> | undefined;
  /** Attempts that run at a time. Default: 64. */
  readonly concurrency?: number;
  /** As in the coordinator's options. */
  readonly agingMs?: number;
  /** As in the coordinator's options. */
  readonly protectAfterMs?: number;
  /** What faults are drawn from: a safe integer. Default: 0. */
  readonly seed?: number;
  /** Default: nothing goes wrong. */
  readonly faults?: FaultPlan;
  /** How long an attempt takes, in milliseconds: ≥ 0, rounded up to whole ones. Default: the task's `estimatedMs`, or 0. */
  readonly durations?: (task: TaskSpec, attempt: number) => number;
}

/** A crew, checked, in the terms of the runtime. */
export interface CheckedCrew {
  readonly agents: readonly SimulatedAgent[];
  readonly specs: readonly TaskSpec[];
  readonly requests: readonly TaskRequest[];
  readonly settings: OpenSettings;
  readonly resources: readonly (readonly [id: string, spec: ResourceSpec])[];
  readonly budgets: readonly (readonly [id: string, spec: BudgetSpec])[];
  readonly faults: Faults;
  readonly durations: (task: TaskSpec, attempt: number) => number;
}

const KEYS = {
  known: [
    "agents",
    "tasks",
    "resources",
    "budgets",
    "concurrency",
    "agingMs",
    "protectAfterMs",
    "seed",
    "faults",
    "durations",
  ],
};

/** INVALID_ARGUMENT for a crew that is not as described, or that asks for what this version does not have. */
export function checkCrew(crew: SimulatedCrew): CheckedCrew {
  checkOptions(crew, KEYS, "what is to be simulated");
  const { resources = {}, budgets = {}, ...options } = crew;
  const { agents, tasks, seed = 0, faults = {}, durations = ({ estimatedMs = 0 }) => estimatedMs } = options;
  if (!Array.isArray(agents)) throw invalid("agents", agents, "a list of agents");
  for (const agent of agents) checkKeys(agent, ["name", "skills", "capacity"], "an agent of a simulation");
  checkInteger(seed, "seed", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (typeof durations !== "function") throw invalid("durations", durations, "a function");
  return {
    agents,
    specs: tasks,
    // What a person or a ballot thinks of it takes no time here: it is as good as approved.
    requests: takeInAll(tasks, "tasks").requests.map(({ approval: _, ...request }) => request),
    // All that ended is told at the end.
    settings: { ...settingsOf(options), keepCount: limits.keptTasks },
    resources: resourcesOf({ resources }),
    budgets: budgetsOf({ budgets }),
    faults: new Faults(faults, seed),
    durations,
  };
}
