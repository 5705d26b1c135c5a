/**
 * Who has room for a task, and who has the most of it to spare.
 *
 * 1. An agent's load is the exact sum of the loads of the tasks assigned to it: without tasks it is exactly 0.
 * 2. A task is assigned to exactly one agent, or unknown here.
 * 3. The heap holds every agent by (utilization, registration), those of capacity 0 last. So does the index, with its room
 *    as measure, once those are mended whose load has changed: that is put off until the first of the heap has no room, or
 *    is not allowed, since most of the time it is the answer.
 * 4. No load passes its agent's capacity but by `overcommit`, or when that capacity is lowered afterwards.
 * 5. A call that is refused changes nothing.
 */
import { SafeguardsError } from "../errors.ts";
import { type AssignedTask, type LoadedAgent, rebalance, utilizationOf } from "./rebalance.ts";
import {
  type Amount,
  add,
  amountToNumber,
  atMost,
  isZero,
  LARGEST,
  mean,
  nanosOf,
  subtract,
  subtractToZero,
  sumAtMost,
  ZERO,
} from "./structures/amount.ts";
import { checkAmount, checkId, checkInteger, checkKeys, invalid, show } from "./structures/arguments.ts";
import { FitIndex, type FitNode } from "./structures/fit-index.ts";
import { IdTable } from "./structures/id-table.ts";
import { type HeapEntry, IndexedHeap, precedes } from "./structures/indexed-heap.ts";

/** One step of a rebalance: this task goes from one agent to another. */
export interface Move {
  readonly taskId: string;
  readonly from: string;
  readonly to: string;
}

/** How {@link WorkloadBalancer.assign} chooses, and what it learns for. */
export interface AssignOptions {
  /** Only these agents; by default all. Names that are not registered are passed by. */
  readonly among?: Iterable<string>;
  /** When nobody has room: the least utilized whose capacity is not 0, over its capacity. Default false. */
  readonly overcommit?: boolean;
  /** The kind of task that its actual load will teach {@link WorkloadBalancer.estimate} about. */
  readonly kind?: string;
}

interface Task extends AssignedTask {
  readonly kind: string | undefined;
  place: Place;
  /** Where it is in its agent's list. */
  index: number;
}

interface Agent extends LoadedAgent<Task> {
  readonly id: string;
  capacity: Amount;
  load: Amount;
  readonly tasks: Task[];
  /** Its place in the heap; none once it has left. */
  entry: HeapEntry<Place> | undefined;
  /** Whether its place in the index is that of another load. */
  isStale: boolean;
}

/** An agent where it stands in the index. */
type Place = FitNode<Agent>;

interface Observed {
  /** In nanos: over years of work it may pass what an Amount holds. */
  sum: bigint;
  count: number;
}

/** Agents that can be asked after instead of being gone through. `size` is how many there are at most. */
interface Membership extends Iterable<string> {
  readonly size: number;
  has(agentId: string): boolean;
}

let countVisits: (balancer: WorkloadBalancer) => number;

/** How many agents it has looked at since it was made: how tests count its costs. No part of the public API. */
export function visitsOf(balancer: WorkloadBalancer): number {
  return countVisits(balancer);
}

/**
 * Assigns tasks to the least utilized agent that has room for them, remembers each task's own load, and evens out.
 * Loads and capacities are in any one unit of your choice, decimals of at most nine places, added exactly. Assigning and
 * completing cost O(log agents), amortized; `among` at most as many looks as there are agents in it; `utilization` and `rebalance`
 * go through all agents.
 *
 * @example
 * ```ts
 * import { WorkloadBalancer } from "safeguards/coordination";
 * const balancer = new WorkloadBalancer();
 * balancer.register("ada", 2);
 * balancer.register("bob", 1);
 * balancer.assign("t1", 1); // "ada": both are idle, and she came first
 * balancer.assign("t2", 1); // "bob": 0 is less than a half
 * balancer.complete("t1"); // true, and her load is 0 again
 * ```
 */
export class WorkloadBalancer {
  static {
    countVisits = (balancer) => balancer.#index.visits + balancer.#scanned;
  }

  readonly #agents = new Map<string, Place>();
  readonly #tasks = new IdTable<Task>();
  readonly #kinds = new Map<string, Observed>();
  readonly #heap = new IndexedHeap<Place>();
  readonly #index = new FitIndex<Agent>("atLeast", 1);
  #stale: Place[] = [];
  #registrations = 0;
  #assignments = 0;
  #scanned = 0;

