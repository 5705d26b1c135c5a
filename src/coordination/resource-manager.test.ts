import { describe, expect, test } from "vitest";
import { type ErrorCode, SafeguardsError } from "../errors.ts";
import { type Allocation, ResourceManager, type ResourceManagerOptions } from "./resource-manager.ts";

function refusal(call: () => unknown): SafeguardsError {
  try {
    call();
  } catch (error) {
    if (error instanceof SafeguardsError) return error;
    throw error;
  }
  throw new Error("the call was accepted");
}

const codeOf = (call: () => unknown): ErrorCode => refusal(call).code;

/** A manager with these capacities, each a number or a rate `[capacity, per]`. */
function manager(
  capacities: Record<string, number | [number, number]>,
  options?: ResourceManagerOptions,
): ResourceManager {
  const made = new ResourceManager(options);
  for (const [id, spec] of Object.entries(capacities)) {
    const [capacity, per] = typeof spec === "number" ? [spec] : spec;
    made.register(id, { type: "compute", capacity, ...(per !== undefined && { per }) }, 0);
  }
  return made;
}

/** What was granted at once to a holder who asked for it. */
function take(
  resources: ResourceManager,
  holder: string,
  amounts: Record<string, number>,
  now = 0,
  leaseMs?: number,
): Allocation {
  const result = resources.request({ holder, amounts, ...(leaseMs !== undefined && { leaseMs }) }, now);
  if (result.status !== "granted") throw new Error(`${holder} has to wait`);
  return result.allocation;
}

/** The reservation of a holder who has to wait. */
function queue(
  resources: ResourceManager,
  holder: string,
  amounts: Record<string, number>,
  now = 0,
  priority = 5,
): string {
  const result = resources.request({ holder, amounts, priority }, now);
  if (result.status !== "queued") throw new Error(`${holder} does not have to wait`);
  return result.reservationId;
}

const holders = (allocations: readonly Allocation[]): string[] => allocations.map((allocation) => allocation.holder);

