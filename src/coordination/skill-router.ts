/**
 * Who can do what, and how well.
 *
 * 1. An agent is in the index of exactly the skills that it has, at the level that it has there; empty indexes are gone.
 * 2. An index is ordered by level, highest first, then by registration.
 * 3. Registering again replaces all skills and keeps the place in the order of registration.
 * 4. A call that is refused changes nothing; nothing of a balancer is kept.
 */
import { checkAmount, checkId, checkKeys, entriesOf, invalid, show } from "./structures/arguments.ts";
import { FitIndex, type FitNode } from "./structures/fit-index.ts";
import type { RecordOf, SkillRequirement } from "./structures/types.ts";
import type { WorkloadBalancer } from "./workload-balancer.ts";

/** What {@link SkillRouter.route} has to know of a task. */
export interface RoutedTask {
  readonly id: string;
  readonly skills: readonly SkillRequirement[];
  /** Greater than 0; 1 by default. Only a balancer uses it. */
  readonly load?: number;
}

interface SkilledAgent {
  readonly id: string;
  readonly seq: number;
  /** Where it stands in the index of each of its skills. */
  readonly places: Map<string, Place>;
}

/** Its rank is the agent's level, below 0, so that the highest comes first. */
type Place = FitNode<SkilledAgent>;
type SkillIndex = FitIndex<SkilledAgent>;

/** The least level needed of each skill; 0 where any will do. */
type Needs = ReadonlyMap<string, number>;

const NOBODY: SkillIndex = new FitIndex("atLeast", 0);

let countVisits: (router: SkillRouter) => number;

/** How many agents it has looked at since it was made: how tests count its costs. No part of the public API. */
export function visitsOf(router: SkillRouter): number {
  return countVisits(router);
}

/**
 * Finds the agents that have all the skills that a task requires, and picks one. Skill names are compared exactly; levels
 * are in (0, 1]. Every answer costs at most a look at each agent that has the rarest of the skills.
 *
 * @example
 * ```ts
 * import { SkillRouter, WorkloadBalancer } from "safeguards/coordination";
 * const router = new SkillRouter();
 * router.register("ada", { typescript: 0.9, security: 0.4 });
 * router.register("bob", ["typescript", "markdown"]);
 * router.qualified(["typescript"]); // ["ada", "bob"]
 * router.route({ id: "t1", skills: ["typescript"] }); // "bob": he has it at level 1
 * ```
 */
export class SkillRouter {
  static {
    countVisits = (router) => router.#looks;
  }

  readonly #agents = new Map<string, SkilledAgent>();
  readonly #skills = new Map<string, SkillIndex>();
  #registrations = 0;
  #looks = 0;

