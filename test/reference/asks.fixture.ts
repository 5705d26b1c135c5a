/** What can sensibly be asked, by kind, once it is known how things stand; undefined: nothing of the kind makes sense then. */

import type { Command } from "../../src/kernel/commands.ts";
import { type Cast, NAMES } from "./cast.fixture.ts";
import { type Attempt, BILLION, isTerminal, type Model, type Task } from "./model.ts";
import type { Tape } from "./tape.fixture.ts";
import { wrong } from "./wrong.fixture.ts";

/** How things stand, and what is chosen by. */
export interface Situation {
  readonly model: Model;
  readonly cast: Cast;
  readonly tape: Tape;
  /** Ids of allocations, by their tokens: the reference has no names for them. */
  readonly allocations: ReadonlyMap<number, string>;
}

/** Whose attempt speaks. */
export interface Speaker {
  readonly taskId: string;
  readonly token: number;
}

type Live = ReturnType<Model["live"]>[number];

type Ask = (situation: Situation) => Command | undefined;

const TEAMS: readonly [string[], ...string[][]] = [["ann", "bob"], ["cy", "dan"], ["dan"], ["ann", "cy", "bob"]];

export const ASKS = {
  submit: ({ cast, tape }) => ({ type: "task.submit", tasks: cast.requests("top", 1 + tape.below(3), tape) }),
  end,
  fail: ({ model, tape }) => {
    const onBreaker = model.live().filter(({ attempt }) => attempt.agent.breaker !== undefined);
    const live = tape.pick(onBreaker.length > 0 && tape.chance(60) ? onBreaker : model.live());
    const error = { code: "TASK_FAILED", message: "no", retryable: !tape.chance(20) } as const;
    return live && { type: "attempt.fail", ...speakerOf(live), error };
  },
  pause: (situation) => byPerson("task.pause", someTask(situation)),
  resume: (situation) => byPerson("task.resume", someTask(situation, ({ held }) => held) ?? someTask(situation)),
  cancel: (situation) => byPerson("task.cancel", someTask(situation)),
  retry: (situation) =>
    byPerson("task.retry", someTask(situation, ({ status }) => status === "failed") ?? someTask(situation)),
  prioritize: (situation) => {
    const task = someTask(situation);
    return task && { type: "task.prioritize", taskId: task.id, priority: situation.tape.below(12) };
  },
  agent: ({ cast, tape }) => {
    const name = tape.pick(NAMES);
    if (tape.chance(50)) return { type: "agent.unregister", agent: name };
    return { type: "agent.register", agent: cast.agent(name, tape) };
  },
  capacity: ({ model, cast, tape }) => {
    const waitedFor = tape.pick(model.live().flatMap(({ attempt }) => [...(attempt.request?.amounts ?? [])]));
    if (waitedFor === undefined || !tape.chance(80)) return cast.anotherCapacity(tape);
    const [resource, amount] = waitedFor;
    return cast.lessOf(resource, amount / BILLION);
  },
  team: ({ tape }) => ({ type: "team.set", manager: tape.pick(["boss", "sub"]), team: tape.pick(TEAMS) }),
  submitByCode: ({ model, cast, tape }) => {
    const from = speaker(model, tape);
    return from && { type: "task.submit", tasks: cast.requests("code", 1, tape), from };
  },
  await: ({ model, tape }) => {
    const parents = model
      .live()
      .filter(({ task, attempt }) => attempt.phase === "run" && openChildren(task).length > 0);
    const one = tape.pick(parents);
    if (one === undefined) return undefined;
    const on = openChildren(one.task).flatMap(({ id }) => (tape.chance(20) ? [] : [id]));
    return { type: "attempt.await", ...speakerOf(one), on };
  },
  request: ({ model, tape }) => {
    const from = speaker(model, tape);
    return from && more(from, tape);
  },
  release: ({ model, tape, allocations }) => {
    const live = tape.pick(model.live().filter(({ attempt }) => attempt.allocations.length > 0));
    const held = tape.pick(live?.attempt.allocations ?? []);
    if (live === undefined || held === undefined) return undefined;
    const allocationId = allocations.get(held.token) ?? "ghost";
    return { type: "attempt.release", ...speakerOf(live), allocationId, allocationToken: held.token };
  },
  spend: (situation) => {
    const { model, tape } = situation;
    const paid = model.live().filter(({ task }) => task.budget !== undefined);
    const live = tape.pick(paid.length > 0 && tape.chance(90) ? paid : model.live());
    if (live === undefined) return undefined;
    const amount = tape.pick([0.5, 0.25, live.attempt.reserved / 100, "1", 0, 3]);
    return { type: "attempt.spend", ...speakerOf(live), amount };
  },
  budget: ({ cast, tape }) => cast.anotherLimit(tape),
  checkpoint: ({ model, tape }) => {
    const from = speaker(model, tape);
    return from && { type: "attempt.checkpoint", ...from, state: null };
  },
  close: () => ({ type: "coordinator.close" }),
  wrong,
} satisfies Record<string, Ask>;

export type Kind = keyof typeof ASKS;

export function speakerOf({ task, attempt }: Live): Speaker {
  return { taskId: task.id, token: attempt.token };
}

/** Whoever's code may ask for something; who holds more than its task named, as often as all others. */
function speaker(model: Model, tape: Tape): Speaker | undefined {
  const code = model.live().filter(({ attempt }) => attempt.phase === "run");
  const holders = code.filter(({ attempt }) => attempt.allocations.length > 0);
  const one = tape.pick(holders.length > 0 && tape.chance(50) ? holders : code);
  return one && speakerOf(one);
}

export function more(from: Speaker, tape: Tape): Command {
  return {
    type: "attempt.request",
    ...from,
    amounts: tape.pick([
      { disk: 1 },
      { disk: 2 },
      { net: 1 },
      { net: 0.5, disk: 1 },
      { calls: 2 },
      { disk: 3 },
      { net: 2 },
    ]),
    wait: tape.chance(75),
    ...(tape.chance(40) ? { leaseMs: 500 } : {}),
  };
}

export function someTask(
  { model, tape }: Situation,
  of: (task: Task) => boolean = (task) => !isTerminal(task),
): Task | undefined {
  return tape.pick(model.tasks.filter(of));
}

function openChildren(task: Task): readonly Task[] {
  return task.children.filter((child) => !isTerminal(child));
}

function byPerson(
  type: "task.pause" | "task.resume" | "task.cancel" | "task.retry",
  task: Task | undefined,
): Command | undefined {
  return task && { type, taskId: task.id };
}

/** A planner plans; who aggregates may ask for another round; else it is done. */
function end({ model, cast, tape }: Situation): Command | undefined {
  const live = tape.pick(model.live());
  if (live === undefined) return undefined;
  const from = speakerOf(live);
  if (plans(live.task, live.attempt, tape))
    return { type: "attempt.plan", ...from, tasks: cast.requests("plan", tape.below(4), tape) };
  return { type: "attempt.complete", ...from, output: null };
}

function plans(task: Task, { phase }: Attempt, tape: Tape): boolean {
  return phase === "plan" || (phase === "aggregate" && task.rounds < 3 && tape.chance(20));
}