describe("requests", () => {
  test("what is free is granted, and booked exactly", () => {
    const resources = manager({ gpu: 1 });
    const allocations = Array.from({ length: 10 }, (_, i) => take(resources, `h${i}`, { gpu: 0.1 }));
    expect(resources.usage("gpu")).toEqual({ capacity: 1, allocated: 1, available: 0, waiting: 0 });
    for (const allocation of allocations) resources.release(allocation, 1);
    expect(resources.usage("gpu")).toEqual({ capacity: 1, allocated: 0, available: 1, waiting: 0 });
  });

  test("what has to wait is granted with its own amounts, not with 1", () => {
    const resources = manager({ gpu: 4 });
    const all = take(resources, "ada", { gpu: 4 });
    queue(resources, "bob", { gpu: 2.5 });
    queue(resources, "eve", { gpu: 0.25 });
    const { granted } = resources.release(all, 1);
    expect(granted.map(({ holder, amounts }) => [holder, amounts.gpu])).toEqual([
      ["bob", 2.5],
      ["eve", 0.25],
    ]);
    expect(resources.usage("gpu").allocated).toBe(2.75);
  });

  test("one holder may wait for several things at once, and none is forgotten", () => {
    const resources = manager({ gpu: 2 });
    const all = take(resources, "ada", { gpu: 2 });
    const reservations = [queue(resources, "bob", { gpu: 1 }), queue(resources, "bob", { gpu: 1 }, 0, 9)];
    const { granted } = resources.release(all, 1);
    expect(granted.map((allocation) => allocation.reservationId)).toEqual(reservations.reverse());
    expect(resources.allocationsOf("bob")).toEqual(granted);
  });

  test("several resources are granted together or not at all", () => {
    const resources = manager({ gpu: 1, disk: 1 });
    const disk = take(resources, "ada", { disk: 1 });
    queue(resources, "bob", { gpu: 1, disk: 1 });
    expect(resources.usage("gpu").allocated).toBe(0);
    expect(holders(resources.release(disk, 1).granted)).toEqual(["bob"]);
    expect([resources.usage("gpu").allocated, resources.usage("disk").allocated]).toEqual([1, 1]);
  });

  test("waiters are served by priority, then by arrival, and the position says where they are", () => {
    const resources = manager({ gpu: 1 });
    let last = take(resources, "ada", { gpu: 1 });
    const asked = [
      ["low", 1],
      ["first", 5],
      ["second", 5],
      ["urgent", 9],
    ] as const;
    const positions = asked.map(([holder, priority]) => {
      const result = resources.request({ holder, amounts: { gpu: 1 }, priority }, 0);
      return result.status === "queued" ? result.position : 0;
    });
    expect(positions).toEqual([1, 1, 2, 1]);
    const order = asked.map(() => {
      const [next] = resources.release(last, 1).granted;
      if (next !== undefined) last = next;
      return next?.holder;
    });
    expect(order).toEqual(["urgent", "first", "second", "low"]);
  });

  test("with aging one step of priority is worth agingMs of waiting", () => {
    const resources = manager({ gpu: 1 }, { agingMs: 100 });
    const all = take(resources, "ada", { gpu: 1 });
    queue(resources, "patient", { gpu: 1 }, 0, 1);
    queue(resources, "late", { gpu: 1 }, 101, 2);
    expect(holders(resources.release(all, 200).granted)).toEqual(["patient"]);
  });

  test("more than the capacity is refused at once, instead of waiting for ever", () => {
    const resources = manager({ gpu: 1, drained: 0 });
    const error = refusal(() => resources.request({ holder: "ada", amounts: { gpu: 1.5 } }, 0));
    expect(error.code).toBe("CAPACITY_EXCEEDED");
    expect(error.details).toEqual({ resourceId: "gpu", asked: 1.5, capacity: 1 });
    expect(codeOf(() => resources.request({ holder: "ada", amounts: { gpu: 1, drained: 0.1 } }, 0))).toBe(
      "CAPACITY_EXCEEDED",
    );
    expect(resources.usage("gpu").allocated).toBe(0);
  });

  test("a newcomer does not go before what has just become free for one who waits", () => {
    const resources = manager({ gpu: 1 });
    take(resources, "ada", { gpu: 1 }, 0, 10);
    queue(resources, "bob", { gpu: 1 }, 0, 1);
    const result = resources.request({ holder: "eve", amounts: { gpu: 1 }, priority: 9 }, 20);
    expect(holders(result.expired)).toEqual(["ada"]);
    expect(holders(result.granted)).toEqual(["bob"]);
    expect(result.status).toBe("queued");
  });

  test("Maps are taken, and ids that objects inherit are ids like any other", () => {
    const resources = new ResourceManager();
    for (const id of ["__proto__", "constructor"]) resources.register(id, { type: "data", capacity: 1 });
    const amounts = new Map([
      ["__proto__", 1],
      ["constructor", 0.5],
    ]);
    const result = resources.request({ holder: "__proto__", amounts }, 0);
    if (result.status !== "granted") throw new Error("it has to wait");
    expect(Object.entries(result.allocation.amounts)).toEqual([...amounts]);
    expect(resources.allocationsOf("__proto__")).toHaveLength(1);
    expect(resources.allocationsOf("constructor")).toEqual([]);
  });
});

