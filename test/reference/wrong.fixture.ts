/** What must be refused, or be taken for what it is. */

import type { Command, TaskRequest } from "../../src/kernel/commands.ts";
import { more, type Situation, type Speaker, someTask, speakerOf } from "./asks.fixture.ts";
import { BILLION, isTerminal, type Task } from "./model.ts";

export function wrong(situation: Situation): Command | undefined {
  const { model, cast, tape } = situation;
  const way = tape.pick(WAYS);
  const live = tape.pick(model.live());
  const from = live && speakerOf(live);
  return way(situation, cast.request("top", tape), from);
}

type Way = (situation: Situation, request: TaskRequest, from: Speaker | undefined) => Command | undefined;

const WAYS: readonly [Way, ...Way[]] = [
  (_, request) => submit({ ...request, load: -1 }),
  (situation, request) => {
    const known = someTask(situation, ({ id }) => !id.includes("/"));
    return known && submit({ ...request, id: known.id, name: "another" });
  },
  ({ tape }, request) =>
    submit({ ...request, ...(tape.chance(50) ? { agent: "ghost" } : { fallback: { agent: "ghost" } }) }),
  (_, request) => submit({ ...request, dependsOn: ["ghost"] }),
  (_, request) => submit({ ...request, resources: { ghost: 1 } }),
  ({ tape }, request) => submit({ ...request, resources: { disk: tape.below(2), ghost: 1 } }),
  (_, request) =>
    submit({ ...request, id: "other", dependsOn: ["one"] }, { ...request, id: "one", dependsOn: ["other"] }),
  () => ({ type: "team.set", manager: "sub", team: ["boss"] }),
  () => ({ type: "team.set", manager: "boss", team: ["sub", "boss"] }),
  (_, request) => submit({ ...request, resources: { disk: 4 } }),
  (_, request) => submit({ ...request, budget: "ghost" }),
  ({ tape }) => ({
    type: "budget.set",
    budget: tape.pick(["ghost", "lab"]),
    limit: tape.pick([1, -1]),
    parent: "none",
  }),
  (_, request) => submit({ ...request, budget: "lab", cost: 99 }),
  (situation) => {
    const ended = someTask(situation, isTerminal);
    return ended && { type: "task.prioritize", taskId: ended.id, priority: 1 };
  },
  (situation) => {
    const task = someTask(situation);
    return task && { type: "task.retry", taskId: task.id };
  },
  (_, __, from) => from && { type: "attempt.complete", ...from, token: from.token - 1, output: null },
  (_, __, from) => from && { type: "attempt.release", ...from, allocationId: "ghost", allocationToken: 1 },
  (_, __, from) => from && { type: "attempt.release", ...from, allocationId: "ghost", allocationToken: 0 },
  () => ({ type: "task.cancel", taskId: "ghost" }),
  (situation) => {
    const task = someTask(situation);
    return task && { type: "task.reject", taskId: task.id, reason: situation.tape.pick(["no", ""]) };
  },
  () => ({ type: "agent.unregister", agent: "ghost" }),
  ({ tape }) =>
    tape.chance(50)
      ? { type: "ballot.cast", ballotId: "ghost", voter: "ann" }
      : { type: "ballot.extend", ballotId: "ghost", ms: 1 },
  ({ model, tape }) => {
    const stopping = tape.pick(model.live().filter(({ attempt }) => attempt.stopping !== undefined));
    return stopping && more(speakerOf(stopping), tape);
  },
  waitsForItself,
  waitsForItself,
  ({ tape }, _, from) => from && { type: "attempt.request", ...from, amounts: tape.chance(50) ? {} : { disk: 9 } },
];

function submit(...tasks: TaskRequest[]): Command {
  return { type: "task.submit", tasks };
}

/** One that holds something firmly asks for more than the others can ever leave it. */
function waitsForItself({ model, tape }: Situation): Command | undefined {
  const holder = tape.pick(model.live().filter(({ task }) => task.needs.has("disk")));
  if (holder === undefined) return undefined;
  const capacity = model.resource("disk")?.capacity ?? 0;
  const disk = (capacity - held(holder.task)) / BILLION + 1;
  return { type: "attempt.request", ...speakerOf(holder), amounts: { disk }, wait: true };
}

function held({ needs }: Task): number {
  return needs.get("disk") ?? 0;
}
