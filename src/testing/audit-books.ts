/**
 * Who holds what, kept from the events alone.
 *
 * 1. Nothing is taken that is not there: slots, room on an agent, a resource's capacity, a rate's tokens.
 * 2. What an attempt took it gives back once, when it ends.
 */
import {
  type Amount,
  add,
  amountOf,
  amountToNumber,
  atMost,
  subtract,
  subtractToZero,
  ZERO,
} from "../coordination/structures/amount.ts";
import { nullRecord, show } from "../coordination/structures/arguments.ts";
import type { KernelEvent } from "../kernel/events.ts";
import type { AgentInfo, ResourceInfo } from "../kernel/views.ts";

type EventOf<T extends KernelEvent["type"]> = Extract<KernelEvent, { readonly type: T }>;

interface Rate {
  readonly per: number;
  level: number;
  at: number;
}

interface ResourceBook {
  capacity: Amount;
  allocated: Amount;
  rate: Rate | undefined;
}

interface AgentBook {
  capacity: Amount;
  load: Amount;
  running: number;
  /** Load times milliseconds. */
  work: number;
}

interface Asked {
  readonly load: Amount;
  readonly amounts: readonly (readonly [resource: string, amount: Amount])[];
}

/** Attempts that share a slot, and room for the largest of their loads. */
interface BatchBook {
  load: Amount;
  members: number;
}

interface Holding {
  readonly batch: BatchBook | undefined;
  readonly agent: string;
  readonly asked: Asked;
  readonly since: number;
}

/** Rounding that a bucket of tokens kept as a double may have gathered. */
const TOKENS_TOLERANCE = 1e-6;

export class AuditBooks {
  readonly #complain: (what: string) => void;
  readonly #agents: Map<string, AgentBook> = new Map();
  readonly #resources: Map<string, ResourceBook> = new Map();
  readonly #asked: Map<string, Asked> = new Map();
  /** By token. */
  readonly #holdings: Map<number, Holding> = new Map();
  /** By the token of their first attempt. */
  readonly #batches: Map<number, BatchBook> = new Map();
  #slots = 0;
  #concurrency = 0;

  constructor(complain: (what: string) => void) {
    this.#complain = complain;
  }

  see(event: KernelEvent): void {
    switch (event.type) {
      case "coordinator.opened":
        this.#concurrency = event.concurrency;
        break;
      case "agent.registered": {
        const capacity = exact(event.capacity);
        const book = this.#agents.get(event.agent);
        if (book === undefined) this.#agents.set(event.agent, { capacity, load: ZERO, running: 0, work: 0 });
        else book.capacity = capacity;
        break;
      }
      case "resource.set":
        this.#set(event.resource, exact(event.capacity), event.per, event.at);
        break;
      case "task.submitted": {
        const amounts = Object.entries(event.resources ?? {}).map(([id, amount]) => [id, exact(amount)] as const);
        this.#asked.set(event.taskId, { load: exact(event.load ?? 1), amounts });
        break;
      }
      case "task.started":
        this.#take(event);
        break;
      case "task.completed":
        if (event.token !== undefined) this.#giveBack(event.token, event.at);
        break;
      case "attempt.ended":
        if (event.token !== undefined) this.#giveBack(event.token, event.at);
        break;
      default:
        break;
    }
  }

  /** The share of each agent's capacity that was in use, on average from 0 to `until`. */
  utilization(until: number): Record<string, number> {
    const open = new Map<string, number>();
    for (const { agent, asked, since } of this.#holdings.values())
      open.set(agent, (open.get(agent) ?? 0) + amountToNumber(asked.load) * Math.max(0, until - since));
    const shares = nullRecord<number>();
    for (const [name, { capacity, work }] of this.#agents) {
      const most = amountToNumber(capacity) * until;
      shares[name] = most > 0 ? (work + (open.get(name) ?? 0)) / most : 0;
    }
    return shares;
  }

  /** Whether the views tell of the same books. */
  compare(agents: readonly AgentInfo[], resources: readonly ResourceInfo[]): void {
    for (const { name, load, running } of agents) {
      const book = this.#agents.get(name);
      if (book !== undefined && amountToNumber(book.load) === load && book.running === running) continue;
      const own = `${book?.running} attempts with a load of ${amountToNumber(book?.load ?? ZERO)}`;
      this.#complain(`agent ${show(name)} is shown with ${running} attempts and a load of ${load}; it has ${own}`);
    }
    for (const { id, allocated } of resources) {
      const book = this.#resources.get(id);
      if (book?.rate !== undefined || (book !== undefined && amountToNumber(book.allocated) === allocated)) continue;
      const own = amountToNumber(book?.allocated ?? ZERO);
      this.#complain(`resource ${show(id)} is shown with ${allocated} allocated; it is ${own}`);
    }
  }

  #set(id: string, capacity: Amount, per: number | undefined, at: number): void {
    const book = this.#resources.get(id);
    if (book === undefined) {
      const rate = per === undefined ? undefined : { per, level: amountToNumber(capacity), at };
      this.#resources.set(id, { capacity, allocated: ZERO, rate });
      return;
    }
    if (book.rate !== undefined) refill(book.rate, book.capacity, at);
    book.capacity = capacity;
    if (book.rate !== undefined && per !== undefined)
      book.rate = { per, level: Math.min(book.rate.level, amountToNumber(capacity)), at };
  }