describe("backfill and reservation", () => {
  test("what fits is granted although something ahead does not fit", () => {
    const resources = manager({ gpu: 4 });
    take(resources, "ada", { gpu: 2 });
    queue(resources, "big", { gpu: 3 });
    take(resources, "small", { gpu: 1 });
    expect(resources.usage("gpu")).toEqual({ capacity: 4, allocated: 3, available: 1, waiting: 1 });
  });

  test.each<[number | undefined, number | undefined]>([
    [undefined, 31_000],
    [30_000, 31_000],
    [0, 2_000],
    [Number.POSITIVE_INFINITY, undefined],
  ])(
    "with protectAfterMs %s one who needs all is served at %s, though small ones take turns for ever",
    (after, expected) => {
      const resources = manager({ gpu: 2 }, after === undefined ? {} : { protectAfterMs: after });
      const running = [take(resources, "s", { gpu: 1 }), take(resources, "s", { gpu: 1 })];
      queue(resources, "big", { gpu: 2 });
      let servedAt: number | undefined;
      for (let now = 1_000; now <= 60_000 && servedAt === undefined; now += 1_000) {
        queue(resources, "s", { gpu: 1 }, now);
        const [oldest, ...others] = running.splice(0);
        const granted = oldest === undefined ? [] : resources.release(oldest, now).granted;
        running.push(...others, ...granted);
        if (holders(granted).includes("big")) servedAt = now;
      }
      expect(servedAt).toBe(expected);
    },
  );

  test("later ones may use what is left after the reservation, of the same resource and of others", () => {
    const resources = manager({ gpu: 4, disk: 1, net: 3 }, { protectAfterMs: 10 });
    take(resources, "ada", { disk: 1 });
    queue(resources, "big", { gpu: 3, disk: 1 });
    resources.expire(10);
    take(resources, "small", { gpu: 1, net: 3 }, 10);
    queue(resources, "more", { gpu: 1 }, 10);
  });

  test("earlier keys are not held up by a reservation", () => {
    const resources = manager({ gpu: 2 }, { protectAfterMs: 10 });
    take(resources, "ada", { gpu: 1 });
    queue(resources, "big", { gpu: 2 });
    expect(resources.request({ holder: "urgent", amounts: { gpu: 1 }, priority: 9 }, 10).status).toBe("granted");
  });

  test("when the one with the reservation is cancelled, what was set aside is granted to others", () => {
    const resources = manager({ gpu: 2 }, { protectAfterMs: 10 });
    take(resources, "ada", { gpu: 1 });
    const big = queue(resources, "big", { gpu: 2 });
    queue(resources, "small", { gpu: 1 }, 10);
    expect(holders(resources.cancel(big, 11).granted)).toEqual(["small"]);
  });

  test("when one who goes first has waited as long, it has the reservation, and what was set aside before is granted", () => {
    const resources = manager({ gpu: 2, disk: 1 }, { protectAfterMs: 10 });
    take(resources, "ada", { gpu: 1, disk: 1 });
    queue(resources, "big", { gpu: 2 });
    queue(resources, "urgent", { disk: 1 }, 5, 9);
    queue(resources, "small", { gpu: 1 }, 10);
    expect(resources.expire(14).granted).toEqual([]);
    expect(holders(resources.expire(15).granted)).toEqual(["small"]);
  });

  test("with protectAfterMs 0 nobody goes before the first in order", () => {
    const resources = manager({ gpu: 2, disk: 1 }, { protectAfterMs: 0 });
    const ada = take(resources, "ada", { gpu: 1 });
    queue(resources, "big", { gpu: 2 });
    queue(resources, "small", { gpu: 1 });
    expect(holders(resources.release(ada, 1).granted)).toEqual(["big"]);
  });
});

