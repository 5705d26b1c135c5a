import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSafeguardsError } from "../errors.ts";
import { SkillRouter, visitsOf } from "./skill-router.ts";
import type { SkillRequirement } from "./structures/types.ts";
import { visitsOf as balancerVisitsOf, WorkloadBalancer } from "./workload-balancer.ts";

const code = (expected: Parameters<typeof isSafeguardsError>[1]) => ({
  asymmetricMatch: (error: unknown) => isSafeguardsError(error, expected),
});

function routerOf(agents: Readonly<Record<string, Readonly<Record<string, number>> | readonly string[]>>): SkillRouter {
  const router = new SkillRouter();
  for (const [id, skills] of Object.entries(agents)) router.register(id, skills);
  return router;
}

describe("who has a skill", () => {
  test("the highest level comes first, then the earliest registration", () => {
    const router = routerOf({ a: { x: 0.5 }, b: ["x"], c: { x: 0.5, y: 1 }, d: { x: 1 }, e: ["y"] });
    expect(router.agentsWith("x")).toEqual(["b", "d", "a", "c"]);
    expect(router.agentsWith("x", 0.5)).toEqual(["b", "d", "a", "c"]);
    expect(router.agentsWith("x", 0.6)).toEqual(["b", "d"]);
    expect(router.agentsWith("z")).toEqual([]);
  });

  test("names are compared exactly", () => {
    const router = routerOf({ a: ["TypeScript"] });
    expect(router.agentsWith("typescript")).toEqual([]);
    expect(router.qualified(["TypeScript "])).toEqual([]);
  });

  test("registering again replaces the skills and keeps the place in the order", () => {
    const router = routerOf({ a: ["x", "y"], b: ["x"] });
    router.register("a", { x: 1, z: 0.2 });
    expect(router.agentsWith("x")).toEqual(["a", "b"]);
    expect(router.agentsWith("y")).toEqual([]);
    expect(router.agentsWith("z")).toEqual(["a"]);
  });

  test("who is unregistered is gone, and comes back as the last", () => {
    const router = routerOf({ a: ["x"], b: ["x"] });
    expect(router.unregister("a")).toBe(true);
    expect(router.unregister("a")).toBe(false);
    expect(router.agentsWith("x")).toEqual(["b"]);
    router.register("a", ["x"]);
    expect(router.qualified([])).toEqual(["b", "a"]);
  });

  test("agents and skills may be called __proto__ and constructor, and come in a Map", () => {
    const router = new SkillRouter();
    router.register("__proto__", new Map([["constructor", 0.5]]));
    router.register("constructor", ["__proto__", "__proto__"]);
    expect(router.agentsWith("constructor")).toEqual(["__proto__"]);
    expect(router.qualified(["__proto__"])).toEqual(["constructor"]);
    expect(router.qualified(["toString"])).toEqual([]);
  });
});

describe("who is qualified", () => {
  test("all skills at their levels, in registration order; no requirement means everybody", () => {
    const router = routerOf({ a: { x: 0.3, y: 1 }, b: [], c: { x: 0.9, y: 0.4 }, d: ["x", "y"] });
    expect(router.qualified([])).toEqual(["a", "b", "c", "d"]);
    expect(router.qualified(["x", "y"])).toEqual(["a", "c", "d"]);
    expect(router.qualified([{ skill: "x", level: 0.9 }, "y"])).toEqual(["c", "d"]);
    expect(router.qualified(["x", { skill: "y", level: 1 }])).toEqual(["a", "d"]);
    expect(router.qualified([{ skill: "x", level: 0.2 }, "x", { skill: "x", level: 0.5 }])).toEqual(["c", "d"]);
    expect(router.qualified(["x", "nobody has this"])).toEqual([]);
  });
});

