/**
 * Trees of tasks that have ended become lines of text, and tasks again when a person has one of theirs tried again.
 *
 * 1. A tree is settled with the event that ends the last of its tasks: then nothing that goes on refers to any of them.
 * 2. Whoever depends on one of them has been told how it ended, or names it by id.
 */

import { NO_MONEY } from "../coordination/structures/money.ts";
import { finishedRow, idsIn, type Thawed, thaw } from "./finished-row.ts";
import { known } from "./named.ts";
import { ownCost, payAbove } from "./spending.ts";
import type { State } from "./state.ts";
import { childrenOf, type Family, isTerminal, rootOf, type Task } from "./task.ts";

/** Puts the task's tree away if all of it has ended. What leaves memory for it goes into the outbox. */
export function settle(state: State, task: Task, now: number): void {
  const root = rootOf(task);
  if (!isTerminal(root.status) || (root.family?.openBelow ?? 0) > 0) return;
  if (root.family === undefined) {
    state.finished.addOne(root.id, finishedRow(root));
    state.tasks.delete(root.id);
  } else {
    const tree: Task[] = [root];
    for (const one of tree) for (const child of childrenOf(one)) tree.push(child);
    state.finished.add(tree.map((one) => [one.id, finishedRow(one)] as const));
    for (const { id } of tree) state.tasks.delete(id);
  }
  const { settings } = state;
  // A log from when nothing left memory does not say how much is kept: all of it.
  const count = settings?.keepCount ?? Number.POSITIVE_INFINITY;
  for (const departed of state.finished.departing(count, settings?.keepMs, now)) state.outbox.add(departed);
}

/** A task of a tree that is kept, with all its relatives, beside the state. */
export function thawedTree(state: State, id: string): { readonly task: Task; readonly tree: readonly Task[] } {
  let rootId = id;
  for (let parentId = idsIn(rowOf(state, rootId)).parentId; parentId !== undefined; ) {
    rootId = parentId;
    parentId = idsIn(rowOf(state, rootId)).parentId;
  }
  const thawed: Thawed[] = [thaw(rowOf(state, rootId), state)];
  for (const { children } of thawed) for (const child of children) thawed.push(thaw(rowOf(state, child), state));
  thawed.sort((a, b) => a.task.seq - b.task.seq);
  const tasks = new Map<string, Task>();
  for (const { task } of thawed) {
    const { parentId } = task.spec;
    const parent = parentId === undefined ? undefined : known(tasks.get(parentId), "task", parentId);
    const linked = { ...task, parent };
    tasks.set(task.id, linked);
    if (parent !== undefined) enter(parent, linked);
    payAbove(linked, ownCost(linked));
  }
  return { task: known(tasks.get(id), "task", id), tree: [...tasks.values()] };
}

/** Makes tasks of the tree again. */
export function revive(state: State, id: string): Task {
  const { task, tree } = thawedTree(state, id);
  state.finished.remove(tree.map((one) => one.id));
  for (const one of tree) {
    state.tasks.set(one.id, one);
    if (one.spec.trace !== undefined) state.traced = true;
  }
  return task;
}

/** Its subtasks; none yet. */
export function familyOf(task: Task): Family {
  task.family ??= {
    children: [],
    openChildren: 0,
    openRound: 0,
    planned: 0,
    failedChildren: 0,
    completedChildren: 0,
    openBelow: 0,
    spentBelow: NO_MONEY,
  };
  return task.family;
}

/** Puts a task among its parent's, as it stands. */
export function enter(parent: Task, child: Task): void {
  const family = familyOf(parent);
  const over = isTerminal(child.status);
  family.children.push(child);
  if (!over) {
    family.openChildren += 1;
    familyOf(rootOf(parent)).openBelow += 1;
  }
  if (child.spec.round === undefined) return;
  family.planned += 1;
  if (!over) family.openRound += 1;
  else if (child.status === "completed") family.completedChildren += 1;
  else family.failedChildren += 1;
}

function rowOf(state: State, id: string): string {
  return known(state.finished.row(id), "task", id);
}
