/**
 * Truth and accuracies from labels alone: expectation maximization after Dawid and Skene.
 *
 * 1. Items, workers and labels are numbered in the order of their names, and what each worker said of each item in the order
 *    of both: so neither the order nor the grouping of the labels handed in changes anything, to the last bit.
 * 2. The number of rounds is fixed. There is no chance and no stopping rule.
 * 3. No logarithm is taken: probabilities are multiplied label by label, and scaled by powers of two as they go, so that they
 *    neither vanish nor differ from one machine to another.
 */

import { SafeguardsError } from "../errors.ts";
import { checkInteger, checkKeys, invalid } from "./structures/arguments.ts";
import { doubleAt, integerAt, itemAt } from "./structures/at.ts";

const DEFAULT_ITERATIONS = 100;
const MOST_ITERATIONS = 10_000;
/** Labels times distinct labels: each is a number or two in memory, and looked at once a round. */
const MOST_CELLS = 20_000_000;
/** Far above the least number there is, and far below any probability. */
const TINY = 2 ** -500;

/** One worker's answer to one item: what it said. */
export interface Labels {
  readonly item: string;
  readonly worker: string;
  readonly label: string;
}

/** How it is estimated. */
export interface DawidSkeneOptions {
  /**
   * `"one-coin"`: a worker has one accuracy, and its errors fall on all other labels alike. `"full"`, the default: a worker
   * has a probability of each label for each truth, which takes more labels a worker to learn.
   */
  readonly model?: "one-coin" | "full";
  /** Rounds, 1 to 10 000. Default 100. */
  readonly iterations?: number;
}

/** What was estimated, both in the order of the names. */
export interface DawidSkeneEstimate {
  /** The most probable label of each item; of equally probable ones the first by name. */
  readonly truth: ReadonlyMap<string, string>;
  /** The share of each worker's labels that are right, as far as can be told: 0 to 1. */
  readonly accuracy: ReadonlyMap<string, number>;
}

/** The labels by number. */
interface Table {
  readonly items: readonly string[];
  readonly workers: readonly string[];
  readonly classes: readonly string[];
  /** Item, worker and label of each answer, ordered by item, then worker, then label. */
  readonly item: Int32Array;
  readonly worker: Int32Array;
  readonly label: Int32Array;
}

/** What is held of the truth: for each item the probability of each label, in one row after another. */
type Beliefs = Float64Array;

/** How workers are held to answer. */
interface Model {
  /** Learns from what is held of the truth. */
  fit(beliefs: Beliefs): void;
  /** How probable this answer is when that is the truth. */
  probability(answer: number, truth: number): number;
}

/**
 * Estimates the truth, and how far each worker is to be believed, from who labelled which item how (A. P. Dawid & A. M. Skene,
 * "Maximum likelihood estimation of observer error-rates using the EM algorithm", Applied Statistics 28, 1979). Starts from
 * the shares of the votes; then, `iterations` times, learns how often each label is the truth and how workers answer, and
 * weighs the labels by that. Deterministic, whatever the order of the labels. A label that is there twice counts twice.
 * Linear in labels times distinct labels, each round.
 *
 * INVALID_ARGUMENT: an unknown option, labels that are no list or other iterable, a label whose parts are no strings, labels times distinct labels over 20 000 000.
 *
 * @example
 * ```ts
 * import { dawidSkene } from "safeguards/coordination";
 * const labels = [
 *   { item: "p1", worker: "ann", label: "cat" },
 *   { item: "p1", worker: "bob", label: "dog" },
 *   { item: "p1", worker: "cy", label: "cat" },
 *   { item: "p2", worker: "ann", label: "dog" },
 *   { item: "p2", worker: "bob", label: "cat" },
 *   { item: "p2", worker: "cy", label: "dog" },
 * ];
 * const { truth, accuracy } = dawidSkene(labels, { model: "one-coin" });
 * truth.get("p2"); // "dog"
 * accuracy.get("bob"); // close to 0
 * ```
 */
export function dawidSkene(labels: Iterable<Labels>, options: DawidSkeneOptions = {}): DawidSkeneEstimate {
  checkKeys(options, ["model", "iterations"], "the options of dawidSkene");
  const { model: kind = "full", iterations = DEFAULT_ITERATIONS } = options;
  if (kind !== "one-coin" && kind !== "full") throw invalid("model", kind, '"one-coin" or "full"');
  checkInteger(iterations, "iterations", 1, MOST_ITERATIONS);
  const table = tabulate(labels);
  const model = kind === "full" ? new Confusion(table) : new OneCoin(table);
  let beliefs = shares(table);
  for (let round = 0; round < iterations; round++) {
    model.fit(beliefs);
    beliefs = believe(table, model, priors(table, beliefs));
  }
  return {
    truth: new Map(table.items.map((item, i) => [item, mostProbable(table, beliefs, i)])),
    accuracy: accuracies(table, beliefs),
  };
}

