/**
 * The local search behind {@link WorkloadBalancer.rebalance}: always from the most utilized agent, the largest task that
 * somebody can take and still be less utilized than that, to the least utilized of those who can.
 *
 * 1. A move goes from an agent at the highest utilization to one that stays below it, and within its capacity. So the
 *    highest never rises, and the utilizations, sorted from the highest down, get smaller with every move: it ends.
 * 2. It stops when nobody can relieve the most utilized agent. If another is as utilized as that one, no single move
 *    lowers the highest; if not, a move that lowered it would have been such a relief.
 * 3. What does not lower the highest in the end is undone: the last move that is kept has just lowered it.
 */
import { type Amount, add, compare, larger, ratio, ZERO } from "./structures/amount.ts";
import type { FitIndex, FitNode } from "./structures/fit-index.ts";
import { type HeapEntry, IndexedHeap } from "./structures/indexed-heap.ts";

export interface AssignedTask {
  readonly id: string;
  /** Counts assignments. */
  readonly seq: number;
  readonly load: Amount;
}

export interface LoadedAgent<T extends AssignedTask> {
  readonly capacity: Amount;
  readonly load: Amount;
  readonly tasks: readonly T[];
}

export interface TaskMove<T extends AssignedTask, A extends LoadedAgent<T>> {
  readonly task: T;
  readonly from: FitNode<A>;
  readonly to: FitNode<A>;
}

/** Load ÷ capacity; with capacity 0 it is 0 when empty, else Infinity. */
export function utilizationOf(agent: LoadedAgent<AssignedTask>): number {
  return ratio(agent.load, agent.capacity);
}

/**
 * Plans and makes the moves.
 *
 * @param index The agents by utilization, with their room as measure.
 * @param move Puts a task on an agent, and keeps the index.
 */
export function rebalance<T extends AssignedTask, A extends LoadedAgent<T>>(
  index: FitIndex<A>,
  move: (task: T, to: FitNode<A>) => void,
  maxMoves: number,
): TaskMove<T, A>[] {
  const byLoad = new TasksByLoad<T, A>();
  const peaks = new Peaks(index);
  const largestCapacity = [...index].reduce((largest, node) => larger(largest, node.item.capacity), ZERO);
  const moves: TaskMove<T, A>[] = [];
  let kept = 0;
  let highest = peaks.height;
  while (moves.length < maxMoves) {
    const from = peaks.first;
    const relief = from && reliefOf(byLoad.of(from.item), peaks.height, index, largestCapacity);
    if (from === undefined || relief === undefined) break;
    const { task, to } = relief;
    move(task, to);
    byLoad.moved(task, from.item, to.item);
    peaks.changed(from);
    peaks.changed(to);
    moves.push({ task, from, to });
    if (peaks.height < highest) {
      highest = peaks.height;
      kept = moves.length;
    }
  }
  for (const { task, from } of moves.splice(kept).reverse()) move(task, from);
  return moves;
}

/** Who can take a load, can take a smaller one: so the largest of the tasks is found by halving. */
function reliefOf<T extends AssignedTask, A extends LoadedAgent<T>>(
  tasks: readonly T[],
  below: number,
  index: FitIndex<A>,
  largestCapacity: Amount,
): { readonly task: T; readonly to: FitNode<A> } | undefined {
  let relief: { task: T; to: FitNode<A> } | undefined;
  let low = 0;
  let high = tasks.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const task = tasks[middle];
    const to = task && takerOf(task.load, below, index, largestCapacity);
    if (task === undefined || to === undefined) {
      high = middle;
    } else {
      relief = { task, to };
      low = middle + 1;
    }
  }
  return relief;
}

/** The least utilized agent that has room for the load, and with it stays below a utilization. */
function takerOf<A extends LoadedAgent<AssignedTask>>(
  load: Amount,
  below: number,
  index: FitIndex<A>,
  largestCapacity: Amount,
): FitNode<A> | undefined {
  const limits = [load];
  // On no agent the load takes a smaller share; the margin is far above all rounding.
  const leastShare = ratio(load, largestCapacity);
  const hopeless = below * (1 + 1e-12);
  let node = index.firstFit(limits);
  while (node !== undefined && node.rank + leastShare <= hopeless) {
    const { item } = node;
    if (ratio(add(item.load, load), item.capacity) < below) return node;
    node = index.firstFit(limits, { after: node });
  }
  return undefined;
}

/** The most utilized agents first, and among equals the earliest registered. */
class Peaks<A extends LoadedAgent<AssignedTask>> {
  readonly #heap = new IndexedHeap<FitNode<A>>();
  readonly #entries = new Map<FitNode<A>, HeapEntry<FitNode<A>>>();

  constructor(nodes: Iterable<FitNode<A>>) {
    for (const node of nodes) this.#entries.set(node, this.#heap.push(node, -utilizationOf(node.item), node.seq));
  }

  get first(): FitNode<A> | undefined {
    return this.#heap.peek()?.item;
  }

  /** The highest utilization. */
  get height(): number {
    return -(this.#heap.peek()?.key ?? 0);
  }

  changed(node: FitNode<A>): void {
    const entry = this.#entries.get(node);
    if (entry !== undefined) this.#heap.update(entry, -utilizationOf(node.item), entry.seq);
  }
}

/** Each agent's tasks from the smallest load to the largest, sorted when first asked for. */
class TasksByLoad<T extends AssignedTask, A extends LoadedAgent<T>> {
  readonly #lists = new Map<A, T[]>();

  of(agent: A): readonly T[] {
    const known = this.#lists.get(agent);
    if (known !== undefined) return known;
    const list = [...agent.tasks].sort((a, b) => (isBefore(a, b) ? -1 : 1));
    this.#lists.set(agent, list);
    return list;
  }

  moved(task: T, from: A, to: A): void {
    const left = this.#lists.get(from);
    left?.splice(placeOf(task, left), 1);
    const joined = this.#lists.get(to);
    joined?.splice(placeOf(task, joined), 0, task);
  }
}

function isBefore(a: AssignedTask, b: AssignedTask): boolean {
  const order = compare(a.load, b.load);
  // Among equal loads the earliest assigned is taken for the largest.
  return order === 0 ? a.seq > b.seq : order < 0;
}

/** How many of the sorted tasks come before this one. */
function placeOf(task: AssignedTask, sorted: readonly AssignedTask[]): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = sorted[middle];
    if (other !== undefined && isBefore(other, task)) low = middle + 1;
    else high = middle;
  }
  return low;
}
