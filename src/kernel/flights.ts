/**
 * Tasks that ask for the same output, by their `cacheKey`: of those that are under way one leads, and the others wait for what
 * it gives.
 *
 * 1. Of a key at most one flight is open: whoever comes joins it. A task that its leader waits for does not join: it goes
 *    alone, in a flight that nobody joins. So do those whose leader has failed, but for the first of them.
 * 2. A task is in at most one flight, from when it is decided that it leads or follows until it ends or a person holds it.
 * 3. A flight without a leader has followers: before anything else is admitted one of them leads, or all have their output.
 */

import { canonicalJson } from "../coordination/structures/canonical-json.ts";
import type { Json } from "../coordination/structures/types.ts";
import { known } from "./named.ts";
import type { StateObserver } from "./observer.ts";
import { normalized } from "./requirements.ts";
import type { State } from "./state.ts";
import { awaitsJudgement, type Task } from "./task.ts";

export interface Flight {
  readonly key: string;
  leader: Task | undefined;
  /** In the order in which they came. */
  readonly followers: Set<Task>;
  /** Whether others may join. */
  readonly open: boolean;
}

/** An output that is to answer a task when guardrails have let it pass. */
export interface Offer {
  /** The task that gave it. */
  readonly from: string;
  readonly output: Json;
  /** Who made it, and may not approve it: told where that has to be approved. */
  readonly givers?: readonly string[];
}

export class Flights {
  /** By whom they are to answer. Who has one is in no flight. */
  readonly offers: Map<Task, Offer> = new Map();
  readonly #open: Map<string, Flight> = new Map();
  readonly #of: Map<Task, Flight> = new Map();
  readonly #all: Set<Flight> = new Set();
  #following = 0;

  /** Whether it waits for the output of another, or for a verdict on that. */
  waits(task: Task): boolean {
    return this.follows(task) || this.offers.has(task);
  }

  /** How many follow. */
  get following(): number {
    return this.#following;
  }

  /** The one that whoever asks for this may join. */
  openFor(key: string): Flight | undefined {
    return this.#open.get(key);
  }

  of(task: Task): Flight | undefined {
    return this.#of.get(task);
  }

  leads(task: Task): boolean {
    return this.#of.get(task)?.leader === task;
  }

  follows(task: Task): boolean {
    const flight = this.#of.get(task);
    return flight !== undefined && flight.leader !== task;
  }

  /** All, in the order in which they began. */
  all(): Iterable<Flight> {
    return this.#all;
  }

  add(flight: Flight): void {
    this.#all.add(flight);
    if (flight.open) this.#open.set(flight.key, flight);
    if (flight.leader !== undefined) this.#of.set(flight.leader, flight);
    for (const follower of flight.followers) this.#of.set(follower, flight);
    this.#following += flight.followers.size;
  }

  follow(flight: Flight, task: Task): void {
    this.offers.delete(task);
    flight.followers.add(task);
    this.#of.set(task, flight);
    this.#following += 1;
  }

  /** One of its followers leads it now. */
  takeOver(flight: Flight, task: Task): void {
    flight.followers.delete(task);
    flight.leader = task;
    this.#following -= 1;
  }

  leave(flight: Flight, task: Task): void {
    this.#of.delete(task);
    if (flight.leader === task) flight.leader = undefined;
    else if (flight.followers.delete(task)) this.#following -= 1;
    if (flight.leader !== undefined || flight.followers.size > 0) return;
    this.#all.delete(flight);
    if (flight.open) this.#open.delete(flight.key);
  }
}

/**
 * What tasks that ask for the same have in common. Whatever their `cacheKey`, these never do: tasks of other people (`by`, which is
 * where a principal is told by; a namespace would stand beside it), for other agents, teams or skills, under other
 * guardrails, or to be approved otherwise. So nobody waits for an approval that it did not ask for, and what somebody is asked to
 * approve was made to be approved. From what a task is paid is not part of it: who runs pays.
 */
export function flightKey({ settings }: State, { spec }: Task): string {
  const { by = "", agent = "", scope = "", skills = [], approval, cacheKey = "" } = spec;
  const asked = normalized(skills).map(({ skill, level }) => [skill, level]);
  const parts: unknown[] = [by, agent, scope, asked, settings?.guardrails ?? null, cacheKey];
  if (approval !== undefined) parts.push(canonicalJson(approval));
  return JSON.stringify(parts);
}

/** It leads its flight when that has lost its leader, and otherwise one of its own. */
export function lead(state: State, task: Task, alone: boolean, observer: StateObserver | undefined): void {
  const { flights } = state;
  const flight = flights.of(task);
  if (flight !== undefined && flight.leader === undefined && !alone) {
    flights.takeOver(flight, task);
    observer?.flight(flight);
    for (const follower of flight.followers) observer?.waits(follower, [task]);
    return;
  }
  leaveFlight(state, task, observer);
  flights.add({ key: flightKey(state, task), leader: task, followers: new Set(), open: !alone });
}

/** It waits for what the other gives. */
export function follow(state: State, task: Task, leader: Task, observer: StateObserver | undefined): void {
  state.flights.follow(known(state.flights.of(leader), "the flight of", leader.id), task);
  observer?.waits(task, [leader]);
}

/** Nobody waits for the output of what guardrails have yet to let pass, nor has one before that. Those who waited for one. */
export function leaveUnjudged(state: State, observer: StateObserver | undefined): readonly Task[] {
  const { flights } = state;
  const members = [...flights.offers.keys()];
  for (const { leader, followers } of flights.all()) members.push(...(leader ? [leader] : []), ...followers);
  const unjudged = members.filter((task) => task.live === undefined && awaitsJudgement(task));
  const waiters = unjudged.filter((task) => flights.waits(task));
  for (const task of unjudged) leaveFlight(state, task, observer);
  return waiters;
}

/** The output is to answer it, and it waits for nobody any more. */
export function offer(state: State, task: Task, offered: Offer, observer: StateObserver | undefined): void {
  leaveFlight(state, task, observer);
  state.flights.offers.set(task, offered);
}

/** It has ended, or a person holds it. Who followed it waits for what is decided next. */
export function leaveFlight(state: State, task: Task, observer: StateObserver | undefined): void {
  state.flights.offers.delete(task);
  const flight = state.flights.of(task);
  if (flight === undefined) return;
  const { leader } = flight;
  state.flights.leave(flight, task);
  if (observer === undefined) return;
  if (leader === task) for (const follower of flight.followers) observer.unwaits(follower, task);
  else if (leader !== undefined) observer.unwaits(task, leader);
  observer.flight(flight);
}
