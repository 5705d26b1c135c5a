import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSafeguardsError } from "../errors.ts";
import { type Move, visitsOf, WorkloadBalancer } from "./workload-balancer.ts";

function balancerOf(capacities: Readonly<Record<string, number>>): WorkloadBalancer {
  const balancer = new WorkloadBalancer();
  for (const [id, capacity] of Object.entries(capacities)) balancer.register(id, capacity);
  return balancer;
}

const code = (expected: Parameters<typeof isSafeguardsError>[1]) => ({
  asymmetricMatch: (error: unknown) => isSafeguardsError(error, expected),
});

describe("assigning", () => {
  test("the least utilized goes first, and among equals the earliest registered", () => {
    const balancer = balancerOf({ big: 4, small: 1 });
    expect(balancer.assign("t1")).toBe("big");
    expect(balancer.assign("t2", 0.5)).toBe("small");
    expect(balancer.assign("t3")).toBe("big");
    expect(balancer.assign("t4", 0.5)).toBe("big");
    expect([...balancer.utilization()]).toEqual([
      ["big", 0.625],
      ["small", 0.5],
    ]);
  });

  test("who has no room is passed by, and when nobody has, nothing changes", () => {
    const balancer = balancerOf({ a: 1, b: 2 });
    expect(balancer.assign("t1", 1.5)).toBe("b");
    expect(balancer.assign("t2", 1)).toBe("a");
    expect(balancer.assign("t3", 0.6)).toBeUndefined();
    expect(balancer.agentOf("t3")).toBeUndefined();
    expect(balancer.loadOf("a") + balancer.loadOf("b")).toBe(2.5);
    expect(balancer.assign("t3", 0.5)).toBe("b");
  });

  test("nobody registered, or nobody allowed: undefined", () => {
    expect(new WorkloadBalancer().assign("t1")).toBeUndefined();
    const balancer = balancerOf({ a: 1 });
    expect(balancer.assign("t1", 1, { among: [] })).toBeUndefined();
    expect(balancer.assign("t1", 1, { among: ["stranger"] })).toBeUndefined();
    expect(balancer.assign("t1", 1, { among: new Set(["stranger"]) })).toBeUndefined();
  });

  test("overcommit takes the least utilized over its capacity, but never a drained one", () => {
    const balancer = balancerOf({ drained: 0, a: 1, b: 1 });
    balancer.assign("t1", 0.9);
    balancer.assign("t2", 0.8);
    expect(balancer.assign("t3", 0.5, { overcommit: true })).toBe("b");
    expect(balancer.loadOf("b")).toBe(1.3);
    expect(balancer.assign("t4", 0.1, { overcommit: true })).toBe("a");
    expect(balancer.assign("t5", 7, { overcommit: true, among: ["drained"] })).toBeUndefined();
    expect(balancerOf({ drained: 0 }).assign("t", 1, { overcommit: true })).toBeUndefined();
  });

  test.each([
    ["a list", (ids: string[]) => ids],
    ["a set", (ids: string[]) => new Set(ids)],
    ["a generator that can be walked once", (ids: string[]) => ids.values()],
  ])("among may be %s", (_, among) => {
    const balancer = balancerOf({ a: 3, b: 2, c: 1 });
    expect(balancer.assign("t1", 1, { among: among(["c", "b"]) })).toBe("b");
    expect(balancer.assign("t2", 1, { among: among(["b", "c"]) })).toBe("c");
    expect(balancer.assign("t3", 1, { among: among(["c"]) })).toBeUndefined();
    expect(balancer.assign("t3", 1, { among: among(["c", "b", "c"]), overcommit: true })).toBe("b");
    expect(balancer.assign("t4", 1, { among: among(["c", "b"]), overcommit: true })).toBe("b");
  });

  test("an assigned task is DUPLICATE_ID, also when nobody has room", () => {
    const balancer = balancerOf({ a: 1 });
    balancer.assign("t1");
    expect(() => balancer.assign("t1")).toThrow(code("DUPLICATE_ID"));
    expect(balancer.loadOf("a")).toBe(1);
  });

  test("ids may be __proto__ and constructor", () => {
    const balancer = new WorkloadBalancer();
    balancer.register("__proto__", 1);
    balancer.register("constructor", 1);
    expect(balancer.assign("constructor")).toBe("__proto__");
    expect(balancer.assign("__proto__")).toBe("constructor");
    expect(balancer.agentOf("__proto__")).toBe("constructor");
  });

  test.each([
    ["an empty id", (b: WorkloadBalancer) => b.assign("")],
    ["no load", (b: WorkloadBalancer) => b.assign("t", 0)],
    ["a negative load", (b: WorkloadBalancer) => b.assign("t", -1)],
    ["a load of ten decimals", (b: WorkloadBalancer) => b.assign("t", 0.0000000001)],
    ["an unknown option", (b: WorkloadBalancer) => Reflect.apply(b.assign, b, ["t", 1, { amongst: [] }])],
    ["a name as among", (b: WorkloadBalancer) => b.assign("t", 1, { among: "a" })],
    ["a nameless agent in among", (b: WorkloadBalancer) => b.assign("t", 1, { among: [""] })],
    ["an overcommit of 1", (b: WorkloadBalancer) => Reflect.apply(b.assign, b, ["t", 1, { overcommit: 1 }])],
    ["a negative capacity", (b: WorkloadBalancer) => b.register("a", -1)],
    ["an infinite capacity", (b: WorkloadBalancer) => b.register("a", Number.POSITIVE_INFINITY)],
    ["an actual load of 0", (b: WorkloadBalancer) => b.complete("t", 0)],
    ["half a move", (b: WorkloadBalancer) => b.rebalance({ maxMoves: 0.5 })],
    ["a load beyond all counting", (b: WorkloadBalancer) => b.assign("t", 2 ** 53 - 1, { overcommit: true })],
  ])("%s is INVALID_ARGUMENT and changes nothing", (_, act) => {
    const balancer = balancerOf({ a: 3 });
    balancer.assign("t0", 2);
    expect(() => act(balancer)).toThrow(code("INVALID_ARGUMENT"));
    expect([...balancer.utilization()]).toEqual([["a", 2 / 3]]);
    expect(balancer.agentOf("t")).toBeUndefined();
  });
});

