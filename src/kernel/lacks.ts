/**
 * What is in the way of a wish that could be granted, each as a reason: first who could do it, then what is taken, then what
 * is set aside for others. Every verdict is asked of the scheduler's own checks; only the words and figures are made here.
 */
import { amountToNumber, atMost, isZero, larger, ZERO } from "../coordination/structures/amount.ts";
import { leftAt, levelsOf, overrunAt, shortFor } from "../coordination/structures/budget-book.ts";
import { NO_MONEY, textOf } from "../coordination/structures/money.ts";
import { compareOrder } from "../coordination/structures/order-key.ts";
import { type AgentPool, admitsFrom, qualifies } from "./agent-pools.ts";
import type { Need } from "./attempt.ts";
import { availableOf, freeSlots, roomOn } from "./availability.ts";
import type { Filling } from "./fitting.ts";
import { heldBy } from "./holdings.ts";
import { limits } from "./limits.ts";
import type { Wish } from "./ready-queue.ts";
import type { Requirement } from "./requirements.ts";
import type { Reservation } from "./reservation.ts";
import { givenFrom } from "./resource.ts";
import type { Scheduler } from "./scheduler.ts";
import type { AgentState, Budget, Resource, State } from "./state.ts";
import type { Claim, Task } from "./task.ts";
import type { Reason } from "./views.ts";
import { whatApproved, withheldBy } from "./withheld.ts";
import { listed, MOST_NAMES } from "./wording.ts";

export function lacksOf(
  state: State,
  scheduler: Scheduler,
  /** By what was decided, and who makes way for it. */
  { reservation, victims }: { readonly reservation: Reservation | undefined; readonly victims: readonly string[] },
  wish: Wish,
  now: number,
): readonly Reason[] {
  if (!state.open) return [{ code: "offline", text: "no coordinator is open" }];
  if (scheduler.fitting.draining && wish.kind === "start")
    return [{ code: "offline", text: "the coordinator drains: it starts nothing more" }];
  const reasons = [...agentLacks(state, scheduler, wish, now)];
  if (wish.of.needsSlot && freeSlots(state) < 1) reasons.push(slotLack(state));
  for (const need of wish.needs) {
    if (givenFrom(state, need.resource, now) > now) reasons.push(shut(state, need.resource, now));
    if (!atMost(need.amount, availableOf(need.resource, now))) reasons.push(resourceLack(state, need, now));
  }
  if (wish.kind === "start") reasons.push(...moneyLacks(state, wish.task));
  if (reservation?.wish === wish) {
    const text = `of those that have waited long it comes first, and has set aside ${setAside(reservation, now)}`;
    reasons.push({ code: "reserved", who: [wish.task.id], text });
  } else if (reasons.length === 0) {
    const filled = scheduler.filled(wish);
    if (filled !== undefined) return [fills(filled, now)];
    const behind = reservation !== undefined && cameBefore(reservation, wish, state) ? reservation : undefined;
    if (behind !== undefined && scheduler.fitting.place(wish, behind) === undefined) {
      const { task } = behind.wish;
      const text = `what is free is set aside for ${task.id}, which comes before it and has waited long: ${setAside(behind, now)}`;
      reasons.push({ code: "reserved", who: [task.id], text });
    } else if (victims.length > 0) {
      const text = `what it needs is promised to it: ${listed(victims)} ${victims.length === 1 ? "makes" : "make"} way for it`;
      reasons.push({ code: "reserved", who: victims.slice(0, MOST_NAMES), text });
    } else reasons.push(...tooFarBehind(wish));
  }
  return reasons;
}

/**
 * Whether the reservation came before it when that was decided: it does so still, or the wish has come before it only since
 * then. Who was before it then and lacks nothing now lacked tokens then.
 */
function cameBefore(reservation: Reservation, wish: Wish, state: State): boolean {
  if (compareOrder(reservation.wish, wish) < 0) return true;
  return wish.needs.every(({ resource, amount }) => atMost(amount, availableOf(resource, state.at)));
}

/** Others are to come, to be given to an agent with it. */
function fills({ agent, until, size }: Filling, now: number): Reason {
  const text = `its batch fills: ${size} of the ${agent.maxBatch} that ${agent.name} takes together are there; it starts in ${until - now} ms at the latest`;
  return { code: "dependencies", need: agent.maxBatch, have: size, text };
}

/** Nothing is in its way: it was not looked at, or not yet. */
function tooFarBehind({ of }: Wish): readonly Reason[] {
  if (of.index.size <= limits.backfillDepth) return [];
  const text = `it is too far behind others of its kind that cannot start: ${limits.backfillDepth} are looked at`;
  return [{ code: "beyond-backfill-depth", need: limits.backfillDepth, text }];
}