describe("release", () => {
  test("a part frees that part and leaves the rest with the same token", () => {
    const resources = manager({ gpu: 3, disk: 1 });
    const ada = take(resources, "ada", { gpu: 3, disk: 1 });
    queue(resources, "bob", { gpu: 2 });
    expect(holders(resources.release(ada, 1, { gpu: 2, disk: 1 }).granted)).toEqual(["bob"]);
    expect(resources.allocationsOf("ada")).toEqual([{ ...ada, amounts: expect.objectContaining({ gpu: 1 }) }]);
    resources.release(ada, 2, new Map([["gpu", 1]]));
    expect(codeOf(() => resources.release(ada, 3))).toBe("FENCED");
  });

  test("more than is held, and what is not held, is refused and frees nothing", () => {
    const resources = manager({ gpu: 3, disk: 1 });
    const ada = take(resources, "ada", { gpu: 1 });
    for (const amounts of [{ gpu: 2 }, { disk: 1 }, { gpu: 1, disk: 1 }, {}, { gpu: 0 }]) {
      expect(codeOf(() => resources.release(ada, 1, amounts))).toBe("INVALID_ARGUMENT");
    }
    expect(resources.usage("gpu").allocated).toBe(1);
  });

  test("nothing is released twice", () => {
    const resources = manager({ gpu: 1 });
    const ada = take(resources, "ada", { gpu: 1 });
    resources.release(ada, 1);
    const bob = take(resources, "bob", { gpu: 1 }, 1);
    expect(codeOf(() => resources.release(ada, 2))).toBe("FENCED");
    expect(codeOf(() => resources.release({ id: bob.id, token: ada.token }, 2))).toBe("FENCED");
    expect(resources.usage("gpu").allocated).toBe(1);
  });

  test("any token but the latest is stale, also 0 and negative ones, which are never given out", () => {
    const resources = manager({ gpu: 1 });
    const { id, token } = take(resources, "ada", { gpu: 1 });
    for (const other of [token - 1, token + 1, -1]) {
      expect(codeOf(() => resources.release({ id, token: other }, 0))).toBe("FENCED");
      expect(codeOf(() => resources.renew({ id, token: other }, 10, 0))).toBe("FENCED");
    }
    expect(resources.usage("gpu").allocated).toBe(1);
  });

  test("an id that was never given out is unknown", () => {
    const resources = manager({ gpu: 1 });
    take(resources, "ada", { gpu: 1 });
    for (const id of ["a2", "a0", "a01", "a1.0", "a1e0", "a 1", "b1", "a", "r1"]) {
      expect(codeOf(() => resources.release({ id, token: 1 }, 0))).toBe("UNKNOWN_ALLOCATION");
    }
  });
});

describe("leases", () => {
  test("a lease has run out when now is expiresAt, and what it held is granted on", () => {
    const resources = manager({ gpu: 1 });
    const ada = take(resources, "ada", { gpu: 1 }, 0, 100);
    expect(ada.expiresAt).toBe(100);
    queue(resources, "bob", { gpu: 1 }, 1);
    expect(resources.expire(99)).toEqual({ granted: [], expired: [], refused: [] });
    const { expired, granted } = resources.expire(100);
    expect([expired, holders(granted)]).toEqual([[ada], ["bob"]]);
    expect(resources.allocationsOf("ada")).toEqual([]);
  });

  test("its token is stale whether or not expiry has run, and the refused call expires nothing", () => {
    const resources = manager({ gpu: 1 });
    const ada = take(resources, "ada", { gpu: 1 }, 0, 100);
    expect(codeOf(() => resources.release(ada, 100))).toBe("FENCED");
    expect(codeOf(() => resources.renew(ada, 50, 100))).toBe("FENCED");
    expect(resources.usage("gpu").allocated).toBe(1);
    resources.release(ada, 99);
  });

  test("the lease of one who had to wait runs from the grant", () => {
    const resources = manager({ gpu: 1 });
    const ada = take(resources, "ada", { gpu: 1 });
    resources.request({ holder: "bob", amounts: { gpu: 1 }, leaseMs: 10 }, 0);
    const [bob] = resources.release(ada, 1_000).granted;
    expect(bob).toMatchObject({ holder: "bob", expiresAt: 1_010, reservationId: "r1" });
  });

  test("renewing moves the end and keeps the token, with which it is released", () => {
    const resources = manager({ gpu: 1 });
    const ada = take(resources, "ada", { gpu: 1 }, 0, 100);
    const { granted, expired, refused, ...renewed } = resources.renew(ada, 100, 90);
    expect(renewed).toEqual({ ...ada, expiresAt: 190 });
    expect([granted, expired, refused]).toEqual([[], [], []]);
    expect(resources.expire(150).expired).toEqual([]);
    const bob = take(resources, "bob", { gpu: 1 }, 190, 10);
    expect(codeOf(() => resources.release(ada, 191))).toBe("FENCED");
    resources.renew(bob, 100, 191);
    resources.release(bob, 250);
    expect(resources.usage("gpu").allocated).toBe(0);
  });

  test("an allocation without a lease never runs out, until it is renewed with one", () => {
    const resources = manager({ gpu: 1 });
    const ada = take(resources, "ada", { gpu: 1 });
    expect(resources.expire(Number.MAX_SAFE_INTEGER - 20).expired).toEqual([]);
    resources.renew(ada, 10, Number.MAX_SAFE_INTEGER - 20);
    expect(holders(resources.expire(Number.MAX_SAFE_INTEGER).expired)).toEqual(["ada"]);
  });

  test("leases that have run out are told in the order in which they did", () => {
    const resources = manager({ gpu: 3 });
    take(resources, "late", { gpu: 1 }, 0, 30);
    take(resources, "first", { gpu: 1 }, 0, 10);
    take(resources, "second", { gpu: 1 }, 0, 10);
    expect(holders(resources.expire(30).expired)).toEqual(["first", "second", "late"]);
  });

  test("any accepted call tells what expired and what that granted", () => {
    const calls: ((resources: ResourceManager, other: Allocation) => unknown)[] = [
      (resources) => resources.register("new", { type: "data", capacity: 1 }, 100),
      (resources) => resources.request({ holder: "eve", amounts: { disk: 1 } }, 100),
      (resources, other) => resources.release(other, 100),
      (resources, other) => resources.renew(other, 10, 100),
      (resources) => resources.cancel("r2", 100),
      (resources) => resources.expire(100),
    ];
    for (const call of calls) {
      const resources = manager({ gpu: 1, disk: 2 });
      take(resources, "ada", { gpu: 1 }, 0, 100);
      const other = take(resources, "other", { disk: 1 });
      queue(resources, "bob", { gpu: 1 });
      queue(resources, "cat", { gpu: 1 });
      expect(call(resources, other)).toMatchObject({ expired: [{ holder: "ada" }], granted: [{ holder: "bob" }] });
    }
  });
});

