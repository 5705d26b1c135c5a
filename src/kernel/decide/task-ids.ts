/** What tasks are called: the local ids that users write, and the global ones that they stand for. */
import type { TaskRequest } from "../commands.ts";
import { limits } from "../limits.ts";
import { othersPlans, type Task } from "../task.ts";
import { type Desk, isKnown, isPresent, refused } from "./desk.ts";

/**
 * Global ids: own ones below the parent's, generated ones where none is given. Of those of no parent none is taken, since
 * `lastTaskNumber` is the highest that any task has had.
 */
export function globalIds(
  desk: Desk,
  requests: readonly TaskRequest[],
  { parent, round }: { readonly parent: Task | undefined; readonly round: number | undefined },
): readonly string[] {
  let given: Set<string> | undefined;
  for (const { id } of requests) {
    if (id === undefined) continue;
    given ??= new Set();
    given.add(id);
  }
  let next = parent === undefined ? desk.state.lastTaskNumber : (parent.family?.planned ?? 0) - 1;
  const ids: string[] = [];
  for (const { id } of requests) {
    if (id !== undefined) {
      if (parent !== undefined) next += 1;
      ids.push(globalId(parent, round === undefined ? id : ownLocal(desk, parent, id)));
      continue;
    }
    let local = "";
    for (;;) {
      next += 1;
      local = parent === undefined ? `t${next}` : String(next);
      const isNew = parent === undefined && Number.isSafeInteger(next);
      if (given?.has(local) !== true && (isNew || !isPresent(desk.state, globalId(parent, local)))) break;
    }
    ids.push(globalId(parent, local));
  }
  return ids;
}

/**
 * What a subtask is called below its parent: as it is written, or, where another has used that name already who led the task
 * before, with the first number behind it that none had yet.
 */
function ownLocal(desk: Desk, parent: Task | undefined, written: string): string {
  if (parent === undefined) return written;
  const { round: theirs = 0 } = othersPlans(parent.series) ?? {};
  let local = written;
  for (let number = 2; theirs > 0; number += 1) {
    const taken = desk.state.tasks.get(`${parent.id}/${local}`);
    // What code has submitted beside a plan has no round: it is taken whoever led the task.
    if (taken === undefined || (taken.spec.round ?? 0) > theirs) break;
    local = `${written}~${number}`;
  }
  return local;
}

function globalId(parent: Task | undefined, local: string): string {
  const id = parent === undefined ? local : `${parent.id}/${local}`;
  if (id.length > limits.globalIdLength)
    throw refused(
      "INVALID_ARGUMENT",
      `the id ${id.slice(0, 64)}… has ${id.length} characters; at most ${limits.globalIdLength} are allowed`,
    );
  return id;
}

/** What a dependency's id stands for: a sibling first, then any task. */
export function dependencyId(
  desk: Desk,
  own: ReadonlySet<string>,
  parent: Task | undefined,
  written: string,
  of: string,
): string {
  if (parent !== undefined) {
    for (const local of [ownLocal(desk, parent, written), written]) {
      const sibling = `${parent.id}/${local}`;
      if (own.has(sibling) || isKnown(desk, sibling)) return sibling;
    }
  }
  if (own.has(written) || isKnown(desk, written)) return written;
  throw refused(
    "UNKNOWN_TASK",
    `task ${JSON.stringify(of)} depends on ${JSON.stringify(written)}, which does not exist`,
    { taskId: of, dependsOn: written },
  );
}
