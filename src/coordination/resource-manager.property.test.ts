import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SafeguardsError } from "../errors.ts";
import { type Allocation, type Released, ResourceManager } from "./resource-manager.ts";

/** Amounts are counted in tenths here, so that sums are exact. */
type Amounts = Record<string, number>;

interface Resource {
  capacity: number;
  out: number;
  /** Tokens in tenths, times `per`; undefined for a stock. */
  rate: { per: number; level: number; at: number } | undefined;
}
interface Holding {
  id: string;
  token: number;
  holder: string;
  amounts: Amounts;
  expiresAt: number | undefined;
  reservationId: string | undefined;
}
interface Waiter {
  reservationId: string;
  holder: string;
  amounts: Amounts;
  leaseMs: number | undefined;
  rank: number;
  arrivalMs: number;
  seq: number;
}

const entries = (amounts: Amounts): [string, number][] => Object.entries(amounts);
const inTenths = (amounts: Amounts): Amounts => Object.fromEntries(entries(amounts).map(([id, n]) => [id, n / 10]));

/** The rules, word by word, by going through everybody each time. */
class Model {
  readonly resources = new Map<string, Resource>();
  readonly held: Holding[] = [];
  waiters: Waiter[] = [];
  now = 0;
  allocations = 0;
  tokens = 0;
  reservations = 0;
  arrivals = 0;
  readonly agingMs: number;
  readonly protectAfterMs: number;

  constructor(options: { agingMs: number; protectAfterMs: number }) {
    this.agingMs = options.agingMs;
    this.protectAfterMs = options.protectAfterMs;
  }

  free(id: string): number {
    const resource = this.resources.get(id);
    if (resource === undefined) throw new Error(id);
    if (resource.rate === undefined) return Math.max(0, resource.capacity - resource.out);
    const { per, level, at } = resource.rate;
    return Math.min(resource.capacity * per, level + (this.now - at) * resource.capacity) / per;
  }

  take(id: string, amount: number): void {
    const resource = this.resources.get(id);
    if (resource === undefined) throw new Error(id);
    if (resource.rate === undefined) resource.out += amount;
    else {
      resource.rate.level = Math.round((this.free(id) - amount) * resource.rate.per);
      resource.rate.at = this.now;
    }
  }

  giveBack(amounts: Amounts): void {
    for (const [id, amount] of entries(amounts)) {
      const resource = this.resources.get(id);
      if (resource !== undefined && resource.rate === undefined) resource.out -= amount;
    }
  }

  grant(request: Omit<Waiter, "reservationId" | "rank" | "arrivalMs" | "seq">, reservationId?: string): Allocation {
    for (const [id, amount] of entries(request.amounts)) this.take(id, amount);
    const { holder, amounts, leaseMs } = request;
    const expiresAt = leaseMs === undefined ? undefined : this.now + leaseMs;
    const holding = { id: `a${++this.allocations}`, token: ++this.tokens, holder, amounts, expiresAt, reservationId };
    this.held.push(holding);
    return show(holding);
  }

  before(a: { rank: number; seq: number }, b: { rank: number; seq: number }): boolean {
    return a.rank < b.rank || (a.rank === b.rank && a.seq < b.seq);
  }

  /** The first in order of those that have waited long enough. */
  reserved(): Waiter | undefined {
    return this.waiters.find((waiter) => this.now - waiter.arrivalMs >= this.protectAfterMs);
  }

  fits(waiter: Pick<Waiter, "amounts" | "rank" | "seq">): boolean {
    const reserved = this.reserved();
    const aside = reserved !== undefined && this.before(reserved, waiter) ? reserved.amounts : {};
    return entries(waiter.amounts).every(([id, n]) => n <= Math.max(0, this.free(id) - (aside[id] ?? 0)) + 1e-9);
  }

  serve(): Allocation[] {
    const granted: Allocation[] = [];
    for (const waiter of [...this.waiters]) {
      if (!this.fits(waiter)) continue;
      this.waiters = this.waiters.filter((other) => other !== waiter);
      granted.push(this.grant(waiter, waiter.reservationId));
    }
    return granted;
  }

  end(holding: Holding): void {
    this.held.splice(this.held.indexOf(holding), 1);
    this.giveBack(holding.amounts);
  }

  advance(): Released {
    const over = this.held.filter(({ expiresAt }) => expiresAt !== undefined && expiresAt <= this.now);
    over.sort((a, b) => (a.expiresAt ?? 0) - (b.expiresAt ?? 0) || a.token - b.token);
    for (const holding of over) this.end(holding);
    return { granted: this.serve(), expired: over.map(show), refused: [] };
  }

  servedAfter(first: Released): Released {
    return { ...first, granted: [...first.granted, ...this.serve()] };
  }