describe("the books", () => {
  test("ten tasks of 0.1 fill an agent of capacity 1, and completing them empties it exactly", () => {
    const balancer = balancerOf({ a: 1 });
    for (let i = 0; i < 10; i++) expect(balancer.assign(`t${i}`, 0.1)).toBe("a");
    expect(balancer.loadOf("a")).toBe(1);
    expect(balancer.assign("t10", 1e-9)).toBeUndefined();
    for (let i = 0; i < 10; i++) balancer.complete(`t${i}`);
    expect(balancer.loadOf("a")).toBe(0);
  });

  test("completing frees the task's own load, not an average and not the actual one", () => {
    const balancer = balancerOf({ a: 10 });
    balancer.assign("small", 1);
    balancer.assign("large", 5);
    expect(balancer.complete("small")).toBe(true);
    expect(balancer.loadOf("a")).toBe(5);
    expect(balancer.complete("large", 9)).toBe(true);
    expect(balancer.loadOf("a")).toBe(0);
    expect(balancer.complete("large")).toBe(false);
    expect(balancer.complete("never seen", 3)).toBe(false);
  });

  test("what a task took teaches the estimate of its kind only", () => {
    const balancer = balancerOf({ a: 100 });
    expect(balancer.estimate("review")).toBeUndefined();
    for (const [id, actual] of Object.entries({ t1: 0.1, t2: 0.2, t3: 0.6 })) {
      balancer.assign(id, 1, { kind: "review" });
      balancer.complete(id, actual);
    }
    balancer.assign("t4", 1, { kind: "review" });
    balancer.complete("t4");
    balancer.assign("t5", 1);
    balancer.complete("t5", 50);
    expect(balancer.estimate("review")).toBe(0.3);
    expect(balancer.estimate("constructor")).toBeUndefined();
  });

  test("registering again changes the capacity and keeps the load and the place among equals", () => {
    const balancer = balancerOf({ a: 4, b: 4 });
    balancer.assign("t1", 2);
    balancer.register("a", 1);
    expect(balancer.loadOf("a")).toBe(2);
    expect([...balancer.utilization()]).toEqual([
      ["a", 2],
      ["b", 0],
    ]);
    expect(balancer.assign("t2", 0.5)).toBe("b");
    balancer.complete("t1");
    balancer.complete("t2");
    expect(balancer.assign("t3", 0.5)).toBe("a");
  });

  test("a drained agent is at 0 when empty, else at Infinity", () => {
    const balancer = balancerOf({ a: 1 });
    balancer.assign("t1", 0.5);
    balancer.register("a", 0);
    expect(balancer.utilization().get("a")).toBe(Number.POSITIVE_INFINITY);
    balancer.complete("t1");
    expect(balancer.utilization().get("a")).toBe(0);
    expect(balancer.assign("t2", 1e-9)).toBeUndefined();
  });

  test("unregistering leaves the tasks unassigned, in the order of their assignment, and they may be assigned again", () => {
    const balancer = balancerOf({ a: 4 });
    for (const id of ["t2", "t0", "t1", "t3"]) balancer.assign(id);
    balancer.complete("t0");
    expect(balancer.unregister("a")).toEqual(["t2", "t1", "t3"]);
    expect(balancer.unregister("a")).toEqual([]);
    expect(() => balancer.loadOf("a")).toThrow(code("UNKNOWN_AGENT"));
    expect(balancer.agentOf("t1")).toBeUndefined();
    expect(balancer.complete("t1")).toBe(false);
    balancer.register("b", 1);
    expect(balancer.assign("t1")).toBe("b");
  });
});

