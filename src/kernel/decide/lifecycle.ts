/** Opening and closing. */
import { checkDuration, checkInteger, checkKeys, invalid } from "../../coordination/structures/arguments.ts";
import type { Answer, Command } from "../commands.ts";
import { defaults, limits } from "../limits.ts";
import { abandon, lose, stopped } from "./attempts.ts";
import { type Desk, DONE } from "./desk.ts";
import { settle } from "./endings.ts";
import { checkGuardrailNames } from "./guardrails.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

const MOST_SLOTS = 1_000_000;

/** A coordinator begins, or begins again: attempts that were running are lost, and agents are offline until they register. */
export function open(desk: Desk, command: CommandOf<"coordinator.open">): Answer {
  checkKeys(
    command,
    ["type", "concurrency", "agingMs", "protectAfterMs", "unroutableMs", "keepCount", "keepMs", "strict", "guardrails"],
    "options",
  );
  const { concurrency = defaults.concurrency, unroutableMs: unroutable = defaults.unroutableMs } = command;
  checkInteger(concurrency, "concurrency", 1, MOST_SLOTS);
  const agingMs =
    command.agingMs === undefined
      ? Number.POSITIVE_INFINITY
      : checkDuration(command.agingMs, "agingMs", { infinity: true, zero: true });
  const { protectAfterMs = defaults.protectAfterMs } = command;
  checkDuration(protectAfterMs, "protectAfterMs", { infinity: true, zero: true });
  const unroutableMs = Math.ceil(checkDuration(unroutable, "unroutableMs", { zero: true }));
  const { keepCount = defaults.keepCount, keepMs, strict, guardrails } = command;
  checkInteger(keepCount, "keepFinished.count", 0, limits.keptTasks);
  if (keepMs !== undefined) checkDuration(keepMs, "keepFinished.ms", { zero: true });
  if (strict !== undefined && typeof strict !== "boolean") throw invalid("strict", strict, "true or false");
  desk.emit({
    type: "coordinator.opened",
    v: 1,
    concurrency,
    ...(agingMs === Number.POSITIVE_INFINITY ? {} : { agingMs }),
    ...(protectAfterMs === Number.POSITIVE_INFINITY ? {} : { protectAfterMs }),
    unroutableMs,
    keepCount,
    ...(keepMs === undefined ? {} : { keepMs }),
    ...(strict === true ? { strict } : {}),
    ...(guardrails === undefined ? {} : { guardrails: checkGuardrailNames(guardrails) }),
  });
  // The process in which that code ran is gone.
  for (const { taskId, token } of [...desk.state.kept.values()])
    desk.emit({ type: "attempt.gone", v: 1, taskId, token });
  for (const live of [...desk.state.live.values()]) {
    if (live.stopping === undefined) lose(desk, live);
    else stopped(desk, live, { died: true });
  }
  return DONE;
}

/** What runs is put back in the queue: it did nothing wrong. */
export function close(desk: Desk): Answer {
  for (const live of [...desk.state.live.values()]) {
    if (live.stopping !== undefined) abandon(desk, live);
    else {
      desk.emit({ type: "attempt.ended", v: 1, taskId: live.task.id, token: live.token, end: "preempted" });
      settle(desk, live.task);
    }
  }
  desk.emit({ type: "coordinator.closed", v: 1 });
  return DONE;
}