  register(id: string, capacity: number): Released {
    const resource = this.resources.get(id);
    if (resource === undefined) throw new Error(id);
    if (resource.rate !== undefined) {
      resource.rate.level = Math.min(Math.round(this.free(id) * resource.rate.per), capacity * resource.rate.per);
      resource.rate.at = this.now;
    }
    resource.capacity = capacity;
    const impossible = this.waiters.filter((waiter) => (waiter.amounts[id] ?? 0) > capacity);
    this.waiters = this.waiters.filter((waiter) => !impossible.includes(waiter));
    const refused = impossible.map(({ reservationId, holder }) => ({
      reservationId,
      holder,
      code: "CAPACITY_EXCEEDED" as const,
    }));
    return { ...this.advance(), refused };
  }

  request(holder: string, amounts: Amounts, priority: number, leaseMs: number | undefined): unknown {
    const released = this.advance();
    const rank = this.agingMs === Number.POSITIVE_INFINITY ? -priority : this.now - priority * this.agingMs;
    const seq = this.arrivals++;
    if (this.fits({ amounts, rank, seq })) {
      return { status: "granted", allocation: this.grant({ holder, amounts, leaseMs }), ...released };
    }
    const reservationId = `r${++this.reservations}`;
    const waiter = { reservationId, holder, amounts, leaseMs, rank, arrivalMs: this.now, seq };
    this.waiters.push(waiter);
    this.waiters.sort((a, b) => (this.before(a, b) ? -1 : 1));
    const after = this.servedAfter(released);
    return { status: "queued", reservationId, position: this.waiters.indexOf(waiter) + 1, ...after };
  }

  /** The holding, unless it has run out by now. */
  current(id: string): Holding | undefined {
    return this.held.find((one) => one.id === id && (one.expiresAt === undefined || one.expiresAt > this.now));
  }
}

function show(holding: Holding): Allocation {
  const { id, token, holder, amounts, expiresAt, reservationId } = holding;
  return {
    id,
    token,
    holder,
    amounts: inTenths(amounts),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(reservationId === undefined ? {} : { reservationId }),
  };
}

const RESOURCES = ["a", "b", "rate"];
const tenths = fc.integer({ min: 1, max: 12 });
const amounts = fc
  .tuple(fc.subarray(RESOURCES, { minLength: 1 }), tenths, tenths, tenths)
  .map(([names, ...sizes]): Amounts => Object.fromEntries(names.map((name, i) => [name, sizes[i] ?? 1])));