/** The same rules, in the plainest way: a scan over all agents, loads in whole thousandths. */
class Scan {
  readonly agents = new Map<string, { capacity: number; tasks: Map<string, number> }>();

  load(id: string): number {
    let sum = 0;
    for (const load of this.agents.get(id)?.tasks.values() ?? []) sum += load;
    return sum;
  }

  utilization(id: string): number {
    const capacity = this.agents.get(id)?.capacity ?? 0;
    if (capacity === 0) return this.load(id) === 0 ? 0 : Number.POSITIVE_INFINITY;
    return this.load(id) / capacity;
  }

  assign(taskId: string, load: number, among: readonly string[] | undefined, overcommit: boolean): string | undefined {
    const pick = (may: (id: string, capacity: number) => boolean) => {
      let best: string | undefined;
      for (const [id, { capacity }] of this.agents) {
        if ((among !== undefined && !among.includes(id)) || !may(id, capacity)) continue;
        if (best === undefined || this.utilization(id) < this.utilization(best)) best = id;
      }
      return best;
    };
    const chosen =
      pick((id, capacity) => this.load(id) + load <= capacity) ??
      (overcommit ? pick((_, capacity) => capacity > 0) : undefined);
    if (chosen !== undefined) this.agents.get(chosen)?.tasks.set(taskId, load);
    return chosen;
  }

  complete(taskId: string): boolean {
    return [...this.agents.values()].some((agent) => agent.tasks.delete(taskId));
  }
}

const names = fc.constantFrom("a", "b", "c", "d", "e");
const thousandths = fc.oneof(fc.integer({ min: 1, max: 400 }), fc.constantFrom(100, 200, 500, 1_000));
const steps = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("register" as const), agent: names, capacity: fc.nat(1_500) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("unregister" as const), agent: names }) },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("assign" as const),
      load: thousandths,
      overcommit: fc.boolean(),
      among: fc.option(fc.array(names, { maxLength: 5 }), { nil: undefined }),
      asSet: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("complete" as const), task: fc.nat(60) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("rebalance" as const),
      maxMoves: fc.option(fc.nat(4), { nil: undefined }),
    }),
  },
);

