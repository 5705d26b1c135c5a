/** Who takes part in random sequences, and the tasks that are asked for in them. */

import type {
  AgentDescription,
  BudgetSpec,
  Command,
  OpenSettings,
  ResourceSpec,
  TaskRequest,
} from "../../src/kernel/commands.ts";
import type { ApprovalPolicy } from "../../src/kernel/events/approvals.ts";
import type { GuardrailNames } from "../../src/kernel/events/guardrails.ts";
import type { FallbackPolicy } from "../../src/kernel/events/tasks.ts";
import type { Model } from "./model.ts";
import type { Tape } from "./tape.fixture.ts";

type BudgetOf = BudgetSpec & { readonly budget: string };
type ResourceOf = ResourceSpec & { readonly resource: string };

/** Where a task is submitted. */
export type Place = "top" | "plan" | "code";

const WORKERS = ["ann", "bob", "cy", "dan"] as const;
const MANAGERS = ["boss", "sub"] as const;
export const NAMES: readonly [string, ...string[]] = [...WORKERS, ...MANAGERS];

const SKILLS = [["x"], ["y"], ["x", "y"], [{ skill: "y", level: 0.8 }], ["z"], ["lead"], ["z"], ["nobody"]] as const;

const OFTEN = { ratio: 0.5, minCalls: 2, windowMs: 2_000, resetMs: 800, halfOpenMax: 2 };
const SHAKY = { failureThreshold: 1, resetMs: 800 };
const RESOURCES: readonly ResourceOf[] = [
  { resource: "disk", kind: "storage", capacity: 3 },
  { resource: "net", kind: "api_call", capacity: 2.5, breaker: SHAKY },
  { resource: "calls", kind: "api_call", capacity: 4, per: 4_000, breaker: OFTEN },
];

/** A part stands behind what it is part of. */
const BUDGETS: readonly [BudgetOf, ...BudgetOf[]] = [
  { budget: "all", limit: 9 },
  { budget: "team", limit: 5, parent: "all" },
  { budget: "lab", limit: "2.50", parent: "team" },
];

const GUARDRAILS: readonly [GuardrailNames, ...GuardrailNames[]] = [
  { input: ["shape"], output: ["tone"] },
  { input: ["shape", "size"], action: ["host"] },
  { output: ["tone"], action: ["host"] },
];

const APPROVALS: readonly [ApprovalPolicy, ...ApprovalPolicy[]] = [
  {},
  { before: "output" },
  { before: "run", expiresMs: 1_500 },
  { before: "output", expiresMs: 1_000 },
  { by: { ballot: "majority" }, expiresMs: 2_000 },
  { before: "output", by: { ballot: "approval" } },
  { by: { ballot: "weighted", voters: ["ann", "cy"] } },
  { before: "output", by: { ballot: "unanimous" }, expiresMs: 1_500 },
];

const LEAST: readonly ["any", ...("all" | "any" | number)[]] = ["any", "all", 1, 2];

/** How long one has to wait for a reservation; where none is named it is the default, longer than most sequences take. */
const PATIENCE: readonly [number, ...number[]] = [0, 500, 1_000, 3_000, Number.POSITIVE_INFINITY];

export class Cast {
  readonly #model: Model;
  /** How likely a task needs resources, and how likely it asks for no skill, in percent: a sequence's own. */
  readonly #scarcity: number;
  readonly #anybody: number;
  /** How likely another task may give it its output. */
  readonly #shared: number;
  /** How likely others may be given to an agent with it. */
  readonly #batched: number;
  /** How likely it is paid from a budget. */
  readonly #paid: number;
  #named = 0;

  constructor(model: Model, tape: Tape) {
    this.#model = model;
    this.#scarcity = tape.pick([5, 35, 60]);
    this.#anybody = tape.pick([80, 50, 10]);
    this.#shared = tape.pick([10, 0, 80]);
    this.#paid = tape.pick([10, 60, 95]);
    this.#batched = tape.pick([0, 40, 90]);
  }

  open(tape: Tape): Command {
    const settings: OpenSettings = {
      concurrency: tape.pick([4, 1, 2, 3, 6, 9]),
      unroutableMs: 5_000,
      ...(tape.chance(30) ? { agingMs: tape.below(3) * 500 } : {}),
      ...(tape.chance(60) ? { strict: true } : {}),
      ...(tape.chance(35) ? { guardrails: tape.pick(GUARDRAILS) } : {}),
      ...(tape.chance(80) ? { protectAfterMs: tape.pick(PATIENCE) } : {}),
    };
    return { type: "coordinator.open", ...settings };
  }