describe("capacity", () => {
  test("more of it is granted at once", () => {
    const resources = manager({ gpu: 1 });
    take(resources, "ada", { gpu: 1 });
    queue(resources, "bob", { gpu: 1 });
    expect(holders(resources.register("gpu", { type: "compute", capacity: 2 }).granted)).toEqual(["bob"]);
  });

  test("less of it takes nothing back, and grants nothing until it fits", () => {
    const resources = manager({ gpu: 4 });
    const [ada, bob] = [take(resources, "ada", { gpu: 2 }), take(resources, "bob", { gpu: 2 })];
    queue(resources, "eve", { gpu: 1 });
    resources.register("gpu", { type: "compute", capacity: 2 }, 1);
    expect(resources.usage("gpu")).toEqual({ capacity: 2, allocated: 4, available: 0, waiting: 1 });
    expect(resources.release(ada, 2).granted).toEqual([]);
    expect(holders(resources.release(bob, 3).granted)).toEqual(["eve"]);
  });

  test("what expires in the call that lowers it is not granted on beyond it", () => {
    const resources = manager({ gpu: 2 });
    take(resources, "ada", { gpu: 1 }, 0, 10);
    take(resources, "cat", { gpu: 1 });
    queue(resources, "bob", { gpu: 1 });
    expect(resources.register("gpu", { type: "compute", capacity: 1 }, 10)).toMatchObject({
      granted: [],
      expired: [{ holder: "ada" }],
    });
  });

  test("waiters that it makes impossible end with CAPACITY_EXCEEDED, and what they held up goes on", () => {
    const resources = manager({ gpu: 4 }, { protectAfterMs: 0 });
    take(resources, "ada", { gpu: 2 });
    const big = queue(resources, "big", { gpu: 4 });
    queue(resources, "small", { gpu: 1 });
    const result = resources.register("gpu", { type: "compute", capacity: 3 }, 1);
    expect(result.refused).toEqual([{ reservationId: big, holder: "big", code: "CAPACITY_EXCEEDED" }]);
    expect(holders(result.granted)).toEqual(["small"]);
    expect(codeOf(() => resources.cancel(big, 1))).toBe("INVALID_STATE");
  });
});

