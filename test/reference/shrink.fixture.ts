/** The shortest story that still shows a difference: steps and commands are left out while it does. */

import type { Command } from "../../src/kernel/commands.ts";
import type { Step } from "./script.fixture.ts";
import { SideBySide } from "./side-by-side.fixture.ts";

/** What was found first in a story, or undefined. */
export function firstDifference(
  steps: readonly Step[],
): { readonly found: readonly string[]; readonly at: number } | undefined {
  const world = new SideBySide();
  for (const [at, step] of steps.entries()) {
    let found: readonly string[];
    try {
      found = world.take(step);
    } catch (error) {
      found = [error instanceof Error ? `thrown: ${error.message}\n${error.stack}` : String(error)];
    }
    if (found.length > 0) return { found, at };
  }
  return undefined;
}

/** What kind of difference it is: its words, without names and figures. */
function kindOf(found: readonly string[]): string {
  return (found[0] ?? "")
    .replace(/[a-z]*\d+[/\d]*/g, "#")
    .replace(/ of \S+:/, ":")
    .replace(/: .*/, "");
}

export function shrink(steps: readonly Step[]): readonly Step[] {
  const first = firstDifference(steps);
  if (first === undefined) return steps;
  const kind = kindOf(first.found);
  let best: readonly Step[] = steps.slice(0, first.at + 1);
  const shows = (other: readonly Step[]): boolean => {
    const result = firstDifference(other);
    return result !== undefined && kindOf(result.found) === kind;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const other of smaller(best)) {
      if (!shows(other)) continue;
      best = other;
      changed = true;
      break;
    }
  }
  return best;
}

function* smaller(steps: readonly Step[]): Generator<readonly Step[]> {
  for (let size = Math.floor(steps.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let i = 1; i + size <= steps.length; i++) yield [...steps.slice(0, i), ...steps.slice(i + size)];
  }
  for (const [i, step] of steps.entries()) {
    const put = (other: Step): readonly Step[] => steps.map((one, j) => (j === i ? other : one));
    for (const [j, command] of step.commands.entries()) {
      if (step.commands.length > 1 && command.type !== "coordinator.open")
        yield put({ ...step, commands: step.commands.filter((_, k) => k !== j) });
      for (const simpler of simpleCommands(command))
        yield put({ ...step, commands: step.commands.map((one, k) => (k === j ? simpler : one)) });
    }
    for (const after of [0, 100, 1000, Math.floor(step.after / 2)])
      if (after < step.after) yield put({ ...step, after });
  }
}

function* simpleCommands(command: Command): Generator<Command> {
  if (command.type === "coordinator.open") {
    const { agingMs, protectAfterMs, ...rest } = command;
    if (agingMs !== undefined) yield { ...rest, ...(protectAfterMs === undefined ? {} : { protectAfterMs }) };
    if (protectAfterMs !== undefined) yield { ...rest, ...(agingMs === undefined ? {} : { agingMs }) };
  }
  if (command.type !== "task.submit" && command.type !== "attempt.plan") return;
  for (const [i, task] of command.tasks.entries()) {
    if (command.tasks.length > 1) yield { ...command, tasks: command.tasks.filter((_, j) => j !== i) };
    for (const field of Object.keys(task)) {
      // Without its own policy a task is tried again after a time that is drawn.
      if (field === "id" || field === "retry") continue;
      const without = Object.fromEntries(Object.entries(task).filter(([key]) => key !== field));
      yield { ...command, tasks: command.tasks.map((one, j) => (j === i ? without : one)) };
    }
  }
}