  agent(name: string, tape: Tape): AgentDescription {
    switch (name) {
      case "boss":
      case "sub": {
        const team = name === "boss" ? ["ann", "bob", "sub"] : ["cy", "dan"];
        const minSuccess = tape.pick<"all" | "any" | number>(LEAST);
        const capacity = 1 + tape.below(3);
        const breaker = tape.chance(30) ? { breaker: { failureThreshold: 1, resetMs: 800 } } : {};
        const succeeding = { minSuccess, failFast: tape.chance(40) };
        return { name, kind: "manager", skills: ["lead"], team, capacity, ...succeeding, ...breaker };
      }
      case "dan": {
        const failureThreshold = 1 + tape.below(2);
        const trying = { resetMs: 4_000, halfOpenMax: 1 + tape.below(2) };
        const breaker = tape.chance(40) ? { ...OFTEN, ...trying } : { failureThreshold, ...trying };
        const maxBatch = 2 + tape.below(3);
        const capacity = 1 + tape.below(4);
        return { name, kind: "agent", skills: ["x", "y", "z"], capacity, breaker, maxBatch, ...this.#voting(tape) };
      }
      default: {
        const few = tape.chance(15);
        const skills = name === "ann" ? (few ? ["x"] : ["x", "y"]) : name === "bob" ? ["x"] : { y: few ? 0.5 : 0.9 };
        const breaker = name === "ann" && tape.chance(50) ? { breaker: { failureThreshold: 1, resetMs: 2_500 } } : {};
        const together = name === "ann" || tape.chance(30) ? { maxBatch: 1 + tape.below(4) } : {};
        const more = { ...breaker, ...together, ...this.#voting(tape) };
        return { name, kind: "agent", skills, capacity: tape.below(5), ...more };
      }
    }
  }

  #voting(tape: Tape): Pick<AgentDescription, "votes" | "weight"> {
    return tape.chance(75) ? { votes: true, weight: tape.pick([1, 2, 3, 0]) } : {};
  }

  /** Each agent, as likely as this. */
  crew(tape: Tape, percent: number): Command[] {
    return NAMES.flatMap((name) =>
      tape.below(100) < percent ? [{ type: "agent.register", agent: this.agent(name, tape) }] : [],
    );
  }

  resources(): Command[] {
    return RESOURCES.map((spec) => ({ type: "resource.set", ...spec }));
  }

  /** Less of it than this. */
  lessOf(id: string, amount: number): Command | undefined {
    const spec = RESOURCES.find(({ resource }) => resource === id);
    return spec && { type: "resource.set", ...spec, capacity: Math.max(0, amount - 0.5) };
  }

  anotherCapacity(tape: Tape): Command {
    const specs: readonly [ResourceOf, ...ResourceOf[]] = [
      { resource: "disk", kind: "storage", capacity: tape.pick([3, 2, 1, 4, 0]) },
      {
        resource: "net",
        kind: "api_call",
        capacity: 1 + tape.below(3),
        ...tape.pick([{ breaker: SHAKY }, { breaker: OFTEN }, {}]),
      },
      {
        resource: "calls",
        kind: "api_call",
        capacity: 1 + tape.below(5),
        per: tape.pick([4_000, 1_000]),
        ...tape.pick([{ breaker: OFTEN }, {}, { breaker: null }]),
      },
    ];
    return { type: "resource.set", ...tape.pick(specs) };
  }

  budgets(): Command[] {
    return BUDGETS.map((spec) => ({ type: "budget.set", ...spec }));
  }

  /** More than is taken of it already, mostly: what is spent never comes back. */
  anotherLimit(tape: Tape): Command {
    const { budget } = tape.pick(BUDGETS);
    const { spent = 0 } = this.#model.budget(budget) ?? {};
    return { type: "budget.set", budget, limit: (tape.pick([300, 400, 900, 100, 200, 0]) + spent) / 100 };
  }

  requests(where: Place, count: number, tape: Tape): TaskRequest[] {
    const requests: TaskRequest[] = [];
    for (let i = 0; i < count; i++) {
      const siblings = requests.flatMap(({ id }) => id ?? []);
      requests.push(this.request(where, tape, siblings));
    }
    return requests;
  }

  /** Its siblings are those asked for with it, by their ids. */
  request(where: Place, tape: Tape, siblings: readonly string[] = []): TaskRequest {
    const resources: Record<string, number> = {};
    const isBatched = tape.chance(this.#batched);
    // Only those who ask for the same are given to an agent together.
    const isPlain = isBatched && tape.chance(85);
    if (tape.chance(isPlain ? 25 : this.#scarcity)) resources.disk = 1 + tape.below(3);
    if (!isPlain && tape.chance(this.#scarcity / 2)) resources.net = (1 + tape.below(5)) / 2;
    if (!isPlain && tape.chance(10)) resources.calls = 1 + tape.below(3);
    this.#named += 1;
    const unnamed = tape.chance(where === "plan" ? 50 : where === "top" ? 5 : 0);
    const isShared = tape.chance(this.#shared);
    const asked = tape.chance(100 - this.#anybody) ? (tape.pick(SKILLS) ?? []) : [];
    // Only those who ask for the same agents ask for the same output.
    const skills = isPlain || (isShared && tape.chance(70)) ? [] : asked;
    const dependsOn = tape.chance(25) ? this.#dependencies(where, siblings, tape) : [];
    const paid = tape.chance(where !== "top" ? 10 : isPlain ? this.#paid / 2 : this.#paid);
    // Plans use names again, of one round or of those who led the task before.
    const again = where === "plan" && tape.chance(15) ? ["p", "q"].find((name) => !siblings.includes(name)) : undefined;
    return {
      ...(unnamed ? {} : { id: again ?? `n${this.#named}` }),
      skills,
      ...(tape.chance(60) ? { priority: tape.below(10) } : {}),
      ...(tape.chance(30) ? { load: tape.pick([0.5, 1, 2, 3]) } : {}),
      ...(Object.keys(resources).length > 0 ? { resources } : {}),
      ...(dependsOn.length > 0 ? { dependsOn } : {}),
      ...(dependsOn.length > 0 && tape.chance(30) ? { onDependencyFailure: "run" as const } : {}),
      ...(tape.chance(40) ? { preemptible: false } : {}),
      ...(tape.chance(40) ? { estimatedMs: 100 * tape.below(30) } : {}),
      ...(tape.chance(20) ? { timeoutMs: 500 + 100 * tape.below(20) } : {}),
      ...(tape.chance(10) ? { deadlineMs: 3_000 + 100 * tape.below(100) } : {}),
      ...(tape.chance(8) && where === "top" ? { agent: tape.pick(NAMES) } : {}),
      ...(paid ? { budget: tape.pick(["team", "all", "team", "lab"]) } : {}),
      ...(paid || tape.chance(25) ? { cost: tape.pick([2, 1, "0.25", 3, 0, 2.5]) } : {}),
      ...(!isPlain && tape.chance(20) ? { fallback: this.#fallback(where, tape) } : {}),
      ...(tape.chance(18) ? { approval: tape.pick(APPROVALS) } : {}),
      ...(isBatched ? { batchKey: tape.pick(["b", "b", "b", "c"]), batchWaitMs: tape.pick([0, 700, 200]) } : {}),
      ...(isShared ? { cacheKey: tape.pick(["k", "k", "l"]), cacheMs: tape.pick([300, 0, 3_000, 3_000]) } : {}),
      graceMs: 100 * tape.below(10),
      // Jitter is drawn.
      retry: { maxAttempts: tape.pick([1, 2, 3, 3, 5]), initialMs: 200, jitter: false },
    };
  }

  #fallback(where: Place, tape: Tape): FallbackPolicy {
    const value = tape.chance(50) ? { value: 0 } : {};
    switch (tape.below(where === "top" ? 4 : 3)) {
      case 0:
        return { value: 0 };
      case 1:
        return { skills: ["x"], ...value };
      case 2:
        return { skills: tape.pick(SKILLS) ?? [], ...value };
      default:
        return { agent: tape.pick(NAMES), ...value };
    }
  }

  #dependencies(where: Place, siblings: readonly string[], tape: Tape): readonly string[] {
    const everybody = this.#model.tasks.map(({ id }) => id);
    const among = where === "top" || tape.chance(20) ? everybody : siblings;
    const count = tape.chance(30) ? 2 : 1;
    return [...new Set(Array.from({ length: count }, () => tape.pick(among) ?? []).flat())];
  }
}