  /**
   * Adds an agent, or replaces the skills of one that is known.
   *
   * @param skills Names, each of level 1; or levels in (0, 1] by name. May be empty.
   * @throws SafeguardsError INVALID_ARGUMENT
   *
   * @example
   * ```ts
   * import { SkillRouter } from "safeguards/coordination";
   * const router = new SkillRouter();
   * router.register("ada", ["typescript"]);
   * router.register("bob", new Map([["typescript", 0.5]]));
   * ```
   */
  register(agentId: string, skills: readonly string[] | RecordOf<number>): void {
    const id = checkId(agentId, "agent id");
    const levels = checkSkills(skills);
    const known = this.#agents.get(id);
    if (known !== undefined) this.#leave(known);
    const agent: SkilledAgent = { id, seq: known?.seq ?? this.#registrations, places: new Map() };
    if (known === undefined) this.#registrations += 1;
    this.#agents.set(id, agent);
    for (const [skill, level] of levels) {
      const index: SkillIndex = this.#skills.get(skill) ?? new FitIndex("atLeast", 0);
      this.#skills.set(skill, index);
      agent.places.set(skill, index.add(agent, -level, agent.seq, []));
    }
  }

  /**
   * Removes an agent.
   *
   * @returns Whether it was registered.
   * @throws SafeguardsError INVALID_ARGUMENT
   *
   * @example
   * ```ts
   * import { SkillRouter } from "safeguards/coordination";
   * new SkillRouter().unregister("ada"); // false
   * ```
   */
  unregister(agentId: string): boolean {
    const agent = this.#agents.get(checkId(agentId, "agent id"));
    if (agent === undefined) return false;
    this.#leave(agent);
    return this.#agents.delete(agent.id);
  }

  /**
   * The agents that have a skill, at a least level in [0, 1] if one is given: the highest level first, then in the order
   * of registration.
   *
   * @throws SafeguardsError INVALID_ARGUMENT
   *
   * @example
   * ```ts
   * import { SkillRouter } from "safeguards/coordination";
   * const router = new SkillRouter();
   * router.register("ada", { security: 0.4 });
   * router.register("bob", ["security"]);
   * router.agentsWith("security"); // ["bob", "ada"]
   * router.agentsWith("security", 0.5); // ["bob"]
   * ```
   */
  agentsWith(skill: string, minLevel = 0): string[] {
    const name = checkId(skill, "skill");
    if (!(typeof minLevel === "number" && minLevel >= 0 && minLevel <= 1)) {
      throw invalid("least level", minLevel, "a number from 0 to 1");
    }
    return Array.from(this.#from(this.#skills.get(name) ?? NOBODY, minLevel), (place) => place.item.id);
  }

  /**
   * The agents that have everything required, in the order of registration; everybody when nothing is.
   *
   * @throws SafeguardsError INVALID_ARGUMENT
   *
   * @example
   * ```ts
   * import { SkillRouter } from "safeguards/coordination";
   * const router = new SkillRouter();
   * router.register("ada", { typescript: 0.9, security: 0.4 });
   * router.register("bob", ["typescript"]);
   * router.qualified(["typescript", { skill: "security", level: 0.3 }]); // ["ada"]
   * ```
   */
  qualified(required: readonly SkillRequirement[]): string[] {
    const found = [...this.#meeting(checkNeeds(required))];
    return found.sort((a, b) => a.seq - b.seq).map((agent) => agent.id);
  }

  /**
   * Picks an agent for a task among those that have everything it requires. With a balancer, the least utilized of them
   * that has room: the task is then assigned to it there. Without, the one whose lowest level over the required skills is
   * highest. Among equals the earliest registered.
   *
   * @returns The agent; `undefined`, with nothing changed, when nobody is qualified or nobody qualified has room.
   * @throws SafeguardsError INVALID_ARGUMENT; DUPLICATE_ID when the balancer has assigned the task already.
   *
   * @example
   * ```ts
   * import { SkillRouter, WorkloadBalancer } from "safeguards/coordination";
   * const [router, balancer] = [new SkillRouter(), new WorkloadBalancer()];
   * for (const id of ["ada", "bob"]) {
   *   router.register(id, ["typescript"]);
   *   balancer.register(id, 1);
   * }
   * router.route({ id: "t1", skills: ["typescript"] }, balancer); // "ada", who is now full
   * router.route({ id: "t2", skills: ["typescript"] }, balancer); // "bob"
   * ```
   */
  route(task: RoutedTask, balancer?: WorkloadBalancer): string | undefined {
    checkKeys(task, ["id", "skills", "load"], "task");
    const id = checkId(task.id, "task id");
    const needs = checkNeeds(task.skills);
    if (task.load !== undefined) checkAmount(task.load, "load", { zero: false });
    if (balancer === undefined) return this.#bestFit(needs)?.id;
    if (typeof balancer?.assign !== "function") throw invalid("balancer", balancer, "a WorkloadBalancer");
    const router = this;
    const among = {
      size: this.#rarest(needs)?.size ?? this.#agents.size,
      has(agentId: string): boolean {
        const agent = router.#agents.get(agentId);
        return agent !== undefined && router.#meets(agent, needs);
      },
      *[Symbol.iterator](): Generator<string, void, undefined> {
        for (const agent of router.#meeting(needs)) yield agent.id;
      },
    };
    return balancer.assign(id, task.load, { among });
  }

  #leave(agent: SkilledAgent): void {
    for (const [skill, place] of agent.places) {
      const index = this.#skills.get(skill);
      index?.remove(place);
      if (index?.size === 0) this.#skills.delete(skill);
    }
  }

  /** Those with at least this level, the highest first. */
  *#from(index: SkillIndex, level: number): Generator<Place, void, undefined> {
    for (const place of index) {
      this.#looks += 1;
      if (-place.rank < level) return;
      yield place;
    }
  }

  /** The index of the needed skill that the fewest have; `undefined` when nothing is needed. */
  #rarest(needs: Needs): SkillIndex | undefined {
    let rarest: SkillIndex | undefined;
    for (const skill of needs.keys()) {
      const index = this.#skills.get(skill) ?? NOBODY;
      if (rarest === undefined || index.size < rarest.size) rarest = index;
    }
    return rarest;
  }

  #meets(agent: SkilledAgent, needs: Needs): boolean {
    this.#looks += 1;
    for (const [skill, level] of needs) {
      const place = agent.places.get(skill);
      if (place === undefined || -place.rank < level) return false;
    }
    return true;
  }