const operation = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant("request" as const),
      amounts,
      priority: fc.integer({ min: 0, max: 2 }),
      leaseMs: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
      holder: fc.constantFrom("ada", "bob"),
    }),
  },
  { weight: 5, arbitrary: fc.record({ type: fc.constant("release" as const), at: fc.nat(30) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("part" as const), at: fc.nat(30), amounts }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("renew" as const),
      at: fc.nat(30),
      leaseMs: fc.integer({ min: 1, max: 20 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("cancel" as const), at: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("expire" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("capacity" as const),
      id: fc.constantFrom(...RESOURCES),
      capacity: fc.integer({ min: 0, max: 20 }),
    }),
  },
);
const options = fc.record({
  agingMs: fc.constantFrom(Number.POSITIVE_INFINITY, 4, 0),
  protectAfterMs: fc.constantFrom(Number.POSITIVE_INFINITY, 10, 0),
});
const PER = 8;

/** Plain objects, so that records without a prototype compare with others. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function refused(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof SafeguardsError) return error.code;
    throw error;
  }
  return "accepted";
}

describe("any calls", () => {
  test("every answer is what the rules say, a refused call changes nothing, and at the end everything comes back", () => {
    fc.assert(
      fc.property(
        options,
        fc.array(fc.tuple(fc.nat(6), operation), { maxLength: 60, size: "max" }),
        (chosen, operations) => {
          const manager = new ResourceManager(chosen);
          const model = new Model(chosen);
          for (const id of RESOURCES) {
            const rate = id === "rate" ? { per: PER, level: 10 * PER, at: 0 } : undefined;
            manager.register(id, { type: "compute", capacity: 1, ...(rate && { per: PER }) }, 0);
            model.resources.set(id, { capacity: 10, out: 0, rate });
          }
          const check = (): void => {
            for (const [id, { capacity, out, rate }] of model.resources) {
              const free = model.free(id);
              const usage = manager.usage(id);
              expect(usage.capacity).toBe(capacity / 10);
              expect(usage.available).toBeCloseTo(free / 10, 8);
              expect(usage.allocated).toBeCloseTo(rate === undefined ? out / 10 : (capacity - free) / 10, 8);
              expect(usage.waiting).toBe(model.waiters.filter((waiter) => id in waiter.amounts).length);
            }
            for (const holder of ["ada", "bob"]) {
              const theirs = model.held.filter((holding) => holding.holder === holder);
              expect(plain(manager.allocationsOf(holder))).toEqual(theirs.map(show));
            }
          };
          for (const [wait, op] of operations) {
            const before = model.now;
            model.now += wait;
            const { now } = model;
            const is = (code: string, call: () => unknown): void => {
              expect(refused(call)).toBe(code);
              model.now = before;
            };
            if (op.type === "request") {
              const { holder, priority, leaseMs } = op;
              const call = (): unknown =>
                manager.request({ holder, amounts: inTenths(op.amounts), priority, ...(leaseMs && { leaseMs }) }, now);
              const possible = entries(op.amounts).every(([id, n]) => n <= (model.resources.get(id)?.capacity ?? 0));
              if (!possible) is("CAPACITY_EXCEEDED", call);
              else expect(plain(call())).toEqual(model.request(holder, op.amounts, priority, leaseMs));
            } else if (op.type === "capacity") {
              const spec = {
                type: "compute" as const,
                capacity: op.capacity / 10,
                ...(op.id === "rate" && { per: PER }),
              };
              expect(plain(manager.register(op.id, spec, now))).toEqual(model.register(op.id, op.capacity));
            } else if (op.type === "expire") {
              expect(plain(manager.expire(now))).toEqual(model.advance());
            } else if (op.type === "cancel") {
              const id = `r${op.at + 1}`;
              const waiter = model.waiters.find((one) => one.reservationId === id);
              const call = (): unknown => manager.cancel(id, now);
              if (waiter === undefined) is(op.at < model.reservations ? "INVALID_STATE" : "UNKNOWN_ALLOCATION", call);
              else {
                model.waiters = model.waiters.filter((one) => one !== waiter);
                expect(plain(call())).toEqual(model.advance());
              }
            } else {
              const id = `a${op.at + 1}`;
              const held = model.current(id);
              const token = held?.token ?? 1;
              const call = (): unknown => {
                if (op.type === "renew") return manager.renew({ id, token }, op.leaseMs, now);
                return manager.release({ id, token }, now, op.type === "part" ? inTenths(op.amounts) : undefined);
              };
              if (held === undefined) is(op.at < model.allocations ? "FENCED" : "UNKNOWN_ALLOCATION", call);
              else if (op.type === "renew") {
                const released = model.advance();
                held.expiresAt = now + op.leaseMs;
                expect(plain(call())).toEqual({ ...show(held), ...released });
              } else if (op.type === "part") {
                if (entries(op.amounts).some(([name, n]) => n > (held.amounts[name] ?? 0))) {
                  is("INVALID_ARGUMENT", call);
                  continue;
                }
                const released = model.advance();
                held.amounts = Object.fromEntries(
                  entries(held.amounts)
                    .map(([name, n]): [string, number] => [name, n - (op.amounts[name] ?? 0)])
                    .filter(([, n]) => n > 0),
                );
                if (entries(held.amounts).length === 0) model.held.splice(model.held.indexOf(held), 1);
                model.giveBack(op.amounts);
                expect(plain(call())).toEqual(model.servedAfter(released));
              } else {
                const released = model.advance();
                model.end(held);
                expect(plain(call())).toEqual(model.servedAfter(released));
              }
            }
            check();
          }
          for (let rounds = 0; model.held.length + model.waiters.length > 0 && rounds < 500; rounds++) {
            model.now += PER;
            manager.expire(model.now);
            model.advance();
            for (const { id, token } of [...model.held]) {
              manager.release({ id, token }, model.now);
              const held = model.current(id);
              if (held !== undefined) model.end(held);
              model.serve();
            }
          }
          check();
          for (const id of ["a", "b"]) expect(manager.usage(id)).toMatchObject({ allocated: 0, waiting: 0 });
        },
      ),
      { numRuns: 500 },
    );
  });
});

test("whoever waits is granted in bounded time, whatever keeps coming, when every lease ends and something is set aside", () => {
  const MAX_LEASE = 5;
  const sizes = fc.record({
    a: fc.integer({ min: 0, max: 6 }),
    b: fc.integer({ min: 0, max: 6 }),
    leaseMs: fc.integer({ min: 1, max: MAX_LEASE }),
  });
  const asked = sizes.filter(({ a, b }) => a + b > 0);
  fc.assert(
    fc.property(
      fc.constantFrom(0, 3, 10),
      fc.array(asked, { minLength: 5, maxLength: 40, size: "max" }),
      (protectAfterMs, requests) => {
        const manager = new ResourceManager({ protectAfterMs });
        for (const id of ["a", "b"]) manager.register(id, { type: "compute", capacity: 6 }, 0);
        const deadlines = new Map<string, number>();
        for (let now = 0; now < 150; now++) {
          const { a, b, leaseMs } = requests[now % requests.length] ?? { a: 1, b: 1, leaseMs: 1 };
          const amounts = { ...(a > 0 && { a }), ...(b > 0 && { b }) };
          const result = manager.request({ holder: "h", amounts, leaseMs }, now);
          for (const { reservationId } of result.granted) deadlines.delete(reservationId ?? "");
          if (result.status === "queued") {
            deadlines.set(result.reservationId, now + protectAfterMs + (result.position + 1) * (MAX_LEASE + 1));
          }
          for (const deadline of deadlines.values()) expect(deadline).toBeGreaterThan(now);
        }
      },
    ),
    { numRuns: 200 },
  );
});