describe("routing without a balancer", () => {
  test("the highest lowest level over the required skills wins, then registration", () => {
    const router = routerOf({
      a: { x: 1, y: 0.2 },
      b: { x: 0.6, y: 0.5 },
      c: { x: 0.5, y: 0.9 },
      d: { x: 0.5, y: 0.5 },
    });
    expect(router.route({ id: "t", skills: ["x", "y"] })).toBe("b");
    expect(router.route({ id: "t", skills: ["x"] })).toBe("a");
    expect(router.route({ id: "t", skills: [] })).toBe("a");
    expect(router.route({ id: "t", skills: ["z"] })).toBeUndefined();
    expect(
      router.route({
        id: "t",
        skills: [
          { skill: "x", level: 0.5 },
          { skill: "y", level: 0.6 },
        ],
      }),
    ).toBe("c");
    expect(new SkillRouter().route({ id: "t", skills: [] })).toBeUndefined();
  });
});

describe("routing with a balancer", () => {
  test("the load is put on the agent that is returned, though another is less utilized", () => {
    const router = routerOf({ idle: ["y"], skilled: ["x"] });
    const balancer = new WorkloadBalancer();
    balancer.register("idle", 10);
    balancer.register("skilled", 2);
    expect(router.route({ id: "t1", skills: ["x"] }, balancer)).toBe("skilled");
    expect(balancer.agentOf("t1")).toBe("skilled");
    expect([balancer.loadOf("skilled"), balancer.loadOf("idle")]).toEqual([1, 0]);
    expect(router.route({ id: "t2", skills: ["x"], load: 0.5 }, balancer)).toBe("skilled");
    expect(balancer.loadOf("skilled")).toBe(1.5);
  });

  test("no room among the qualified: undefined, and nothing is booked", () => {
    const router = routerOf({ a: ["x"], b: ["y"] });
    const balancer = new WorkloadBalancer();
    for (const id of ["a", "b"]) balancer.register(id, 1);
    router.route({ id: "t1", skills: ["x"] }, balancer);
    expect(router.route({ id: "t2", skills: ["x"] }, balancer)).toBeUndefined();
    expect(router.route({ id: "t3", skills: ["z"] }, balancer)).toBeUndefined();
    expect(balancer.agentOf("t2")).toBeUndefined();
    expect([...balancer.utilization().values()]).toEqual([1, 0]);
  });

  test("whom the balancer does not know gets nothing, nor does whom the router does not know", () => {
    const router = routerOf({ a: ["x"], b: ["x"] });
    const balancer = new WorkloadBalancer();
    for (const id of ["stranger", "b"]) balancer.register(id, 1);
    expect(router.route({ id: "t1", skills: ["x"] }, balancer)).toBe("b");
    expect(router.route({ id: "t2", skills: [] }, balancer)).toBeUndefined();
  });

  test("an assigned task is DUPLICATE_ID", () => {
    const router = routerOf({ a: ["x"] });
    const balancer = new WorkloadBalancer();
    balancer.register("a", 5);
    router.route({ id: "t1", skills: ["x"] }, balancer);
    expect(() => router.route({ id: "t1", skills: ["x"] }, balancer)).toThrow(code("DUPLICATE_ID"));
    expect(() => router.route({ id: "t1", skills: ["z"] }, balancer)).toThrow(code("DUPLICATE_ID"));
    expect(balancer.loadOf("a")).toBe(1);
  });
});

