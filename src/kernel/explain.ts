/** Why a task runs, waits or ended: the scheduler's own verdict, asked of the same code that admits. */
import { amountToNumber, atMost } from "../coordination/structures/amount.ts";
import { compareOrder } from "../coordination/structures/order-key.ts";
import { admitsFrom } from "./agent-pools.ts";
import { availableOf, freeSlots } from "./availability.ts";
import type { Wish } from "./ready-queue.ts";
import type { Reservation } from "./reservation.ts";
import type { Scheduler } from "./scheduler.ts";
import { childrenOf, isTerminal, openChildrenOf, type Resource, type State, type Task } from "./state.ts";
import type { Explanation, Reason } from "./views.ts";

/** Names listed in a reason; more are counted, not listed. */
const MOST_NAMES = 20;

export function explain(state: State, scheduler: Scheduler, task: Task, now: number): Explanation {
  const agent = task.live?.agent.name ?? task.attempts.at(-1)?.agent;
  const told = verdictOf(state, scheduler, task, now);
  const text =
    told.reasons.length === 0 ? told.text : `${told.text}: ${told.reasons.map((reason) => reason.text).join("; ")}`;
  return {
    taskId: task.id,
    status: task.status,
    verdict: told.verdict,
    ...(agent === undefined ? {} : { agent }),
    text,
    reasons: told.reasons,
    seq: state.seq,
  };
}

/** The same for one that has ended: no scheduler is asked. */
export function explainEnded(state: State, task: Task): Explanation {
  const agent = task.attempts.at(-1)?.agent;
  const { verdict, text, reasons } = ended(task);
  return {
    taskId: task.id,
    status: task.status,
    verdict,
    ...(agent === undefined ? {} : { agent }),
    text,
    reasons,
    seq: state.seq,
  };
}

interface Told {
  readonly verdict: Explanation["verdict"];
  readonly text: string;
  readonly reasons: readonly Reason[];
}

function verdictOf(state: State, scheduler: Scheduler, task: Task, now: number): Told {
  if (isTerminal(task.status)) return ended(task);
  const { live } = task;
  if (live?.seated === true) {
    const { stopping } = live;
    const how =
      stopping === undefined
        ? ""
        : `, and was told to stop (${stopping.reason})${stopping.for === undefined ? "" : ` for ${stopping.for}`}`;
    return {
      verdict: "running",
      text: `runs on ${live.agent.name} as attempt ${live.record.number}${how}`,
      reasons: [],
    };
  }
  const waiting = (reasons: readonly Reason[]): Told => ({ verdict: "waiting", text: "waits", reasons });
  if (live?.stopping !== undefined)
    return {
      verdict: "waiting",
      text: `was told to stop (${live.stopping.reason}) and has not stopped yet`,
      reasons: [],
    };
  const held: Reason[] =
    task.held && task.ending === undefined ? [{ code: "held", text: "a person paused it; resume lets it go on" }] : [];
  if (live?.awaiting !== undefined && live.awaiting.size > 0)
    return waiting([...held, awaited("the tasks that it awaits", [...live.awaiting])]);
  if (live === undefined && openChildrenOf(task) > 0 && (task.status === "waiting" || task.ending !== undefined)) {
    return waiting([
      ...held,
      awaited(
        "its subtasks",
        childrenOf(task).filter((child) => !isTerminal(child.status)),
      ),
    ]);
  }
  const reasons = held;
  if (task.missing > 0)
    reasons.push(
      awaited(
        "what it depends on",
        // One that it has seen fail, and that is tried again, is waited for no more.
        task.dependsOn.filter(({ status, dependents }) => !isTerminal(status) && dependents?.includes(task) === true),
      ),
    );
  if (task.notBefore > now)
    reasons.push({
      code: "backoff",
      need: task.notBefore,
      have: now,
      text: `it is tried again in ${task.notBefore - now} ms, after ${task.series.failures} failed`,
    });
  const wish = task.wish ?? live?.wish;
  if (wish !== undefined) {
    // Who is promised something is not the one to reserve for: asked before its promise is taken as kept.
    const reservation = scheduler.decidedBy();
    reasons.push(...scheduler.asIfKept(task, () => reasonsOf(state, scheduler, reservation, wish, now)));
  }
  if (task.claim !== undefined && task.claim.victims.size > 0) {
    return {
      verdict: "waiting",
      text: `waits until ${namesOf([...task.claim.victims].map((victim) => victim.task))} made way`,
      reasons,
    };
  }
  return waiting(reasons);
}

function ended(task: Task): Told {
  const error = task.ended?.error;
  if (error === undefined)
    return {
      verdict: "ended",
      text: `completed by ${task.attempts.at(-1)?.agent ?? "nobody"} in attempt ${task.attempts.length}`,
      reasons: [],
    };
  const refused =
    task.attempts.length === 0 && (error.code === "CAPACITY_EXCEEDED" || error.code === "NO_QUALIFIED_AGENT");
  return {
    verdict: refused ? "refused" : "ended",
    text: `${task.status} (${error.code}): ${error.message}`,
    reasons: [],
  };
}

function awaited(what: string, tasks: readonly Task[]): Reason {
  return {
    code: "dependencies",
    need: tasks.length,
    who: tasks.slice(0, MOST_NAMES).map((task) => task.id),
    text: `${what} must end first: ${namesOf(tasks)}`,
  };
}