  /**
   * Adds an agent, or changes the capacity of one that is known: its load stays, even over the new capacity.
   *
   * @param capacity At least 0; with 0 it is drained, and given nothing.
   * @throws SafeguardsError INVALID_ARGUMENT
   *
   * @example
   * ```ts
   * import { WorkloadBalancer } from "safeguards/coordination";
   * new WorkloadBalancer().register("ada", 2.5);
   * ```
   */
  register(agentId: string, capacity: number): void {
    const id = checkId(agentId, "agent id");
    const amount = checkAmount(capacity, "capacity", { zero: true });
    const known = this.#agents.get(id);
    if (known !== undefined) {
      known.item.capacity = amount;
      this.#reindex(known);
      return;
    }
    const agent: Agent = { id, capacity: amount, load: ZERO, tasks: [], entry: undefined, isStale: false };
    const place = this.#index.add(agent, rankOf(agent), this.#registrations, [amount]);
    agent.entry = this.#heap.push(place, place.rank, place.seq);
    this.#agents.set(id, place);
    this.#registrations += 1;
  }

  /**
   * Removes an agent and forgets its tasks, which may then be assigned anew.
   *
   * @returns The tasks that it leaves unassigned, in the order of their assignment; none for an unknown agent.
   * @throws SafeguardsError INVALID_ARGUMENT
   *
   * @example
   * ```ts
   * import { WorkloadBalancer } from "safeguards/coordination";
   * const balancer = new WorkloadBalancer();
   * balancer.register("ada", 1);
   * balancer.assign("t1");
   * balancer.unregister("ada"); // ["t1"]
   * ```
   */
  unregister(agentId: string): string[] {
    const node = this.#agents.get(checkId(agentId, "agent id"));
    if (node === undefined) return [];
    const { entry } = node.item;
    this.#agents.delete(node.item.id);
    this.#index.remove(node);
    if (entry !== undefined) this.#heap.remove(entry);
    node.item.entry = undefined;
    const left = node.item.tasks.sort((a, b) => a.seq - b.seq);
    for (const task of left) this.#tasks.delete(task.id);
    return left.map((task) => task.id);
  }

