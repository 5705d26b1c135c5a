/** Which tasks of one `cacheKey` run, wait for one another, or have an output already. */
import { show } from "../../coordination/structures/arguments.ts";
import { findCycle } from "../../coordination/structures/dependency-graph.ts";
import type { Answer, Command } from "../commands.ts";
import { type Flight, flightKey } from "../flights.ts";
import type { State } from "../state.ts";
import { awaitedBy, childrenOf, isTerminal, openChildrenOf, type Task } from "../task.ts";
import { heldFirmly } from "./deadlock.ts";
import { type Desk, DONE, refused, taskNamed } from "./desk.ts";
import { answer, answered, keptFor } from "./endings.ts";
import { noted, requireAll } from "./guardrails.ts";
import { checkGlobalId } from "./shapes.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

/**
 * Decides on those that have become ready, and on those whose leader is gone: before anything is admitted. Whether anything
 * was decided.
 */
export function shareOutputs(desk: Desk): boolean {
  const { undecided, leaderless } = desk.indexes;
  const { offers } = desk.state.flights;
  if (undecided.size === 0 && leaderless.size === 0 && offers.size === 0) return false;
  // Who is opened without those whose verdict they waited for waits for none.
  if (offers.size > 0 && desk.state.settings?.guardrails?.output === undefined)
    for (const [task, { from, ...given }] of [...offers]) answered(desk, task, { taskId: from, ...given });
  if (undecided.size === 0 && leaderless.size === 0) return false;
  for (const flight of [...leaderless]) findLeader(desk, flight);
  for (const task of [...undecided].sort((a, b) => a.seq - b.seq)) if (undecided.has(task)) decideOn(desk, task);
  return true;
}

/** Who led it was cancelled, or is held: the first of its followers that no output answers by now does. */
function findLeader(desk: Desk, flight: Flight): void {
  for (const task of [...flight.followers]) {
    if (!flight.followers.has(task)) continue;
    const kept = keptFor(desk, task, flight.key);
    if (kept === undefined) {
      desk.emit({ type: "flight.led", v: 1, taskId: task.id });
      return;
    }
    answer(desk, task, kept);
  }
}

function decideOn(desk: Desk, task: Task): void {
  const { state } = desk;
  const key = flightKey(state, task);
  const kept = keptFor(desk, task, key);
  if (kept !== undefined) {
    answer(desk, task, kept);
    return;
  }
  leadOrFollow(desk, task, key);
}

/** No output answers it: it gives one, or waits for who does. */
function leadOrFollow(desk: Desk, task: Task, key: string): void {
  const { state } = desk;
  const leader = state.flights.openFor(key)?.leader;
  if (leader === undefined) desk.emit({ type: "flight.led", v: 1, taskId: task.id });
  else if (mayFollow(state, task, leader))
    desk.emit({ type: "flight.joined", v: 1, taskId: task.id, leader: leader.id });
  else desk.emit({ type: "flight.led", v: 1, taskId: task.id, alone: true });
}

/** The output that is to answer it does, or is blocked for it: then it goes on without. */
export function judgeOffer(desk: Desk, command: CommandOf<"task.answer">): Answer {
  const { from, verdicts } = command;
  const task = taskNamed(desk.state, checkGlobalId(command.taskId, "task id"));
  const offer = desk.state.flights.offers.get(task);
  if (offer === undefined || offer.from !== from)
    throw refused("INVALID_STATE", `task ${task.id} waits for no verdict on the output of ${show(from)}`, {
      taskId: task.id,
    });
  requireAll(desk, "output", task.id, verdicts);
  const blocked = noted(desk, { taskId: task.id, on: "output" }, verdicts);
  if (blocked === undefined) {
    const { output, givers = [] } = offer;
    answered(desk, task, { taskId: from, output: command.output ?? output, givers });
  } else leadOrFollow(desk, task, flightKey(desk.state, task));
  return DONE;
}

/** Not what has subtasks of its own already, nor what its leader, or who holds what its leader may need, waits for. */
function mayFollow(state: State, task: Task, leader: Task): boolean {
  if (task.family !== undefined || task.phase === "aggregate") return false;
  if (task.parent === undefined && task.dependents === undefined) return true;
  const needed = new Set(leader.needs.map((need) => need.resource));
  const waiting = new Set([task]);
  for (const one of waiting) {
    if (one === leader) return false;
    const { live } = one;
    if (live?.seated === false) {
      if (heldFirmly(live).some(({ resource }) => needed.has(resource))) return false;
      if (one.funding !== undefined && leader.funding !== undefined) return false;
    }
    for (const dependent of one.dependents ?? []) if (!isTerminal(dependent.status)) waiting.add(dependent);
    if (one.parent !== undefined && !isTerminal(one.parent.status)) waiting.add(one.parent);
    if (state.flights.leads(one)) for (const follower of state.flights.of(one)?.followers ?? []) waiting.add(follower);
  }
  return true;
}

/** Where new subtasks make a task wait for one that follows it, that one goes alone. */
export function partFollowers(desk: Desk, parent: Task): void {
  const { state } = desk;
  while (state.flights.following > 0) {
    const circle = findCycle([parent.id], (id) => waitsOf(state, id)) ?? [];
    const tasks = circle.flatMap((id) => state.tasks.get(id) ?? []);
    const follower = tasks.find((task) => state.flights.follows(task));
    if (follower === undefined) return;
    desk.emit({ type: "flight.led", v: 1, taskId: follower.id, alone: true });
  }
}

function waitsOf(state: State, id: string): readonly string[] {
  const task = state.tasks.get(id);
  if (task === undefined || isTerminal(task.status)) return [];
  const on = awaitedBy(task).map((dependency) => dependency.id);
  if (openChildrenOf(task) > 0) for (const child of childrenOf(task)) if (!isTerminal(child.status)) on.push(child.id);
  const leader = state.flights.follows(task) ? state.flights.of(task)?.leader : undefined;
  if (leader !== undefined) on.push(leader.id);
  return on;
}
