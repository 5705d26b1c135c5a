/** The comparison as a test, in parts that run beside one another. */

import { expect, test } from "vitest";
import { compare } from "./comparison.fixture.ts";
import { rare, report, seldom } from "./tally.fixture.ts";

/** Sequences in a whole run: `SAFEGUARDS_SEQUENCES` for more, or fewer. */
const SEQUENCES = Number(process.env.SAFEGUARDS_SEQUENCES ?? 20_000);
/** The first seed: another tells other sequences. */
const SEED = Number(process.env.SAFEGUARDS_SEED ?? 1);
/** A single one again, as a failure names it. */
const PATH = process.env.SAFEGUARDS_PATH;
const PARTS = 2;
/** So few say nothing of how often something comes up. */
const TELLING = 500;

/** Every code that a command can be refused with here. */
const REFUSALS = [
  "BUDGET_EXCEEDED",
  "CANCELLED",
  "CAPACITY_EXCEEDED",
  "CLOSED",
  "DEPENDENCY_CYCLE",
  "DUPLICATE_ID",
  "FENCED",
  "INVALID_ARGUMENT",
  "INVALID_STATE",
  "TEAM_CYCLE",
  "UNKNOWN_AGENT",
  "UNKNOWN_ALLOCATION",
  "UNKNOWN_BALLOT",
  "UNKNOWN_BUDGET",
  "UNKNOWN_RESOURCE",
  "UNKNOWN_TASK",
  "WOULD_DEADLOCK",
];

/** Why a task may wait; a class of so many that one is beyond the backfill's depth is not in these sequences. */
const REASONS = [
  "approval",
  "backoff",
  "breaker",
  "budget",
  "concurrency",
  "dependencies",
  "held",
  "offline",
  "reserved",
  "resource",
  "room",
  "skills",
];

/** What must have happened often enough for its consequences to have been compared. */
const HAPPENINGS = [
  "approval.given: output",
  "approval.given: run",
  "approval.rejected: output",
  "approval.rejected: run",
  "attempt.ended: abandoned",
  "attempt.ended: cancelled",
  "attempt.ended: lost",
  "attempt.ended: preempted",
  "attempt.ended: timeout",
  "attempt.gone",
  "attempt.regained",
  "attempt.stopping: deadline",
  "attempt.stopping: paused",
  "attempt.stopping: preempted",
  "attempt.ended: lost, assumed",
  "ballot.decided: decided",
  "ballot.decided: no_consensus",
  "ballot.decided: no_majority",
  "ballot.decided: no_quorum",
  "ballot.decided: tied",
  "ballot.extended",
  "breaker.changed: closed",
  "breaker.changed: half-open",
  "breaker.changed: open",
  "flight.joined",
  "flight.led",
  "flight.led: alone",
  "guardrail.judged: action",
  "guardrail.judged: input, blocked",
  "guardrail.judged: output, blocked",
  "input.accepted",
  "output.offered",
  "promise.dropped",
  "resource.breaker-changed: closed",
  "resource.breaker-changed: half-open",
  "resource.breaker-changed: open",
  "resource.refused",
  "resource.released: expired",
  "task.completed: cache",
  "task.failed: BUDGET_EXCEEDED",
  "task.failed: CAPACITY_EXCEEDED",
  "task.failed: NO_QUALIFIED_AGENT",
  "task.fell-back: agents",
  "task.fell-back: value",
  "task.planned",
  "task.promised",
  "task.retried",
  "task.skipped",
  "task.started: aggregate",
  "task.started: run, together",
];

/** One of the parts, from 0. */
export function sequencesTest(part: number): void {
  const count = Math.ceil(SEQUENCES / PARTS);
  test(`the kernel does what the reference says, in part ${part + 1} of ${PARTS}`, { timeout: 7_200_000 }, () => {
    const tally = compare(count, { seed: SEED + part, path: PATH });
    console.log(report(tally));
    if (tally.sequences < TELLING) return;
    expect([...tally.refusals.keys()].sort()).toEqual(REFUSALS);
    expect([...tally.reasons.keys()].sort()).toEqual(REASONS);
    expect(rare(tally.commands)).toEqual([]);
    expect(rare(tally.refusals)).toEqual([]);
    expect(rare(tally.reasons)).toEqual([]);
    expect(seldom(tally, HAPPENINGS)).toEqual([]);
  });
}