  /**
   * Assigns a task to the least utilized of the allowed agents that have room for its load, and among equals to the
   * earliest registered.
   *
   * @param load Greater than 0; 1 by default.
   * @returns The agent; `undefined`, with nothing changed, when nobody allowed has room.
   * @throws SafeguardsError INVALID_ARGUMENT; DUPLICATE_ID when the task is assigned already.
   *
   * @example
   * ```ts
   * import { WorkloadBalancer } from "safeguards/coordination";
   * const balancer = new WorkloadBalancer();
   * balancer.register("ada", 1);
   * balancer.assign("t1", 0.6); // "ada"
   * balancer.assign("t2", 0.6); // undefined: she has 0.4 left
   * balancer.assign("t2", 0.6, { overcommit: true }); // "ada", who is now at 1.2
   * ```
   */
  assign(taskId: string, load = 1, options?: AssignOptions): string | undefined {
    const id = checkId(taskId, "task id");
    const amount = checkAmount(load, "load", { zero: false });
    const { overcommit, kind, among } = options === undefined ? NO_OPTIONS : checkOptions(options);
    const place = this.#leastUtilized(amount, among) ?? (overcommit ? this.#overcommitted(amount, among) : undefined);
    if (place === undefined) {
      if (this.#tasks.get(id) !== undefined) throw assignedAlready(id);
      return undefined;
    }
    const task: Task = { id, seq: this.#assignments, load: amount, kind, place, index: 0 };
    if (!this.#tasks.add(task)) throw assignedAlready(id);
    this.#assignments += 1;
    this.#put(task, place);
    return place.item.id;
  }

  /**
   * Ends an assignment and frees exactly the load that it was made with.
   *
   * @param actualLoad What the task turned out to take, greater than 0: it teaches `estimate`, the books do not use it.
   * @returns Whether the task was assigned.
   * @throws SafeguardsError INVALID_ARGUMENT
   *
   * @example
   * ```ts
   * import { WorkloadBalancer } from "safeguards/coordination";
   * const balancer = new WorkloadBalancer();
   * balancer.register("ada", 10);
   * balancer.assign("t1", 2, { kind: "review" });
   * balancer.complete("t1", 3); // true; ada's load is 0, and a review is now estimated at 3
   * ```
   */
  complete(taskId: string, actualLoad?: number): boolean {
    const id = checkId(taskId, "task id");
    const actual = actualLoad === undefined ? undefined : checkAmount(actualLoad, "actual load", { zero: false });
    const task = this.#tasks.delete(id);
    if (task === undefined) return false;
    this.#take(task);
    if (task.kind !== undefined && actual !== undefined) this.#learn(task.kind, actual);
    return true;
  }

  /**
   * The agent that a task is assigned to, if it is.
   *
   * @throws SafeguardsError INVALID_ARGUMENT
   *
   * @example
   * ```ts
   * import { WorkloadBalancer } from "safeguards/coordination";
   * new WorkloadBalancer().agentOf("t1"); // undefined
   * ```
   */
  agentOf(taskId: string): string | undefined {
    return this.#tasks.get(checkId(taskId, "task id"))?.place.item.id;
  }

  /**
   * The sum of the loads assigned to an agent.
   *
   * @throws SafeguardsError INVALID_ARGUMENT; UNKNOWN_AGENT for one that is not registered.
   *
   * @example
   * ```ts
   * import { WorkloadBalancer } from "safeguards/coordination";
   * const balancer = new WorkloadBalancer();
   * balancer.register("ada", 1);
   * for (let i = 0; i < 10; i++) balancer.assign(`t${i}`, 0.1);
   * balancer.loadOf("ada"); // 1
   * ```
   */
  loadOf(agentId: string): number {
    const node = this.#agents.get(checkId(agentId, "agent id"));
    if (node !== undefined) return amountToNumber(node.item.load);
    throw new SafeguardsError("UNKNOWN_AGENT", `agent ${show(agentId)} is not registered`, { details: { agentId } });
  }

  /**
   * Load ÷ capacity by agent, in the order of registration: 0.5 is half full. With capacity 0 it is 0 when empty, else
   * Infinity.
   *
   * @example
   * ```ts
   * import { WorkloadBalancer } from "safeguards/coordination";
   * const balancer = new WorkloadBalancer();
   * balancer.register("ada", 4);
   * balancer.assign("t1", 1);
   * balancer.utilization().get("ada"); // 0.25
   * ```
   */
  utilization(): ReadonlyMap<string, number> {
    const byAgent = new Map<string, number>();
    for (const [id, { item }] of this.#agents) byAgent.set(id, utilizationOf(item));
    return byAgent;
  }

  /**
   * The mean actual load of the completed tasks of a kind; `undefined` while none has told its own.
   *
   * @throws SafeguardsError INVALID_ARGUMENT
   *
   * @example
   * ```ts
   * import { WorkloadBalancer } from "safeguards/coordination";
   * const balancer = new WorkloadBalancer();
   * balancer.register("ada", 1);
   * balancer.assign("t1", 0.5, { kind: "review" });
   * balancer.complete("t1", 0.7);
   * balancer.estimate("review"); // 0.7
   * ```
   */
  estimate(kind: string): number | undefined {
    const observed = this.#kinds.get(checkId(kind, "kind"));
    return observed === undefined ? undefined : mean(observed.sum, observed.count);
  }

  /**
   * Lowers the highest utilization by moving tasks, with their true loads, until no single move would lower it further.
   * A call that cannot lower it, within `maxMoves`, does nothing. No move takes an agent over its capacity, nor to the
   * highest utilization there is at that moment.
   *
   * Always takes from the most utilized agent the largest task that somebody can take with less than that utilization,
   * and gives it to the least utilized of those: local search as for scheduling on related machines.
   *
   * @param options `maxMoves`: an integer from 0; unlimited by default.
   * @returns What was moved, in an order in which it can be done one by one.
   * @throws SafeguardsError INVALID_ARGUMENT
   *
   * @example
   * ```ts
   * import { WorkloadBalancer } from "safeguards/coordination";
   * const balancer = new WorkloadBalancer();
   * balancer.register("ada", 4);
   * balancer.assign("t1", 1);
   * balancer.assign("t2", 1);
   * balancer.register("bob", 4);
   * balancer.rebalance(); // [{ taskId: "t1", from: "ada", to: "bob" }]
   * ```
   */
  rebalance(options: { readonly maxMoves?: number } = {}): Move[] {
    checkKeys(options, ["maxMoves"], "options");
    const maxMoves =
      options.maxMoves === undefined
        ? Number.MAX_SAFE_INTEGER
        : checkInteger(options.maxMoves, "maxMoves", 0, Number.MAX_SAFE_INTEGER);
    const move = (task: Task, to: Place): void => {
      this.#take(task);
      this.#put(task, to);
      this.#mended();
    };
    const moves = rebalance<Task, Agent>(this.#mended(), move, maxMoves);
    return moves.map(({ task, from, to }) => ({ taskId: task.id, from: from.item.id, to: to.item.id }));
  }

  /** The first in order that is allowed and has so much room. */
  #leastUtilized(room: Amount, among: Membership | readonly string[] | undefined): Place | undefined {
    if (among === undefined) {
      const first = this.#heap.peek()?.item;
      return first === undefined || hasRoom(first.item, room) ? first : this.#mended().firstFit([room]);
    }
    if (!("has" in among)) return this.#leastUtilizedOf(room, among);
    // Most of a large set is found near the front of the index; so looking there costs at most what walking the set does.
    let looks = 0;
    const accept = (agent: Agent) => {
      looks += 1;
      return among.has(agent.id);
    };
    const found = this.#mended().firstFit([room], { accept, maxLooks: among.size });
    return found !== undefined || looks < among.size ? found : this.#leastUtilizedOf(room, among);
  }

  /** The first that is allowed at all; drained agents are the last in the index, so if it is one, so are all. */
  #overcommitted(load: Amount, among: Membership | readonly string[] | undefined): Place | undefined {
    const place = this.#leastUtilized(ZERO, among);
    if (place === undefined || isZero(place.item.capacity)) return undefined;
    if (atMost(place.item.load, subtract(LARGEST, load))) return place;
    const most = `small enough for the load of ${show(place.item.id)} to stay below 2^53`;
    throw invalid("load", amountToNumber(load), most);
  }

  #leastUtilizedOf(room: Amount, agentIds: Iterable<string>): Place | undefined {
    let best: HeapEntry<Place> | undefined;
    for (const id of agentIds) {
      this.#scanned += 1;
      const agent = this.#agents.get(id)?.item;
      if (agent?.entry === undefined || !hasRoom(agent, room)) continue;
      if (best === undefined || precedes(agent.entry, best)) best = agent.entry;
    }
    return best?.item;
  }

  #put(task: Task, place: Place): void {
    const agent = place.item;
    agent.load = add(agent.load, task.load);
    task.place = place;
    task.index = agent.tasks.push(task) - 1;
    this.#reindex(place);
  }

  #take(task: Task): void {
    const agent = task.place.item;
    agent.load = subtract(agent.load, task.load);
    const last = agent.tasks.pop();
    if (last !== undefined && last !== task) {
      agent.tasks[task.index] = last;
      last.index = task.index;
    }
    this.#reindex(task.place);
  }