test("it answers as a scan over all agents does, whatever happens, and its books end at exactly 0", () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 80, size: "max" }), (script) => {
      const balancer = new WorkloadBalancer();
      const scan = new Scan();
      let count = 0;
      for (const step of script) {
        if (step.kind === "register") {
          balancer.register(step.agent, step.capacity / 1_000);
          const known = scan.agents.get(step.agent);
          scan.agents.set(step.agent, { capacity: step.capacity, tasks: known?.tasks ?? new Map() });
        } else if (step.kind === "unregister") {
          const left = balancer.unregister(step.agent);
          expect(new Set(left)).toEqual(new Set(scan.agents.get(step.agent)?.tasks.keys() ?? []));
          scan.agents.delete(step.agent);
        } else if (step.kind === "assign") {
          count += 1;
          const { load, overcommit, among, asSet } = step;
          const allowed = among === undefined ? {} : { among: asSet ? new Set(among) : among };
          expect(balancer.assign(`t${count}`, load / 1_000, { overcommit, ...allowed })).toBe(
            scan.assign(`t${count}`, load, among, overcommit),
          );
        } else if (step.kind === "complete") {
          expect(balancer.complete(`t${step.task}`)).toBe(scan.complete(`t${step.task}`));
        } else {
          const { maxMoves } = step;
          for (const { taskId, from, to } of balancer.rebalance(maxMoves === undefined ? {} : { maxMoves })) {
            scan.agents.get(to)?.tasks.set(taskId, scan.agents.get(from)?.tasks.get(taskId) ?? Number.NaN);
            scan.agents.get(from)?.tasks.delete(taskId);
          }
        }
        for (const id of scan.agents.keys()) expect(balancer.loadOf(id)).toBe(scan.load(id) / 1_000);
        expect(balancer.utilization()).toEqual(
          new Map([...scan.agents.keys()].map((id) => [id, scan.utilization(id)])),
        );
      }
      for (let i = 1; i <= count; i++) balancer.complete(`t${i}`);
      for (const id of scan.agents.keys()) expect(balancer.loadOf(id)).toBe(0);
    }),
    { numRuns: 300 },
  );
});

test("the order of completing does not change the books", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 3e9 }), fc.nat()), { maxLength: 30, size: "max" }),
      (parts) => {
        const balancer = balancerOf({ a: 1_000 });
        for (const [i, [nanos]] of parts.entries()) balancer.assign(`t${i}`, nanos / 1e9);
        balancer.assign("stays", 0.3);
        const order = parts.map(([, key], i) => ({ key, i })).sort((x, y) => x.key - y.key);
        for (const { i } of order) balancer.complete(`t${i}`);
        expect(balancer.loadOf("a")).toBe(0.3);
      },
    ),
  );
});