  *#meeting(needs: Needs): Generator<SkilledAgent, void, undefined> {
    const rarest = this.#rarest(needs);
    if (rarest === undefined) yield* this.#agents.values();
    else for (const { item } of rarest) if (this.#meets(item, needs)) yield item;
  }

  /** Goes down the levels of the rarest skill, as far as an agent's lowest level may still be above the best so far. */
  #bestFit(needs: Needs): SkilledAgent | undefined {
    const rarest = this.#rarest(needs);
    if (rarest === undefined) return this.#agents.values().next().value;
    let best: SkilledAgent | undefined;
    let bestLevel = 0;
    for (const { item, rank } of rarest) {
      if (-rank < bestLevel) break;
      if (!this.#meets(item, needs)) continue;
      const level = lowestLevel(item, needs);
      if (best === undefined || level > bestLevel || (level === bestLevel && item.seq < best.seq)) {
        best = item;
        bestLevel = level;
      }
      // Whoever comes later is at most as good, and as good only with a later registration.
      if (level === -rank) break;
    }
    return best;
  }
}

function lowestLevel(agent: SkilledAgent, needs: Needs): number {
  let lowest = 1;
  for (const skill of needs.keys()) lowest = Math.min(lowest, -(agent.places.get(skill)?.rank ?? 0));
  return lowest;
}

function checkSkills(skills: readonly string[] | RecordOf<number>): ReadonlyMap<string, number> {
  if (isList(skills)) return new Map(Array.from(skills, (skill) => [checkId(skill, "skill"), 1]));
  const levels = new Map(entriesOf(skills, "skills"));
  for (const [skill, level] of levels) checkLevel(level, skill);
  return levels;
}

function isList(skills: readonly string[] | RecordOf<number>): skills is readonly string[] {
  return Array.isArray(skills);
}

function checkNeeds(required: readonly SkillRequirement[]): Needs {
  if (!Array.isArray(required)) throw invalid("required skills", required, "a list of skills");
  const needs = new Map<string, number>();
  for (const requirement of required) {
    const { skill, level } = checkRequirement(requirement);
    needs.set(skill, Math.max(level, needs.get(skill) ?? 0));
  }
  return needs;
}

function checkRequirement(requirement: SkillRequirement): { readonly skill: string; readonly level: number } {
  if (typeof requirement === "string") return { skill: checkId(requirement, "required skill"), level: 0 };
  checkKeys(requirement, ["skill", "level"], "required skill");
  const skill = checkId(requirement.skill, "required skill");
  return { skill, level: checkLevel(requirement.level, skill) };
}

function checkLevel(level: unknown, skill: string): number {
  if (typeof level === "number" && level > 0 && level <= 1) return level;
  throw invalid(`level of ${show(skill)}`, level, "a number above 0 and at most 1");
}
