/** What a benchmark says: figures, each from several runs, and what it is held against. */

export interface Settings {
  /** So little work that only whether it runs is shown. */
  readonly brief: boolean;
  /** What follows the benchmark's name on the command line. */
  readonly argument: string | undefined;
}

/** What is asked, and what is wished for: of the figure itself, or of its ratio to the peer. */
export interface Goal {
  readonly of: "figure" | "ratio";
  readonly better: "more" | "less";
  readonly must: number;
  readonly aim?: number;
}

export interface Figure {
  readonly what: string;
  readonly unit: string;
  /** One value a run. */
  readonly runs: readonly number[];
  /** What else was measured in the same runs, in the same unit. */
  readonly peer?: { readonly what: string; readonly runs: readonly number[] };
  readonly goal?: Goal;
}

export interface Benchmark {
  /** What is done, and how much of it. */
  readonly work: string;
  /** The figures, or in words why there are none. */
  run(settings: Settings): Promise<readonly Figure[] | string>;
}

/** The value below which that share (0 to 1) of the values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The median of the ratios run by run: what slowed the machine down in one run slowed both. */
export function ratioOf({ runs, peer }: Figure): number | undefined {
  return peer === undefined ? undefined : median(runs.map((value, run) => value / (peer.runs[run] ?? Number.NaN)));
}

/** Whether the goal is met; `undefined` where there is none. */
export function isMet(figure: Figure): boolean | undefined {
  const { goal, runs } = figure;
  if (goal === undefined) return undefined;
  const value = goal.of === "ratio" ? (ratioOf(figure) ?? Number.NaN) : median(runs);
  return goal.better === "more" ? value >= goal.must : value <= goal.must;
}

/** How many of `count` things that takes were done in a second. */
export function perSecond(count: number, work: () => void): number {
  const began = performance.now();
  work();
  return (count * 1000) / (performance.now() - began);
}

/** The same for work that is waited for. */
export async function perSecondAsync(count: number, work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (count * 1000) / (performance.now() - began);
}

/** Small whole numbers below `n`, the same ones each time: a linear congruential generator (Numerical Recipes). */
export function numbers(seed = 1): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}