function namesOf(tasks: readonly { readonly id: string }[]): string {
  const named = tasks.slice(0, MOST_NAMES).map((task) => task.id);
  return tasks.length > named.length ? `${named.join(", ")} and ${tasks.length - named.length} more` : named.join(", ");
}

/** All that a ready task lacks. */
function reasonsOf(
  state: State,
  scheduler: Scheduler,
  reservation: Reservation | undefined,
  wish: Wish,
  now: number,
): Reason[] {
  if (!state.open) return [{ code: "offline", text: "no coordinator is open" }];
  if (scheduler.draining) return [{ code: "offline", text: "the coordinator drains: it starts nothing more" }];
  const reasons: Reason[] = [];
  const concurrency = state.settings?.concurrency ?? 0;
  if (freeSlots(state) < 1)
    reasons.push({ code: "concurrency", need: 1, have: 0, text: `all ${concurrency} slots are taken or promised` });
  for (const { resource, amount } of wish.needs) {
    const free = availableOf(resource, now);
    if (atMost(amount, free)) continue;
    const who = holdersOf(state, resource);
    reasons.push({
      code: "resource",
      need: { resource: resource.id, amount: amountToNumber(amount) },
      have: { resource: resource.id, amount: amountToNumber(free) },
      who: who.slice(0, MOST_NAMES),
      text: `${amountToNumber(amount)} of ${resource.id} is needed, ${amountToNumber(free)} is free${who.length > 0 ? ` (held by ${who.slice(0, MOST_NAMES).join(", ")})` : ""}`,
    });
  }
  reasons.push(...agentReasons(state, scheduler, wish, now));
  if (reservation?.wish === wish)
    reasons.push({
      code: "reserved",
      who: [wish.task.id],
      text: "what it needs is reserved for it: it has waited longest of those ahead",
    });
  else if (reasons.length === 0) {
    const behind = reservation !== undefined && compareOrder(reservation.wish, wish) < 0 ? reservation : undefined;
    if (behind !== undefined && scheduler.place(wish, behind) === undefined) {
      reasons.push({
        code: "reserved",
        who: [behind.wish.task.id],
        text: `what is free is reserved for ${behind.wish.task.id}, which has waited long and comes before it`,
      });
    } else
      reasons.push({
        code: "beyond-backfill-depth",
        text: "too many of its kind that cannot start are ahead of it to look this far",
      });
  }
  return reasons;
}

function agentReasons(state: State, scheduler: Scheduler, wish: Wish, now: number): Reason[] {
  if (wish.kind === "request" || scheduler.agentFor(wish, undefined) !== undefined) return [];
  const { task } = wish;
  const need = amountToNumber(task.load);
  if (wish.kind === "regain")
    return [
      {
        code: "room",
        need,
        ...(task.live === undefined ? {} : { who: [task.live.agent.name] }),
        text: `${task.live?.agent.name ?? "its agent"} has no room for it again yet`,
      },
    ];
  const { pool } = wish.of;
  if (pool === undefined) return [];
  const { skills, pin, scope } = pool.requirement;
  const wanted = skills.map(({ skill, level }) => (level > 0 ? `${skill} at ${level}` : skill));
  if (pool.members.size === 0) {
    const who = [
      wanted.length > 0 ? `can do ${wanted.join(", ")}` : "qualifies",
      pin === undefined ? "" : `is ${pin}`,
      scope === undefined ? "" : `is on the team of ${scope}`,
    ].filter((part) => part !== "");
    return [{ code: "skills", need: wanted, have: [], text: `nobody that is registered ${who.join(" and ")}` }];
  }
  const reasons: Reason[] = [];
  const eligible = pool.eligibleCount(state, now);
  if (eligible > 0) {
    const have = amountToNumber(pool.mostRoom(state, now));
    const who = [...pool.eligible(state, now)].slice(0, MOST_NAMES).map((agent) => agent.name);
    const avoided = wish.of.excluded.length > 0 ? `, ${wish.of.excluded.join(", ")} aside, which failed it` : "";
    return [
      {
        code: "room",
        need,
        have,
        who,
        text: `room for ${need} is needed; of ${eligible} who could do it nobody has more than ${have}${avoided}`,
      },
    ];
  }
  const offline = [...pool.members.keys()].filter((agent) => !agent.online).map((agent) => agent.name);
  const broken = [...pool.members.keys()]
    .filter((agent) => agent.online && admitsFrom(state, agent, now) > now)
    .map((agent) => agent.name);
  if (offline.length > 0)
    reasons.push({
      code: "offline",
      who: offline.slice(0, MOST_NAMES),
      text: `${offline.slice(0, MOST_NAMES).join(", ")} could do it, but is not online`,
    });
  if (broken.length > 0)
    reasons.push({
      code: "breaker",
      who: broken.slice(0, MOST_NAMES),
      text: `the breaker of ${broken.slice(0, MOST_NAMES).join(", ")} is open`,
    });
  return reasons;
}

function holdersOf(state: State, resource: Resource): string[] {
  const holders: string[] = [];
  for (const live of state.live.values()) {
    const extra = [...(live.extra?.values() ?? [])].some((allocation) =>
      allocation.needs.some((need) => need.resource === resource),
    );
    if (extra || live.task.needs.some((need) => need.resource === resource)) holders.push(live.task.id);
  }
  return holders;
}