describe("rebalancing", () => {
  const highest = (balancer: WorkloadBalancer) => Math.max(0, ...balancer.utilization().values());

  test("true loads count: four small tasks and one large one are evened out by load, not by number", () => {
    const balancer = balancerOf({ a: 10 });
    balancer.assign("large", 4);
    for (let i = 0; i < 4; i++) balancer.assign(`small${i}`, 1);
    balancer.register("b", 10);
    expect(balancer.rebalance()).toEqual([{ taskId: "large", from: "a", to: "b" }]);
    expect([...balancer.utilization().values()]).toEqual([0.4, 0.4]);
    expect(balancer.rebalance()).toEqual([]);
  });

  test("nothing moves where the highest cannot be lowered, though the rest could be evener", () => {
    const balancer = balancerOf({ a: 2, b: 2 });
    for (let i = 0; i < 4; i++) balancer.assign(`t${i}`);
    balancer.register("c", 2);
    expect(balancer.rebalance()).toEqual([]);
    expect([...balancer.utilization().values()]).toEqual([1, 1, 0]);
  });

  test("two at the top are both relieved, or with too few moves neither", () => {
    const make = () => {
      const balancer = balancerOf({ a: 2, b: 2 });
      for (let i = 0; i < 4; i++) balancer.assign(`t${i}`);
      balancer.register("c", 4);
      return balancer;
    };
    expect(make().rebalance({ maxMoves: 1 })).toEqual([]);
    const balancer = make();
    expect(balancer.rebalance({ maxMoves: 2 })).toHaveLength(2);
    expect([...balancer.utilization().values()]).toEqual([0.5, 0.5, 0.5]);
  });

  test("a drained agent is emptied when the others have room for all of it", () => {
    const balancer = balancerOf({ a: 3 });
    for (let i = 0; i < 3; i++) balancer.assign(`t${i}`);
    balancer.register("b", 2);
    balancer.register("a", 0);
    expect(balancer.rebalance()).toEqual([]);
    balancer.register("c", 1);
    expect(balancer.rebalance()).toHaveLength(3);
    expect([...balancer.utilization().values()]).toEqual([0, 1, 1]);
  });

  test("a larger agent is found behind a less utilized one that is too small", () => {
    const balancer = balancerOf({ full: 4, large: 100, small: 1 });
    balancer.assign("base", 50, { among: ["large"] });
    for (let i = 0; i < 3; i++) balancer.assign(`t${i}`, 1, { among: ["full"] });
    expect(balancer.rebalance()).toEqual([{ taskId: "t0", from: "full", to: "large" }]);
  });

  const books = fc.record({
    agents: fc.array(fc.oneof(fc.nat(12), fc.constantFrom(2, 4, 8, 0)), { minLength: 1, maxLength: 6 }),
    tasks: fc.array(fc.tuple(fc.nat(5), fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constantFrom(0.1, 0.7, 1e-9))), {
      maxLength: 24,
      size: "max",
    }),
    lowered: fc.array(fc.tuple(fc.nat(5), fc.nat(12)), { maxLength: 3 }),
    maxMoves: fc.option(fc.nat(5), { nil: undefined }),
  });

  test("every move can be made when it is its turn; the highest only falls; at the end no single move lowers it", () => {
    fc.assert(
      fc.property(books, ({ agents, tasks, lowered, maxMoves }) => {
        const balancer = new WorkloadBalancer();
        const scan = new Scan();
        agents.forEach((capacity, i) => {
          balancer.register(`a${i}`, capacity);
          scan.agents.set(`a${i}`, { capacity: capacity * 1e9, tasks: new Map() });
        });
        tasks.forEach(([agent, load], i) => {
          const id = `a${agent % agents.length}`;
          const done = balancer.assign(`t${i}`, load, { among: [id], overcommit: true });
          if (done !== undefined) scan.agents.get(id)?.tasks.set(`t${i}`, Math.round(load * 1e9));
        });
        for (const [agent, capacity] of lowered) {
          const id = `a${agent % agents.length}`;
          balancer.register(id, capacity);
          scan.agents.set(id, { capacity: capacity * 1e9, tasks: scan.agents.get(id)?.tasks ?? new Map() });
        }
        const before = highest(balancer);
        const moves: Move[] = balancer.rebalance(maxMoves === undefined ? {} : { maxMoves });
        expect(moves.length).toBeLessThanOrEqual(maxMoves ?? Number.POSITIVE_INFINITY);
        for (const { taskId, from, to } of moves) {
          const load = scan.agents.get(from)?.tasks.get(taskId) ?? Number.NaN;
          scan.agents.get(from)?.tasks.delete(taskId);
          scan.agents.get(to)?.tasks.set(taskId, load);
          expect(scan.load(to)).toBeLessThanOrEqual(scan.agents.get(to)?.capacity ?? 0);
          expect(scan.utilization(to)).toBeLessThanOrEqual(before);
        }
        for (const [id, agent] of scan.agents) {
          expect(balancer.utilization().get(id)).toBe(scan.utilization(id));
          for (const task of agent.tasks.keys()) expect(balancer.agentOf(task)).toBe(id);
        }
        if (moves.length > 0) expect(highest(balancer)).toBeLessThan(before);
        if (maxMoves !== undefined) return;
        const top = highest(balancer);
        const others = (a: string, b: string) =>
          Math.max(
            0,
            ...[...scan.agents.keys()].filter((id) => id !== a && id !== b).map((id) => scan.utilization(id)),
          );
        for (const [from, source] of scan.agents) {
          for (const [taskId, load] of [...source.tasks]) {
            for (const [to, target] of scan.agents) {
              if (to === from || scan.load(to) + load > target.capacity) continue;
              source.tasks.delete(taskId);
              target.tasks.set(taskId, load);
              const after = Math.max(others(from, to), scan.utilization(from), scan.utilization(to));
              target.tasks.delete(taskId);
              source.tasks.set(taskId, load);
              expect(after).toBeGreaterThanOrEqual(top);
            }
          }
        }
      }),
      { numRuns: 600 },
    );
  });
});