function slotLack(state: State): Reason {
  const concurrency = state.settings?.concurrency;
  const seated = [...state.live.values()].filter((live) => live.seated).map((live) => live.task.id);
  const taken = concurrency === 1 ? "the only slot is taken" : `all ${concurrency} slots are taken`;
  const promised = promisedTo(state, () => true);
  return {
    code: "concurrency",
    need: 1,
    have: 0,
    who: seated.slice(0, MOST_NAMES),
    text: promised.length === 0 ? taken : `${taken} or promised to ${listed(promised)}`,
  };
}

function resourceLack(state: State, { resource, amount }: Need, now: number): Reason {
  const { id, rate } = resource;
  const free = availableOf(resource, now);
  const holders = [...state.live.values()].filter((live) => !isZero(heldBy(live, resource)));
  const who = holders.map((live) => live.task.id);
  const deaf = [...state.kept.values()].filter(({ needs, leases }) =>
    [...needs, ...[...leases].flatMap((lease) => lease.needs)].some((need) => need.resource === resource),
  );
  const promised =
    rate === undefined ? promisedTo(state, ({ task }) => task.needs.some((need) => need.resource === resource)) : [];
  const where: string[] = [];
  if (who.length > 0) where.push(`held by ${listed(who)}`);
  if (deaf.length > 0) where.push(`kept by an abandoned attempt at ${listed(deaf.map(({ taskId }) => taskId))}`);
  if (promised.length > 0) where.push(`promised to ${listed(promised)}`);
  if (rate !== undefined) where.push(`enough in ${rate.readyAt(amount, now) - now} ms`);
  const inShort = `${amountToNumber(amount)} of ${id} is needed, ${amountToNumber(free)} is free`;
  return {
    code: "resource",
    need: { resource: id, amount: amountToNumber(amount) },
    have: { resource: id, amount: amountToNumber(free) },
    who: [...new Set([...who, ...deaf.map(({ taskId }) => taskId)])].slice(0, MOST_NAMES),
    text: `${inShort} (${where.join("; ")})`,
  };
}

/** Those who held it have failed too often: it is given to nobody for a while, or to few. */
function shut(state: State, resource: Resource, now: number): Reason {
  const until = givenFrom(state, resource, now);
  return {
    code: "breaker",
    need: until,
    have: now,
    who: [resource.id],
    text: `the breaker of ${resource.id} gives nobody any for ${until - now} ms`,
  };
}

/** A reason for each budget that has too little left, from its own up. */
function moneyLacks(state: State, { funding }: Task): readonly Reason[] {
  if (funding === undefined || shortFor(funding.budget, funding.cost) === undefined) return [];
  const cost = textOf(funding.cost);
  const reasons: Reason[] = [];
  for (const level of levelsOf(funding.budget)) {
    if (leftAt(level).gte(funding.cost)) continue;
    const { id, limit, spent, reserved } = level;
    const payers = [...state.live.values()].filter((live) => live.reserved.gt(0) && isPaidFrom(live.task, level));
    const who = payers.map((live) => live.task.id);
    const holders = who.length === 0 ? "" : ` for ${listed(who)}`;
    const figures = `${textOf(spent)} of ${textOf(limit)} is spent, ${textOf(reserved)} set aside${holders}`;
    const overrun = overrunAt(level);
    const left = overrun.gt(0) ? `it is over its limit by ${textOf(overrun)}` : `${textOf(leftAt(level))} is left`;
    reasons.push({
      code: "budget",
      need: { budget: id, amount: cost },
      have: { budget: id, amount: textOf(overrun.gt(0) ? NO_MONEY : leftAt(level)) },
      who: who.slice(0, MOST_NAMES),
      text: `${cost} of budget ${id} is needed, ${left} (${figures})`,
    });
  }
  return reasons;
}

function isPaidFrom({ funding }: Task, budget: Budget): boolean {
  if (funding === undefined) return false;
  for (const level of levelsOf(funding.budget)) if (level === budget) return true;
  return false;
}

/** Nobody can take it now: nobody could, nobody is there, or nobody has room. */
function agentLacks(state: State, scheduler: Scheduler, wish: Wish, now: number): readonly Reason[] {
  const { pool } = wish.of;
  if (pool === undefined || scheduler.fitting.agentFor(wish, undefined) !== undefined) return [];
  // An attempt that wants its seat back is where it is, whatever became of the agent.
  if (wish.kind === "regain") return [roomLack(state, [...pool.members.keys()], [], wish)];
  if (pool.members.size === 0) return [skillsLack(state, pool, wish.task)];
  const able = [...pool.eligible(state, now)];
  if (able.length > 0) {
    const avoided = able.filter((agent) => scheduler.fitting.avoids(wish, agent));
    return [
      roomLack(
        state,
        able.filter((agent) => !avoided.includes(agent)),
        avoided,
        wish,
      ),
    ];
  }
  const members = [...pool.members.keys()].sort((a, b) => a.seq - b.seq);
  return [...offline(members.filter((agent) => !agent.online)), ...broken(state, members, now)];
}

function offline(agents: readonly AgentState[]): readonly Reason[] {
  if (agents.length === 0) return [];
  const who = agents.map((agent) => agent.name);
  const text = `${listed(who)} could do it but ${agents.length === 1 ? "is" : "are"} not online`;
  return [{ code: "offline", who: who.slice(0, MOST_NAMES), text }];
}

