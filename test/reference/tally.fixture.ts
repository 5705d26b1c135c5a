/** How often each thing came up: what was never tried was never shown. */

import type { KernelEvent } from "../../src/kernel/events.ts";

export type Counts = Map<string, number>;

export interface Tally {
  sequences: number;
  batches: number;
  readonly commands: Counts;
  readonly refusals: Counts;
  /** To wait, each time that a task was asked for them. */
  readonly reasons: Counts;
  readonly happenings: Counts;
}

export function newTally(): Tally {
  return {
    sequences: 0,
    batches: 0,
    commands: new Map(),
    refusals: new Map(),
    reasons: new Map(),
    happenings: new Map(),
  };
}

export function count(counts: Counts, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** An event by its type and by what kind of it it is. */
export function happening(event: KernelEvent): string {
  switch (event.type) {
    case "attempt.stopping":
      return `${event.type}: ${event.reason}`;
    case "attempt.ended":
      return `${event.type}: ${event.end}${event.assumed === undefined ? "" : ", assumed"}`;
    case "resource.released":
      return `${event.type}: ${event.why}`;
    case "breaker.changed":
    case "resource.breaker-changed":
      return `${event.type}: ${event.state}`;
    case "approval.given":
    case "approval.rejected":
      return `${event.type}: ${event.before}`;
    case "ballot.decided":
      return `${event.type}: ${event.outcome}`;
    case "flight.led":
      return event.alone === true ? `${event.type}: alone` : event.type;
    case "task.completed":
      return event.via === undefined ? event.type : `${event.type}: ${event.via}`;
    case "guardrail.judged":
      return `${event.type}: ${event.on}${event.verdict === "block" ? ", blocked" : ""}`;
    case "task.fell-back":
      return `${event.type}: ${event.to}`;
    case "task.started":
      return `${event.type}: ${event.phase}${event.batch === undefined ? "" : ", together"}`;
    case "task.failed":
      return `${event.type}: ${event.error.code}`;
    default:
      return event.type;
  }
}

interface Share {
  readonly what: string;
  readonly times: number;
  readonly percent: number;
}

/** The most frequent first. */
function shares(counts: Counts): readonly Share[] {
  const all = [...counts.values()].reduce((sum, times) => sum + times, 0);
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([what, times]) => ({ what, times, percent: (100 * times) / all }));
}

/** What came up less than once in a hundred times. */
export function rare(counts: Counts): readonly string[] {
  return shares(counts).flatMap(({ what, percent }) => (percent < 1 ? [`${what}: ${percent.toFixed(2)} %`] : []));
}

/** What has happened less than once in a hundred sequences. */
export function seldom({ sequences, happenings }: Tally, among: readonly string[]): readonly string[] {
  return among.filter((what) => (happenings.get(what) ?? 0) < sequences / 100);
}

export function report({ sequences, batches, commands, refusals, reasons, happenings }: Tally): string {
  const lines = [`${sequences} sequences, ${batches} batches compared`];
  for (const [name, counts] of Object.entries({ commands, refusals, "reasons to wait": reasons, happenings })) {
    lines.push(`${name}:`);
    for (const { what, times, percent } of shares(counts))
      lines.push(`  ${percent.toFixed(2).padStart(6)} %  ${what} (${times})`);
  }
  return lines.join("\n");
}
