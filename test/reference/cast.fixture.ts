/** Who takes part in random stories, and the tasks that are asked for in them. */

import type { AgentDescription, Command, OpenSettings, ResourceSpec, TaskRequest } from "../../src/kernel/commands.ts";
import type { Draws } from "./draws.fixture.ts";
import type { Model } from "./model.ts";

type ResourceOf = ResourceSpec & { readonly resource: string };

/** Where a task is submitted. */
export type Place = "top" | "plan" | "code";

const WORKERS = ["ann", "bob", "cy", "dan"] as const;
const MANAGERS = ["boss", "sub"] as const;
export const NAMES: readonly [string, ...string[]] = [...WORKERS, ...MANAGERS];

const SKILLS = [["x"], ["y"], ["x", "y"], [{ skill: "y", level: 0.8 }], ["z"], ["lead"], [], ["nobody"]] as const;

const LEAST: readonly ["any", ...("all" | "any" | number)[]] = ["any", "all", 1, 2];

export class Cast {
  readonly #draws: Draws;
  readonly #model: Model;
  /** How likely a task needs resources, and how its skills are drawn: a story's own. */
  readonly #scarcity: number;
  readonly #anybody: number;
  #named = 0;

  constructor(draws: Draws, model: Model) {
    this.#draws = draws;
    this.#model = model;
    this.#scarcity = draws.pick([5, 35, 60]);
    this.#anybody = draws.pick([10, 50, 80]);
  }

  open(): Command {
    const draws = this.#draws;
    const settings: OpenSettings = {
      concurrency: 1 + draws.below(6),
      unroutableMs: 5_000,
      ...(draws.chance(30) ? { agingMs: draws.below(3) * 500 } : {}),
      ...(draws.chance(70) ? { protectAfterMs: draws.below(4) * 1_000 } : {}),
    };
    return { type: "coordinator.open", ...settings };
  }

  agent(name: string): AgentDescription {
    const draws = this.#draws;
    switch (name) {
      case "boss":
      case "sub": {
        const team = name === "boss" ? ["ann", "bob", "sub"] : ["cy", "dan"];
        const minSuccess = draws.pick<"all" | "any" | number>(LEAST);
        const capacity = 1 + draws.below(3);
        return { name, kind: "manager", skills: ["lead"], team, capacity, minSuccess, failFast: draws.chance(40) };
      }
      case "dan": {
        const breaker = { failureThreshold: 2, resetMs: 2_000, halfOpenMax: 1 + draws.below(2) };
        return { name, kind: "agent", skills: ["x", "y", "z"], capacity: 1 + draws.below(4), breaker };
      }
      default: {
        const few = draws.chance(15);
        const skills = name === "ann" ? (few ? ["x"] : ["x", "y"]) : name === "bob" ? ["x"] : { y: few ? 0.5 : 0.9 };
        const breaker = name === "ann" && draws.chance(50) ? { breaker: { failureThreshold: 1, resetMs: 2_500 } } : {};
        return { name, kind: "agent", skills, capacity: draws.below(5), ...breaker };
      }
    }
  }

  crew(): Command[] {
    return NAMES.map((name) => ({ type: "agent.register", agent: this.agent(name) }));
  }

  resources(): Command[] {
    return [
      { type: "resource.set", resource: "disk", kind: "storage", capacity: 3 },
      { type: "resource.set", resource: "net", kind: "api_call", capacity: 2.5 },
      { type: "resource.set", resource: "calls", kind: "api_call", capacity: 4, per: 4_000 },
    ];
  }

  anotherCapacity(): Command {
    const draws = this.#draws;
    const specs: readonly [ResourceOf, ...ResourceOf[]] = [
      { resource: "disk", kind: "storage", capacity: draws.below(4) },
      { resource: "net", kind: "api_call", capacity: 1 + draws.below(3) },
      { resource: "calls", kind: "api_call", capacity: 1 + draws.below(5), per: draws.pick([4_000, 1_000]) },
    ];
    return { type: "resource.set", ...draws.pick(specs) };
  }

  requests(where: Place, count: number): TaskRequest[] {
    const requests: TaskRequest[] = [];
    for (let i = 0; i < count; i++)
      requests.push(
        this.request(
          where,
          requests.flatMap(({ id }) => id ?? []),
        ),
      );
    return requests;
  }

  /** Its siblings are those asked for with it, by their ids. */
  request(where: Place, siblings: readonly string[] = []): TaskRequest {
    const draws = this.#draws;
    const resources: Record<string, number> = {};
    if (draws.chance(this.#scarcity)) resources.disk = 1 + draws.below(3);
    if (draws.chance(this.#scarcity / 2)) resources.net = (1 + draws.below(5)) / 2;
    if (draws.chance(10)) resources.calls = 1 + draws.below(3);
    this.#named += 1;
    const unnamed = (where === "plan" && draws.chance(50)) || (where === "top" && draws.chance(5));
    const skills = draws.chance(this.#anybody) ? [] : (draws.pick(SKILLS) ?? []);
    const dependsOn = draws.chance(25) ? this.#dependencies(where, siblings) : [];
    return {
      ...(unnamed ? {} : { id: `n${this.#named}` }),
      skills,
      ...(draws.chance(60) ? { priority: draws.below(10) } : {}),
      ...(draws.chance(30) ? { load: draws.pick([0.5, 1, 2, 3]) } : {}),
      ...(Object.keys(resources).length > 0 ? { resources } : {}),
      ...(dependsOn.length > 0 ? { dependsOn } : {}),
      ...(dependsOn.length > 0 && draws.chance(30) ? { onDependencyFailure: "run" as const } : {}),
      ...(draws.chance(40) ? { preemptible: false } : {}),
      ...(draws.chance(40) ? { estimatedMs: 100 * draws.below(30) } : {}),
      ...(draws.chance(20) ? { timeoutMs: 500 + 100 * draws.below(20) } : {}),
      ...(draws.chance(10) ? { deadlineMs: 3_000 + 100 * draws.below(100) } : {}),
      ...(draws.chance(8) && where === "top" ? { agent: draws.pick(NAMES) } : {}),
      graceMs: 100 * draws.below(10),
      retry: { maxAttempts: 1 + draws.below(3), initialMs: 200, jitter: false },
    };
  }

  #dependencies(where: Place, siblings: readonly string[]): readonly string[] {
    const draws = this.#draws;
    const everybody = this.#model.tasks.map(({ id }) => id);
    const among = where === "top" || draws.chance(20) ? everybody : siblings;
    const count = draws.chance(30) ? 2 : 1;
    return [...new Set(Array.from({ length: count }, () => draws.pick(among) ?? []).flat())];
  }
}