test.each([
  ["a slash in a name", (r: SkillRouter) => r.register("a/b", [])],
  ["a nameless skill", (r: SkillRouter) => r.register("a", [""])],
  ["a hole in the list", (r: SkillRouter) => r.register("a", new Array(1))],
  ["level 0", (r: SkillRouter) => r.register("a", { x: 0.5, y: 0 })],
  ["a level above 1", (r: SkillRouter) => r.register("a", { x: 1.1 })],
  ["a level of NaN", (r: SkillRouter) => r.register("a", new Map([["x", Number.NaN]]))],
  ["a name instead of a list", (r: SkillRouter) => Reflect.apply(r.register, r, ["a", "x"])],
  ["a set of skills", (r: SkillRouter) => Reflect.apply(r.register, r, ["a", new Set(["x"])])],
  ["a required level of 0", (r: SkillRouter) => r.qualified([{ skill: "x", level: 0 }])],
  ["an unknown key of a requirement", (r: SkillRouter) => Reflect.apply(r.qualified, r, [[{ skill: "x", min: 1 }]])],
  ["requirements that are no list", (r: SkillRouter) => Reflect.apply(r.qualified, r, ["x"])],
  ["a least level above 1", (r: SkillRouter) => r.agentsWith("x", 2)],
  ["a load of 0, also without a balancer", (r: SkillRouter) => r.route({ id: "t", skills: [], load: 0 })],
  ["a task without skills", (r: SkillRouter) => Reflect.apply(r.route, r, [{ id: "t" }])],
  ["no balancer at all", (r: SkillRouter) => Reflect.apply(r.route, r, [{ id: "t", skills: [] }, null])],
  ["a balancer that is none", (r: SkillRouter) => Reflect.apply(r.route, r, [{ id: "t", skills: [] }, {}])],
  ["an unknown key of a task", (r: SkillRouter) => Reflect.apply(r.route, r, [{ id: "t", skills: [], lod: 2 }])],
])("%s is INVALID_ARGUMENT and changes nothing", (_, act) => {
  const router = routerOf({ a: { x: 0.5 } });
  expect(() => act(router)).toThrow(code("INVALID_ARGUMENT"));
  expect(router.agentsWith("x")).toEqual(["a"]);
  expect(router.agentsWith("y")).toEqual([]);
  expect(router.qualified([])).toEqual(["a"]);
});

