/** Why a task waits: everything that is in its way now. */

import type { Reason } from "../../src/kernel/views.ts";
import { canPay, place } from "./admission.ts";
import { breakerAdmits, mayBeGiven } from "./breakers.ts";
import { beside, choose, enough, type Reservation, usable } from "./free.ts";
import { isTerminal, type Model, type Task } from "./model.ts";
import { awaitsJudgement, eligible, hosts, isToAsk, qualified, type Wish, wishesOf } from "./wishes.ts";

export type ReasonCode = Reason["code"];

export function reasonsOf(model: Model, task: Task, reservation: Reservation | undefined): readonly ReasonCode[] {
  const { attempt } = task;
  if (isTerminal(task) || (attempt?.stopping !== undefined && attempt.seated)) return [];
  const reasons: ReasonCode[] = [];
  if (task.held && task.ending === undefined) reasons.push("held");
  // Its own attempt has to stop first, whatever it awaited.
  if (attempt?.stopping !== undefined) return [...reasons, "dependencies"];
  const isAsked = task.askedUntil !== undefined && task.ending === undefined;
  const isOffered = model.offers.has(task) && task.ending === undefined;
  const awaits =
    attempt === undefined ? task.status === "waiting" && !isAsked && !isOffered : attempt.awaiting.length > 0;
  if (task.unmet.length > 0 || awaits) reasons.push("dependencies");
  if (task.notBefore > model.now && task.ending === undefined) reasons.push("backoff");
  if (awaitsJudgement(model, task) || isAsked || isOffered || isToAsk(model, task)) reasons.push("approval");
  for (const wish of wishesOf(model, task)) reasons.push(...lacksOf(model, wish, reservation));
  return [...new Set(reasons)];
}

function lacksOf(model: Model, wish: Wish, reservation: Reservation | undefined): readonly ReasonCode[] {
  if (model.drains && wish.kind === "start") return ["offline"];
  const lacks: ReasonCode[] = [];
  const has = usable(model, wish);
  if (has.slots < wish.slots) lacks.push("concurrency");
  if (!enough(wish.needs, has)) lacks.push("resource");
  if (!mayBeGiven(model, wish.needs)) lacks.push("breaker");
  if (!canPay(model, wish)) lacks.push("budget");
  if (wish.kind !== "request" && choose(model, hosts(model, wish), wish.load, has) === undefined)
    lacks.push(...nobody(model, wish));
  if (reservation?.wish.task === wish.task && reservation.wish.kind === wish.kind) lacks.push("reserved");
  // Whoever was ahead of the reservation and could not start lacks something, whatever is reserved.
  if (lacks.length > 0) return lacks;
  // Others make way for it: they did when somebody else had waited longest.
  if ((wish.task.promise?.victims.length ?? 0) > 0) return ["reserved"];
  if (wish.kind === "start" && model.held.has(wish.task)) return ["dependencies"];
  return place(model, wish, beside(model, wish, reservation)) === undefined ? ["reserved"] : [];
}

/** Why there is no agent for it. */
function nobody(model: Model, wish: Wish): readonly ReasonCode[] {
  if (wish.kind === "regain") return ["room"];
  const able = qualified(model, wish.task);
  if (able.length === 0) return ["skills"];
  if (eligible(model, wish).length > 0) return ["room"];
  const reasons: ReasonCode[] = [];
  if (able.some((agent) => !agent.online)) reasons.push("offline");
  if (able.some((agent) => agent.online && !breakerAdmits(model, agent))) reasons.push("breaker");
  return reasons;
}