describe("rates", () => {
  test("tokens refill continuously and exactly, up to the capacity", () => {
    const resources = manager({ calls: [3, 1_000] });
    for (let i = 0; i < 3; i++) take(resources, "ada", { calls: 1 });
    expect(resources.usage("calls")).toEqual({ capacity: 3, allocated: 3, available: 0, waiting: 0 });
    queue(resources, "bob", { calls: 1 });
    expect(resources.expire(333).granted).toEqual([]);
    expect(holders(resources.expire(334).granted)).toEqual(["bob"]);
    expect(resources.usage("calls").available).toBe(0.002);
    for (let now = 335; now <= 1_000; now++) resources.expire(now);
    expect(resources.usage("calls").available).toBe(2);
    resources.expire(100_000);
    expect(resources.usage("calls").available).toBe(3);
  });

  test("what was taken is spent: releasing and expiring give nothing back", () => {
    const resources = manager({ calls: [2, 1_000], gpu: 1 });
    const ada = take(resources, "ada", { calls: 1, gpu: 1 }, 0);
    take(resources, "cat", { calls: 1 }, 0, 10);
    resources.release(ada, 0);
    resources.expire(10);
    expect(resources.usage("calls").available).toBe(0.02);
    expect(resources.usage("gpu").available).toBe(1);
  });

  test("a reservation holds tokens together for one who needs many", () => {
    const resources = manager({ calls: [10, 1_000] }, { protectAfterMs: 0 });
    take(resources, "ada", { calls: 10 });
    queue(resources, "big", { calls: 10 });
    for (let now = 100; now < 1_000; now += 100) {
      expect(resources.request({ holder: "small", amounts: { calls: 1 } }, now).granted).toEqual([]);
    }
    expect(holders(resources.expire(1_000).granted)).toEqual(["big"]);
  });

  test("another capacity keeps what is in the bucket, as far as it fits", () => {
    const resources = manager({ calls: [4, 1_000] });
    take(resources, "ada", { calls: 1 });
    resources.register("calls", { type: "api_call", capacity: 10, per: 1_000 }, 0);
    expect(resources.usage("calls").available).toBe(3);
    resources.register("calls", { type: "api_call", capacity: 2, per: 500 }, 0);
    expect(resources.usage("calls")).toMatchObject({ available: 2, allocated: 0 });
  });

  test("a rate stays a rate, and what is none stays none", () => {
    const resources = manager({ calls: [4, 1_000], gpu: 1 });
    expect(codeOf(() => resources.register("calls", { type: "api_call", capacity: 4 }))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => resources.register("gpu", { type: "compute", capacity: 1, per: 5 }))).toBe("INVALID_ARGUMENT");
  });
});

describe("cancel", () => {
  test("a reservation leaves the line, and the call does not grant it first", () => {
    const resources = manager({ gpu: 1 });
    take(resources, "ada", { gpu: 1 }, 0, 10);
    const bob = queue(resources, "bob", { gpu: 1 });
    expect(resources.cancel(bob, 10)).toMatchObject({ granted: [], expired: [{ holder: "ada" }] });
    expect(resources.usage("gpu")).toMatchObject({ allocated: 0, waiting: 0 });
  });

  test("one that no longer waits is INVALID_STATE, one that never was is UNKNOWN_ALLOCATION", () => {
    const resources = manager({ gpu: 1 });
    const ada = take(resources, "ada", { gpu: 1 });
    const bob = queue(resources, "bob", { gpu: 1 });
    resources.release(ada, 0);
    expect(codeOf(() => resources.cancel(bob, 0))).toBe("INVALID_STATE");
    expect(codeOf(() => resources.cancel("r2", 0))).toBe("UNKNOWN_ALLOCATION");
    expect(codeOf(() => resources.cancel(ada.id, 0))).toBe("UNKNOWN_ALLOCATION");
  });
});