function broken(state: State, agents: readonly AgentState[], now: number): readonly Reason[] {
  const shut = agents.filter((agent) => agent.online);
  if (shut.length === 0) return [];
  const until = (agent: AgentState): number => admitsFrom(state, agent, now);
  const each = shut.map((agent) => `that of ${agent.name} for ${until(agent) - now} ms`);
  return [
    {
      code: "breaker",
      need: Math.min(...shut.map(until)),
      have: now,
      who: shut.slice(0, MOST_NAMES).map((agent) => agent.name),
      text: `no breaker lets it through yet: ${listed(each)}`,
    },
  ];
}

function roomLack(state: State, able: readonly AgentState[], avoided: readonly AgentState[], wish: Wish): Reason {
  const { load } = wish.task;
  const need = amountToNumber(load);
  const rooms = able.map(
    (agent) => `${amountToNumber(roomOn(agent))} of ${amountToNumber(agent.capacity)} on ${agent.name}`,
  );
  const aside: string[] = [];
  const promised = promisedTo(state, ({ agent }) => able.includes(agent));
  if (promised.length > 0) aside.push(`promised to ${listed(promised)}`);
  if (avoided.length > 0) aside.push(`${listed(avoided.map((agent) => agent.name))} aside, where it failed`);
  if (able.every((agent) => !atMost(load, agent.capacity))) aside.push("nobody who could do it is that large");
  const inShort = `room for ${need} is needed; free is ${listed(rooms)}`;
  return {
    code: "room",
    need,
    have: amountToNumber(able.map(roomOn).reduce(larger, ZERO)),
    who: able.slice(0, MOST_NAMES).map((agent) => agent.name),
    text: aside.length === 0 ? inShort : `${inShort} (${aside.join("; ")})`,
  };
}

/** Whoever could do it is not registered: which skill is it that nobody has? */
function skillsLack(state: State, { requirement }: AgentPool, task: Task): Reason {
  const { skills, pin, scope } = requirement;
  const able = (some: Requirement["skills"]): readonly AgentState[] =>
    [...state.agents.values()].filter((agent) => qualifies(state, agent, { ...requirement, skills: some }));
  const need = skills.map(asked);
  const asideSkills = able([]);
  const who = withheldBy(state, requirement).map((agent) => agent.name);
  if (who.length > 0) {
    const text = `${listed(who)} could do it but approved ${whatApproved(task, who)}, and who approves a task does not run it`;
    return { code: "skills", need, have: [], who: who.slice(0, MOST_NAMES), text };
  }
  if (asideSkills.length === 0) return { code: "skills", need, have: [], text: nobodyThere(pin, scope) };
  const subject = pin ?? (scope === undefined ? "nobody registered" : `nobody on the team of ${scope}`);
  const verb = pin === undefined ? "can" : "cannot";
  const missing = skills.filter((skill) => able([skill]).length === 0);
  if (missing.length === 0)
    return { code: "skills", need, have: need, text: `${subject} ${verb} do ${listed(need)} together` };
  const best = missing.flatMap(({ skill }) => {
    const levels = asideSkills.map((agent) => agent.skills.get(skill) ?? 0);
    const level = Math.max(...levels);
    return level > 0 ? [`${skill} at ${level}`] : [];
  });
  const text = `${subject} ${verb} do ${listed(missing.map(asked))}`;
  return {
    code: "skills",
    need,
    have: best,
    text: best.length === 0 ? text : `${text} (at the most ${listed(best)})`,
  };
}

function nobodyThere(pin: string | undefined, scope: string | undefined): string {
  if (scope === undefined) return "nobody is registered";
  return pin === undefined ? `nobody on the team of ${scope} is registered` : `${pin} is not on the team of ${scope}`;
}

function asked({ skill, level }: Requirement["skills"][number]): string {
  return level > 0 ? `${skill} at ${level}` : skill;
}

/** Tasks for which others make way, and that what they make way for was promised to. */
function promisedTo(state: State, isMeant: (claim: Claim) => boolean): readonly string[] {
  const promised = [...state.claims].filter(({ claim }) => claim !== undefined && isMeant(claim));
  return promised.sort((a, b) => a.seq - b.seq).map((task) => task.id);
}

/** What a reservation sets aside, and when it is predicted to be enough. */
function setAside({ wish, agent, startsAt }: Reservation, now: number): string {
  const parts = wish.needs.map(({ resource, amount }) => `${amountToNumber(amount)} of ${resource.id}`);
  if (wish.of.needsSlot) parts.push("a slot");
  if (agent !== undefined) parts.push(`room for ${amountToNumber(wish.task.load)} on ${agent.name}`);
  const what = listed(parts);
  return startsAt > now && startsAt < Number.POSITIVE_INFINITY
    ? `${what}; by the estimates of what runs that is there in ${startsAt - now} ms`
    : what;
}
