/**
 * What guardrails said, written down, and what follows from it.
 *
 * 1. A list of verdicts is of the guardrails that the coordinator was opened with, in their order: of all of them, or up to
 *    the first that blocks. So an input or an output is accepted only when all have let it pass.
 * 2. Each verdict is an event, before what follows from it.
 */
import { checkId, checkKeys, invalid } from "../../coordination/structures/arguments.ts";
import type { Answer, Command } from "../commands.ts";
import type { Failure } from "../events/failure.ts";
import type { GivenVerdict, GuardedPoint, GuardrailJudgedEvent, GuardrailNames } from "../events/guardrails.ts";
import { limits } from "../limits.ts";
import { awaitsJudgement } from "../task.ts";
import { type Desk, DONE, refused, speaker, taskNamed } from "./desk.ts";
import { windDown } from "./endings.ts";
import { checkGlobalId } from "./shapes.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;
type Subject = Pick<GuardrailJudgedEvent, "taskId" | "on" | "token" | "agent" | "action">;

const POINTS: readonly GuardedPoint[] = ["input", "output", "action"];

export function checkGuardrailNames(guardrails: GuardrailNames): GuardrailNames {
  checkKeys(guardrails, POINTS, "guardrails");
  for (const on of POINTS) {
    const names: unknown = guardrails[on];
    if (names === undefined) continue;
    const what = `guardrails.${on}`;
    if (!Array.isArray(names) || names.length === 0 || names.length > limits.guardrails)
      throw invalid(what, names, `a list of 1 to ${limits.guardrails} names`);
    for (const name of names) checkId(name, `a name in ${what}`);
    if (new Set(names).size < names.length) throw invalid(what, names, "a list of different names");
  }
  return guardrails;
}

/** What becomes of a task whose input was looked at: it may be given to an agent, or it fails. */
export function judgeInput(desk: Desk, command: CommandOf<"task.judge">): Answer {
  const { verdicts, input } = command;
  const task = taskNamed(desk.state, checkGlobalId(command.taskId, "task id"));
  const taskId = task.id;
  if (!awaitsJudgement(task))
    throw refused("INVALID_STATE", `task ${taskId} waits for no verdict on its input`, { taskId });
  requireAll(desk, "input", taskId, verdicts);
  const blocked = noted(desk, { taskId, on: "input" }, verdicts);
  if (blocked !== undefined) windDown(desk, task, { as: "failed", error: blocked }, "cancelled");
  else desk.emit({ type: "input.accepted", v: 1, taskId, ...(input === undefined ? {} : { input }) });
  return DONE;
}

/** An action is taken, or not, by the attempt's own process, once this is written. */
export function judgeAction(desk: Desk, command: CommandOf<"attempt.act">): Answer {
  const { action, verdicts } = command;
  const { task, token, agent } = speaker(desk.state, command);
  requireAll(desk, "action", task.id, verdicts);
  noted(desk, { taskId: task.id, on: "action", token, agent: agent.name, action }, verdicts);
  return DONE;
}

/** Refuses what is not the whole word of the guardrails that there are. */
export function requireAll(desk: Desk, on: GuardedPoint, taskId: string, verdicts: readonly GivenVerdict[]): void {
  const names = desk.state.settings?.guardrails?.[on] ?? [];
  const isWhole = verdicts.length === names.length || verdicts.at(-1)?.verdict === "block";
  if (isWhole && verdicts.every(({ guardrail }, i) => guardrail === names[i])) return;
  const asked = names.length === 0 ? "there are none" : `it takes the verdicts of ${names.join(", ")}`;
  throw refused("INVALID_STATE", `that is not what the guardrails say of an ${on} of task ${taskId}: ${asked}`, {
    taskId,
  });
}

/** Writes each verdict down. Why it is blocked, if it is. */
export function noted(desk: Desk, subject: Subject, verdicts: readonly GivenVerdict[]): Failure | undefined {
  for (const { guardrail, verdict, reason } of verdicts) {
    const told = reason === undefined ? {} : { reason: reason.slice(0, limits.reasonLength) };
    desk.emit({ type: "guardrail.judged", v: 1, ...subject, guardrail, verdict, ...told });
  }
  const last = verdicts.at(-1);
  return last?.verdict === "block" ? blockedBy(last, subject.on) : undefined;
}

function blockedBy({ guardrail, reason = "" }: GivenVerdict, on: GuardedPoint): Failure {
  return {
    code: "GUARDRAIL_BLOCKED",
    message: `guardrail ${guardrail} blocked its ${on}: ${reason.slice(0, limits.reasonLength)}`,
    retryable: false,
    details: { guardrail, on },
  };
}