describe("refusals", () => {
  test.each<[ErrorCode, (resources: ResourceManager) => unknown]>([
    ["UNKNOWN_RESOURCE", (resources) => resources.request({ holder: "ada", amounts: { nothing: 1 } }, 0)],
    ["UNKNOWN_RESOURCE", (resources) => resources.usage("constructor")],
    ["INVALID_ARGUMENT", (resources) => resources.request({ holder: "", amounts: { gpu: 1 } }, 0)],
    ["INVALID_ARGUMENT", (resources) => resources.request({ holder: "ada", amounts: {} }, 0)],
    ["INVALID_ARGUMENT", (resources) => resources.request({ holder: "ada", amounts: { gpu: 0 } }, 0)],
    ["INVALID_ARGUMENT", (resources) => resources.request({ holder: "ada", amounts: { gpu: -1 } }, 0)],
    ["INVALID_ARGUMENT", (resources) => resources.request({ holder: "ada", amounts: { gpu: Number.NaN } }, 0)],
    ["INVALID_ARGUMENT", (resources) => resources.request({ holder: "ada", amounts: { nothing: 1, gpu: 0 } }, 0)],
    ["INVALID_ARGUMENT", (resources) => resources.request({ holder: "ada", amounts: { gpu: 1 }, leaseMs: 0 }, 0)],
    ["INVALID_ARGUMENT", (resources) => resources.request({ holder: "ada", amounts: { gpu: 1 }, priority: 0.5 }, 0)],
    [
      "INVALID_ARGUMENT",
      (resources) => resources.request(Object.assign({ holder: "a", amounts: { gpu: 1 } }, { lease: 1 }), 0),
    ],
    ["INVALID_ARGUMENT", (resources) => resources.request({ holder: "ada", amounts: { gpu: 1 } }, Number.NaN)],
    ["INVALID_ARGUMENT", (resources) => resources.register("gpu", { type: "compute", capacity: -1 })],
    ["INVALID_ARGUMENT", (resources) => resources.register("new", { type: "api_call", capacity: 1, per: 0 })],
    ["INVALID_ARGUMENT", (resources) => resources.register("a/b", { type: "compute", capacity: 1 })],
    ["INVALID_ARGUMENT", (resources) => resources.renew(take(resources, "ada", { gpu: 1 }), -1, 0)],
    ["INVALID_ARGUMENT", () => new ResourceManager({ protectAfterMs: -1 })],
    ["INVALID_ARGUMENT", () => new ResourceManager(Object.assign({ agingMs: 1 }, { aging: 1 }))],
  ])("%s: %s", (code, call) => {
    expect(codeOf(() => call(manager({ gpu: 1 })))).toBe(code);
  });

  test("time that goes back is refused, and a refused call does not move time", () => {
    const resources = manager({ gpu: 1 });
    resources.expire(10);
    expect(codeOf(() => resources.request({ holder: "ada", amounts: { gpu: 1 } }, 9))).toBe("INVALID_ARGUMENT");
    expect(codeOf(() => resources.request({ holder: "ada", amounts: { gpu: 2 } }, 99))).toBe("CAPACITY_EXCEEDED");
    take(resources, "ada", { gpu: 1 }, 10);
  });
});

test("a change costs the logarithm of the waiters, not their number", () => {
  const visitsFor = (count: number): number => {
    const resources = manager({ a: 100, b: 100, c: 100 });
    const held = [take(resources, "all", { a: 100, b: 100, c: 100 })];
    const ask = (i: number, now: number) => {
      const amounts = [{ a: 1 + (i % 7) }, { a: 1 + (i % 5), b: 1 + (i % 3) }, { c: 1 }][i % 3] ?? {};
      return resources.request({ holder: "w", amounts, priority: (i * 7) % 10 }, now);
    };
    for (let i = 0; i < count; i++) ask(i, 0);
    const before = resources.visits;
    let calls = 0;
    for (const allocation of held) {
      held.push(...resources.release(allocation, ++calls).granted);
      ask(count + calls, calls);
      if (calls === 50) break;
    }
    return (resources.visits - before) / calls;
  };
  expect(visitsFor(10_000)).toBeLessThan(6 * visitsFor(100));
});