  #take({ taskId, agent: name, token, at, batch: id }: EventOf<"task.started">): void {
    const asked = this.#asked.get(taskId);
    const agent = this.#agents.get(name);
    if (asked === undefined || agent === undefined) {
      this.#complain(`task ${show(taskId)} starts on agent ${show(name)}, and one of them is not known`);
      return;
    }
    const batch = id === undefined ? undefined : this.#batchOf(id);
    const load = batch === undefined ? asked.load : subtractToZero(asked.load, batch.load);
    if (batch === undefined || batch.members === 0) this.#slots += 1;
    if (batch !== undefined) {
      batch.members += 1;
      batch.load = add(batch.load, load);
    }
    this.#holdings.set(token, { agent: name, asked, since: at, batch });
    if (this.#slots > this.#concurrency) this.#complain(`${this.#slots} attempts run where ${this.#concurrency} may`);
    agent.running += 1;
    agent.load = add(agent.load, load);
    if (!atMost(agent.load, agent.capacity)) this.#over(`agent ${show(name)}`, agent.load, agent.capacity);
    for (const [id, amount] of asked.amounts) {
      const resource = this.#resources.get(id);
      if (resource === undefined) this.#complain(`task ${show(taskId)} takes of ${show(id)}, which is not known`);
      else if (resource.rate === undefined) {
        resource.allocated = add(resource.allocated, amount);
        if (!atMost(resource.allocated, resource.capacity))
          this.#over(`resource ${show(id)}`, resource.allocated, resource.capacity);
      } else {
        refill(resource.rate, resource.capacity, at);
        resource.rate.level -= amountToNumber(amount);
        if (resource.rate.level < -TOKENS_TOLERANCE)
          this.#complain(`resource ${show(id)} gave ${-resource.rate.level} tokens more than it had`);
      }
    }
  }

  #batchOf(id: number): BatchBook {
    const known = this.#batches.get(id);
    if (known !== undefined) return known;
    const made = { load: ZERO, members: 0 };
    this.#batches.set(id, made);
    return made;
  }

  #giveBack(token: number, at: number): void {
    const holding = this.#holdings.get(token);
    if (holding === undefined) {
      this.#complain(`the attempt of token ${token} gives back what it does not hold`);
      return;
    }
    this.#holdings.delete(token);
    const { asked, since, batch } = holding;
    const agent = this.#agents.get(holding.agent);
    if (batch !== undefined) batch.members -= 1;
    const isLast = batch === undefined || batch.members === 0;
    if (isLast) this.#slots -= 1;
    if (agent !== undefined) {
      agent.running -= 1;
      if (isLast) agent.load = subtract(agent.load, batch?.load ?? asked.load);
      agent.work += amountToNumber(asked.load) * (at - since);
    }
    for (const [id, amount] of asked.amounts) {
      const resource = this.#resources.get(id);
      if (resource !== undefined && resource.rate === undefined)
        resource.allocated = subtract(resource.allocated, amount);
    }
  }

  #over(what: string, held: Amount, capacity: Amount): void {
    this.#complain(`${what} holds ${amountToNumber(held)} of ${amountToNumber(capacity)}`);
  }
}

function refill(rate: Rate, capacity: Amount, at: number): void {
  const most = amountToNumber(capacity);
  rate.level = Math.min(most, rate.level + ((at - rate.at) * most) / rate.per);
  rate.at = at;
}

/** What events carry has at most nine decimals. */
function exact(value: number): Amount {
  const amount = amountOf(value);
  if (amount === undefined) throw new RangeError(`${value} is no amount`);
  return amount;
}