/** A text is none: its characters are no labels. */
function isIterable(value: unknown): boolean {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

function tabulate(labels: Iterable<Labels>): Table {
  if (!isIterable(labels)) throw invalid("labels", labels, "a list, or another iterable, of labels");
  const all = Array.from(labels, check);
  const items = namesOf(all, "item");
  const workers = namesOf(all, "worker");
  const classes = namesOf(all, "label");
  const cells = all.length * classes.size;
  if (cells > MOST_CELLS)
    throw new SafeguardsError(
      "INVALID_ARGUMENT",
      `${all.length} labels, ${classes.size} of them distinct: their product must be at most ${MOST_CELLS}`,
    );
  all.sort((a, b) => order(a.item, b.item) || order(a.worker, b.worker) || order(a.label, b.label));
  const column = (names: ReadonlyMap<string, number>, part: keyof Labels): Int32Array =>
    Int32Array.from(all, (one) => names.get(one[part]) ?? 0);
  return {
    items: [...items.keys()],
    workers: [...workers.keys()],
    classes: [...classes.keys()],
    item: column(items, "item"),
    worker: column(workers, "worker"),
    label: column(classes, "label"),
  };
}

function check(one: Labels): Labels {
  if (typeof one !== "object" || one === null) throw invalid("a label", one, "an object with item, worker and label");
  for (const part of ["item", "worker", "label"] as const)
    if (typeof one[part] !== "string") throw invalid(`${part} of a label`, one[part], "a string");
  return one;
}

/** As `sort` orders texts. */
function order(a: string, b: string): number {
  return a < b ? -1 : a === b ? 0 : 1;
}

/** Each name with its number, in the order of the names. */
function namesOf(all: readonly Labels[], part: keyof Labels): ReadonlyMap<string, number> {
  const names = [...new Set(all.map((one) => one[part]))].sort();
  return new Map(names.map((name, number) => [name, number]));
}

/** Of the labels of an item, the share of each. */
function shares({ items, classes, item, label }: Table): Beliefs {
  const beliefs = new Float64Array(items.length * classes.length);
  for (let answer = 0; answer < item.length; answer++) {
    bump(beliefs, integerAt(item, answer) * classes.length + integerAt(label, answer), 1);
  }
  normalizeRows(beliefs, classes.length);
  return beliefs;
}

/** How often each label is the truth. */
function priors({ items, classes }: Table, beliefs: Beliefs): Float64Array {
  const sums = new Float64Array(classes.length);
  for (let i = 0; i < items.length; i++)
    for (let truth = 0; truth < classes.length; truth++)
      bump(sums, truth, doubleAt(beliefs, i * classes.length + truth));
  return sums.map((sum) => sum / items.length);
}

/**
 * What is to be held of the truth when workers answer so. Each row is a product of many small probabilities: what falls below
 * {@link TINY} is scaled up by powers of two, which is exact, and how often is kept. Of each item at least its present truth
 * keeps a probability above 0, since its own labels are among those that the model has seen.
 */
function believe({ items, classes, item }: Table, model: Model, prior: Float64Array): Beliefs {
  const k = classes.length;
  const beliefs = new Float64Array(items.length * k);
  const scaled = new Int32Array(k);
  let answer = 0;
  for (let i = 0; i < items.length; i++) {
    const row = beliefs.subarray(i * k, i * k + k);
    row.set(prior);
    scaled.fill(0);
    for (; answer < item.length && integerAt(item, answer) === i; answer++) {
      for (let truth = 0; truth < k; truth++) {
        const belief = doubleAt(row, truth) * model.probability(answer, truth);
        const isTiny = belief > 0 && belief < TINY;
        row[truth] = isTiny ? belief / TINY : belief;
        if (isTiny) scaled[truth] = integerAt(scaled, truth) + 1;
      }
    }
    unscale(row, scaled);
  }
  normalizeRows(beliefs, k);
  return beliefs;
}

/** The same proportions, with the least scaled as they are. */
function unscale(row: Float64Array, scaled: Int32Array): void {
  let least = Number.POSITIVE_INFINITY;
  for (let truth = 0; truth < row.length; truth++)
    if (doubleAt(row, truth) > 0) least = Math.min(least, integerAt(scaled, truth));
  for (let truth = 0; truth < row.length; truth++) {
    // Twice more is nothing beside them.
    const more = integerAt(scaled, truth) - least;
    row[truth] = more === 0 ? doubleAt(row, truth) : more === 1 ? doubleAt(row, truth) * TINY : 0;
  }
}

/** A worker has one accuracy; its errors fall on all other labels alike. */
class OneCoin implements Model {
  readonly #table: Table;
  #right: Float64Array = new Float64Array();

  constructor(table: Table) {
    this.#table = table;
  }

  fit(beliefs: Beliefs): void {
    this.#right = shareOfRight(this.#table, beliefs);
  }

  probability(answer: number, truth: number): number {
    const { worker, label, classes } = this.#table;
    const right = doubleAt(this.#right, integerAt(worker, answer));
    return integerAt(label, answer) === truth ? right : (1 - right) / (classes.length - 1);
  }
}

/**
 * A worker has a probability of each label for each truth (its confusion matrix). Only those of labels that it gave are
 * kept: a row for each pair of worker and label.
 */
class Confusion implements Model {
  readonly #table: Table;
  /** The row of each answer. */
  readonly #row: Int32Array;
  /** How probable a worker's label is, by row and truth; and the sums by worker and truth that make it a probability. */
  readonly #given: Float64Array;
  readonly #sums: Float64Array;
  readonly #workerOf: Int32Array;

  constructor(table: Table) {
    const { workers, classes, worker, label } = table;
    this.#table = table;
    const rows = new Map<number, number>();
    const workerOf: number[] = [];
    this.#row = worker.map((of, answer) => {
      const pair = of * classes.length + integerAt(label, answer);
      const known = rows.get(pair);
      if (known !== undefined) return known;
      rows.set(pair, workerOf.length);
      return workerOf.push(of) - 1;
    });
    this.#workerOf = Int32Array.from(workerOf);
    this.#given = new Float64Array(workerOf.length * classes.length);
    this.#sums = new Float64Array(workers.length * classes.length);
  }

  fit(beliefs: Beliefs): void {
    const { classes, item, worker } = this.#table;
    const k = classes.length;
    this.#given.fill(0);
    this.#sums.fill(0);
    for (let answer = 0; answer < item.length; answer++) {
      for (let truth = 0; truth < k; truth++) {
        const belief = doubleAt(beliefs, integerAt(item, answer) * k + truth);
        bump(this.#given, integerAt(this.#row, answer) * k + truth, belief);
        bump(this.#sums, integerAt(worker, answer) * k + truth, belief);
      }
    }
    for (const [row, of] of this.#workerOf.entries()) {
      for (let truth = 0; truth < k; truth++) {
        const sum = doubleAt(this.#sums, of * k + truth);
        // Of a truth that the worker never met nothing is known: all its labels are then as probable.
        this.#given[row * k + truth] = sum > 0 ? doubleAt(this.#given, row * k + truth) / sum : 1 / k;
      }
    }
  }

  probability(answer: number, truth: number): number {
    return doubleAt(this.#given, integerAt(this.#row, answer) * this.#table.classes.length + truth);
  }
}

function accuracies(table: Table, beliefs: Beliefs): ReadonlyMap<string, number> {
  const right = shareOfRight(table, beliefs);
  return new Map(table.workers.map((worker, number) => [worker, doubleAt(right, number)]));
}

/** Of each worker's labels, the share that is right by what is held of the truth. */
function shareOfRight({ workers, classes, item, worker, label }: Table, beliefs: Beliefs): Float64Array {
  const right = new Float64Array(workers.length);
  const all = new Float64Array(workers.length);
  for (let answer = 0; answer < item.length; answer++) {
    bump(
      right,
      integerAt(worker, answer),
      doubleAt(beliefs, integerAt(item, answer) * classes.length + integerAt(label, answer)),
    );
    bump(all, integerAt(worker, answer), 1);
  }
  return right.map((sum, number) => sum / doubleAt(all, number));
}

function mostProbable({ classes }: Table, beliefs: Beliefs, item: number): string {
  let best = 0;
  for (let truth = 1; truth < classes.length; truth++)
    if (doubleAt(beliefs, item * classes.length + truth) > doubleAt(beliefs, item * classes.length + best))
      best = truth;
  return itemAt(classes, best);
}

function normalizeRows(rows: Float64Array, length: number): void {
  for (let from = 0; from < rows.length; from += length) {
    let sum = 0;
    for (let i = from; i < from + length; i++) sum += doubleAt(rows, i);
    for (let i = from; i < from + length; i++) rows[i] = doubleAt(rows, i) / sum;
  }
}

function bump(sums: Float64Array, index: number, by: number): void {
  sums[index] = doubleAt(sums, index) + by;
}