describe("against a scan over all agents", () => {
  const skill = fc.constantFrom("x", "y", "z");
  const level = fc.constantFrom(0.2, 0.5, 0.8, 1);
  const required = fc.array(fc.oneof(skill, fc.record({ skill, level })), { maxLength: 3 });
  const steps = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant("register" as const), agent: fc.nat(9), skills: fc.dictionary(skill, level) }),
      fc.record({ kind: fc.constant("unregister" as const), agent: fc.nat(9) }),
      fc.record({ kind: fc.constant("ask" as const), required }),
      fc.record({ kind: fc.constant("ask" as const), required }),
    ),
    { maxLength: 60, size: "max" },
  );

  test("every answer is the same, and routing with a balancer puts each load where it says", () => {
    fc.assert(
      fc.property(steps, (script) => {
        const router = new SkillRouter();
        const balancer = new WorkloadBalancer();
        for (let i = 0; i < 8; i++) balancer.register(`a${i}`, 2 + (i % 3));
        const agents = new Map<string, Map<string, number>>();
        const needed = (r: SkillRequirement) => (typeof r === "string" ? { skill: r, level: 0.1 } : r);
        let count = 0;
        for (const step of script) {
          if (step.kind === "register") {
            router.register(`a${step.agent}`, step.skills);
            agents.set(`a${step.agent}`, new Map(Object.entries(step.skills)));
          } else if (step.kind === "unregister") {
            expect(router.unregister(`a${step.agent}`)).toBe(agents.delete(`a${step.agent}`));
          } else {
            const needs = step.required.map(needed);
            const levelOf = (id: string, name: string) => agents.get(id)?.get(name) ?? 0;
            const able = [...agents.keys()].filter((id) => needs.every((n) => levelOf(id, n.skill) >= n.level));
            expect(router.qualified(step.required)).toEqual(able);
            const lowest = (id: string) => Math.min(1, ...needs.map((n) => levelOf(id, n.skill)));
            const best = able.reduce<string | undefined>(
              (found, id) => (found === undefined || lowest(id) > lowest(found) ? id : found),
              undefined,
            );
            expect(router.route({ id: "t", skills: step.required })).toBe(best);
            const utilization = balancer.utilization();
            const free = [...utilization].filter(
              ([id, used]) => able.includes(id) && balancer.loadOf(id) + 1 <= 2 + (Number(id.slice(1)) % 3) && used < 1,
            );
            const chosen = free.reduce<string | undefined>(
              (found, [id, used]) => (found === undefined || used < (utilization.get(found) ?? 0) ? id : found),
              undefined,
            );
            count += 1;
            expect(router.route({ id: `t${count}`, skills: step.required }, balancer)).toBe(chosen);
            expect(balancer.agentOf(`t${count}`)).toBe(chosen);
            for (const n of needs) {
              const expected = [...agents.keys()]
                .filter((id) => levelOf(id, n.skill) >= n.level)
                .sort((a, b) => levelOf(b, n.skill) - levelOf(a, n.skill));
              expect(router.agentsWith(n.skill, n.level)).toEqual(expected);
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("cost", () => {
  /** A tenth of the agents have each of ten skills, five have a rare one, all can talk. */
  function crowd(size: number): { router: SkillRouter; balancer: WorkloadBalancer } {
    const router = new SkillRouter();
    const balancer = new WorkloadBalancer();
    for (let i = 0; i < size; i++) {
      const rare = i % (size / 5) === 3 ? ["rare"] : [];
      router.register(`a${i}`, [`s${i % 10}`, "talking", ...rare]);
      balancer.register(`a${i}`, 4);
    }
    return { router, balancer };
  }

  function looks({ router, balancer }: ReturnType<typeof crowd>, act: () => unknown): number {
    const before = visitsOf(router) + balancerVisitsOf(balancer);
    act();
    return visitsOf(router) + balancerVisitsOf(balancer) - before;
  }

  test.each([100, 10_000])("of %d agents only those with the rarest skill are looked at", (size) => {
    const all = crowd(size);
    const { router, balancer } = all;
    const log = Math.log2(size);
    expect(looks(all, () => router.qualified(["talking", "rare"]))).toBeLessThan(10);
    expect(looks(all, () => router.agentsWith("rare"))).toBeLessThan(10);
    expect(looks(all, () => router.route({ id: "t", skills: ["talking", "rare"] }))).toBeLessThan(10);
    expect(looks(all, () => router.route({ id: "t1", skills: ["talking", "rare"] }, balancer))).toBeLessThan(10 * log);
  });

  test.each([100, 10_000])("with %d agents what many can do is routed by a few looks", (size) => {
    const all = crowd(size);
    const { router, balancer } = all;
    const log = Math.log2(size);
    expect(looks(all, () => router.route({ id: "t", skills: ["talking"] }))).toBeLessThan(5);
    expect(looks(all, () => router.route({ id: "t", skills: [] }))).toBeLessThan(5);
    for (let i = 0; i < size / 2; i++) {
      const skills = i % 3 === 0 ? [] : i % 3 === 1 ? ["talking"] : ["talking", `s${i % 10}`];
      expect(looks(all, () => router.route({ id: `t${i}`, skills }, balancer))).toBeLessThan(20 * log);
    }
  });

  test("best fit goes down the levels only as far as somebody better may still come", () => {
    const all = crowd(0);
    all.router.register("master", { x: 1, y: 0.9 });
    for (let i = 0; i < 1_000; i++) all.router.register(`a${i}`, { x: 0.8, y: 0.5 });
    expect(looks(all, () => all.router.route({ id: "t", skills: ["x", "y"] }))).toBeLessThan(5);
  });

  test.each([100, 10_000])("with %d agents that are all full, one glance tells", (size) => {
    const all = crowd(size);
    const { router, balancer } = all;
    for (let i = 0; i < size; i++) balancer.assign(`full${i}`, 4);
    // The first to ask finds out what the last assignments have left.
    expect(router.route({ id: "t", skills: ["talking"] }, balancer)).toBeUndefined();
    expect(
      looks(all, () => expect(router.route({ id: "t", skills: ["talking"] }, balancer)).toBeUndefined()),
    ).toBeLessThan(5);
  });
});