describe("cost", () => {
  const SIZES = [100, 10_000] as const;

  function crowd(size: number): WorkloadBalancer {
    const balancer = new WorkloadBalancer();
    for (let i = 0; i < size; i++) balancer.register(`a${i}`, 1 + (i % 7));
    for (let i = 0; i < 3 * size; i++) balancer.assign(`t${i}`, 0.1 + (i % 5) / 10);
    return balancer;
  }

  /** The most that one call of each kind looks at. */
  function worst(balancer: WorkloadBalancer, calls: readonly (() => unknown)[]): number {
    let most = 0;
    for (const call of calls) {
      const before = visitsOf(balancer);
      call();
      most = Math.max(most, visitsOf(balancer) - before);
    }
    return most;
  }

  test.each(SIZES)("with %d agents what is put off costs each change a few times log n, once", (size) => {
    const balancer = new WorkloadBalancer();
    const before = visitsOf(balancer);
    for (let i = 0; i < size; i++) balancer.register(`a${i}`, 1 + (i % 7));
    for (let i = 0; i < 3 * size; i++) balancer.assign(`t${i}`, 0.1 + (i % 5) / 10);
    balancer.assign("none", 1_000);
    expect(visitsOf(balancer) - before).toBeLessThan(4 * size * 10 * Math.log2(size));
    expect(worst(balancer, [() => balancer.assign("none", 1_000)])).toBeLessThan(20 * Math.log2(size));
  });

  test.each(SIZES)("with %d agents assigning, completing and registering look at a few times log n", (size) => {
    const balancer = crowd(size);
    balancer.assign("none", 1_000);
    const calls: (() => unknown)[] = [];
    for (let i = 0; i < 100; i++) {
      calls.push(
        () => balancer.assign(`more${i}`, 0.1 + (i % 30) / 10),
        () => balancer.assign(`over${i}`, 100, { overcommit: true }),
        () => balancer.assign(`none${i}`, 1_000),
        () => balancer.complete(`t${i}`, 2),
        () => balancer.register(`a${i}`, i % 3),
        () => balancer.loadOf(`a${i}`),
        () => balancer.unregister(`a${i + 1}`),
      );
    }
    expect(worst(balancer, calls)).toBeLessThan(20 * Math.log2(size));
  });

  test.each(SIZES)("with %d agents of which all but one are full, the one with room is found by the index", (size) => {
    const balancer = new WorkloadBalancer();
    const last = `a${size - 1}`;
    for (let i = 0; i < size; i++) {
      balancer.register(`a${i}`, 1);
      balancer.assign(`t${i}`, 0.2, { among: [`a${i}`] });
    }
    balancer.register(last, 10);
    balancer.assign("most of it", 8.8, { among: [last] });
    const few = 20 * Math.log2(size);
    balancer.assign("none", 1_000);
    expect(worst(balancer, [() => expect(balancer.assign("x", 0.9)).toBe(last)])).toBeLessThan(few);
    const everybody = new Set(balancer.utilization().keys());
    const calls = [() => expect(balancer.assign("y", 0.05, { among: everybody })).toBe("a0")];
    expect(worst(balancer, calls)).toBeLessThan(few);
  });

  test("among a few of 10 000 only those few are looked at", () => {
    const balancer = crowd(10_000);
    const few = ["a3", "a500", "a9999"];
    expect(worst(balancer, [() => balancer.assign("x", 0.1, { among: few })])).toBeLessThan(100);
    balancer.assign("none", 1_000);
    expect(worst(balancer, [() => balancer.assign("y", 0.1, { among: new Set(few) })])).toBeLessThan(200);
  });
});