  /** Its load or its capacity is another: at once in the heap, in the index when that is next asked. */
  #reindex(place: Place): void {
    const agent = place.item;
    if (agent.entry !== undefined) this.#heap.update(agent.entry, rankOf(agent), place.seq);
    if (agent.isStale) return;
    agent.isStale = true;
    this.#stale.push(place);
  }

  /** The index, every agent in its place. Each change is mended once: what that costs is its own. */
  #mended(): FitIndex<Agent> {
    for (const place of this.#stale) {
      const agent = place.item;
      agent.isStale = false;
      if (agent.entry !== undefined) this.#index.update(place, rankOf(agent), [roomOn(agent)]);
    }
    this.#stale = [];
    return this.#index;
  }

  #learn(kind: string, actual: Amount): void {
    const observed = this.#kinds.get(kind);
    if (observed === undefined) {
      this.#kinds.set(kind, { sum: nanosOf(actual), count: 1 });
    } else {
      observed.sum += nanosOf(actual);
      observed.count += 1;
    }
  }
}

const NO_OPTIONS = { overcommit: false, kind: undefined, among: undefined };

function checkOptions(options: AssignOptions) {
  checkKeys(options, ["among", "overcommit", "kind"], "options");
  const { among, overcommit = false, kind } = options;
  if (typeof overcommit !== "boolean") throw invalid("overcommit", overcommit, "true or false");
  return {
    overcommit,
    kind: kind === undefined ? undefined : checkId(kind, "kind"),
    among: among === undefined ? undefined : checkAmong(among),
  };
}

function assignedAlready(taskId: string): SafeguardsError {
  return new SafeguardsError("DUPLICATE_ID", `task ${show(taskId)} is assigned already`, { details: { taskId } });
}

/** No room at all is had even by who is over its capacity. */
function hasRoom({ capacity, load }: Agent, room: Amount): boolean {
  return isZero(room) || sumAtMost(load, room, capacity);
}

function roomOn({ capacity, load }: Agent): Amount {
  return subtractToZero(capacity, load);
}

function rankOf(agent: Agent): number {
  return isZero(agent.capacity) ? Number.POSITIVE_INFINITY : utilizationOf(agent);
}

/** Sets, and what else can be asked, are asked; lists and generators are walked once, here. */
function checkAmong(among: Iterable<string>): Membership | readonly string[] {
  if (typeof among !== "object" || among === null || !(Symbol.iterator in among)) {
    throw invalid("among", among, "a list or set of agent ids");
  }
  if (isMembership(among)) return among;
  return Array.from(among, (id) => checkId(id, "an agent id of among"));
}

function isMembership(among: Iterable<string>): among is Membership {
  return "has" in among && typeof among.has === "function" && "size" in among && typeof among.size === "number";
}
