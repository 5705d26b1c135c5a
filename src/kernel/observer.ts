/** Who keeps indexes over the state is told of each thing that an event changed. */
import type { Sum } from "../coordination/structures/money.ts";
import type { ExtraAllocation, ExtraRequest, KeptLease, LiveAttempt } from "./attempt.ts";
import type { Flight } from "./flights.ts";
import type { AgentState, Ballot, Budget, Resource } from "./state.ts";
import type { Task } from "./task.ts";

/** There is less room, or more; or more than that has changed (capacity, skills, presence, breaker). */
export type Change = "taken" | "freed" | "other";

/** Who keeps indexes over the state: told of each thing that an event changed. */
export interface StateObserver {
  task(task: Task): void;
  /** Other agents may do it from now on. */
  asksAnew(task: Task): void;
  /** Its own priority, which was `before`, has changed. */
  priority(task: Task, before: number): void;
  /** The task waits for these. */
  waits(task: Task, on: readonly Task[]): void;
  /** The task no longer waits for the other. */
  unwaits(task: Task, on: Task): void;
  /** Another leads it, or nobody does. */
  flight(flight: Flight): void;
  /** It ended; these waited for it. */
  ended(task: Task, dependents: readonly Task[]): void;
  live(live: LiveAttempt): void;
  /** The others of its batch have left it. */
  alone(live: LiveAttempt): void;
  /** It has ended. */
  gone(live: LiveAttempt): void;
  request(request: ExtraRequest): void;
  allocation(allocation: ExtraAllocation): void;
  /** Code that goes on keeps it, or does not any more. */
  kept(lease: KeptLease): void;
  ballot(ballot: Ballot): void;
  agent(agent: AgentState, change: Change): void;
  resource(resource: Resource, change: Change): void;
  /** Of each of these so much more is left; less, where below 0. */
  budget(levels: Iterable<Budget>, gain: Sum): void;
  team(manager: AgentState): void;
}
