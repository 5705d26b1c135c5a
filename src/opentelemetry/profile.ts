/**
 * Gauges of what a coordinator measures of itself, read from its `stats()` whenever metrics are collected.
 *
 * 1. What is collected after the coordinator was closed tells nothing: it measures nothing any more.
 */
import type { Meter, ObservableGauge, ObservableResult } from "@opentelemetry/api";
import type { DistributionView } from "../runtime/distribution.ts";
import type { Stats } from "../runtime/stats.ts";

/** What takes its time: as `stats()` calls it, and as it is told. */
const STEPS = [
  ["queueWaitMs", "queue_wait"],
  ["runMs", "run"],
  ["decisionMs", "decision"],
  ["journalMs", "journal"],
  ["dispatchMs", "dispatch"],
  ["messageMs", "message"],
] as const;

type Timed = Readonly<Partial<Record<(typeof STEPS)[number][0], DistributionView>>>;

export class Profile {
  readonly #stats: () => Promise<Stats>;
  readonly #time: ObservableGauge;
  readonly #cost: ObservableGauge;
  /** Of the same collection both gauges tell. */
  #asked: Promise<Stats | undefined> | undefined;

  constructor(meter: Meter, stats: () => Promise<Stats>) {
    this.#stats = stats;
    this.#time = meter.createObservableGauge("safeguards.time", {
      description: "How long the latest of each step took, by quantile: of all, by agent and by class of task.",
      unit: "s",
    });
    this.#cost = meter.createObservableGauge("safeguards.agent.cost", {
      description: "What the attempts of each agent that has run have spent.",
    });
    this.#time.addCallback(this.#tellTimes);
    this.#cost.addCallback(this.#tellCosts);
  }

  end(): void {
    this.#time.removeCallback(this.#tellTimes);
    this.#cost.removeCallback(this.#tellCosts);
  }

  readonly #tellTimes = async (result: ObservableResult): Promise<void> => {
    const stats = await this.#now();
    if (stats === undefined) return;
    tell(result, stats, {});
    for (const [agent, times] of Object.entries(stats.agents)) tell(result, times, { "gen_ai.agent.name": agent });
    for (const [name, times] of Object.entries(stats.classes)) tell(result, times, { "safeguards.task.class": name });
  };

  readonly #tellCosts = async (result: ObservableResult): Promise<void> => {
    const stats = await this.#now();
    for (const [agent, { cost }] of Object.entries(stats?.agents ?? {}))
      result.observe(Number(cost), { "gen_ai.agent.name": agent });
  };

  /** Asked once for all that asks at the same time. */
  #now(): Promise<Stats | undefined> {
    this.#asked ??= this.#stats()
      .catch(() => undefined)
      .finally(() => {
        this.#asked = undefined;
      });
    return this.#asked;
  }
}

function tell(result: ObservableResult, times: Timed, of: Readonly<Record<string, string>>): void {
  for (const [key, step] of STEPS) {
    const view = times[key];
    if (view === undefined || view.count === 0) continue;
    const labels = { ...of, "safeguards.step": step };
    result.observe(view.p50 / 1000, { ...labels, "safeguards.quantile": "0.5" });
    result.observe(view.p99 / 1000, { ...labels, "safeguards.quantile": "0.99" });
  }
}
