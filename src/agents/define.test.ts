import { describe, expect, it } from "vitest";
import type { Outcome } from "../runtime/task.ts";
import { definitionOf } from "./definition.ts";
import { defineAgent } from "./function.ts";
import { defineManager } from "./manager.ts";
import { merge } from "./merge.ts";
import { validate } from "./schema.ts";

const run = (): null => null;

function refusal(define: () => unknown): string {
  try {
    define();
  } catch (error) {
    expect(error).toMatchObject({ code: "INVALID_ARGUMENT" });
    return String(Reflect.get(Object(error), "message"));
  }
  throw new Error("it was not refused");
}

describe("defineAgent", () => {
  it("gives an agent that shows its name and nothing to change", () => {
    const agent = defineAgent({ name: "a", skills: ["x"], run });
    expect(agent).toEqual({ name: "a" });
    expect(Object.isFrozen(agent)).toBe(true);
    expect(definitionOf(agent)).toMatchObject({ kind: "agent", description: { name: "a", skills: { x: 1 } } });
  });

  it("keeps what it was given, whatever becomes of it", () => {
    const skills = { x: 0.5 };
    const spec = { name: "a", skills, run };
    const agent = defineAgent(spec);
    skills.x = 1;
    spec.name = "b";
    expect(definitionOf(agent).description).toMatchObject({ name: "a", skills: { x: 0.5 } });
  });

  it("runs with the object that it was written in", () => {
    const agent = defineAgent({
      name: "a",
      run() {
        return Reflect.get(this, "name");
      },
    });
    const definition = definitionOf(agent);
    expect(definition.kind === "agent" && definition.run?.({} as never, {} as never)).toBe("a");
  });

  it("gives one that only votes no room for tasks", () => {
    expect(definitionOf(defineAgent({ name: "a", vote: () => "x" })).description).toMatchObject({
      capacity: 0,
      votes: true,
    });
  });

  it.each<[string, object, RegExp]>([
    ["no name", { run }, /name of an agent is undefined/],
    ["a name with a slash", { name: "a/b", run }, /"a\/b"/],
    ["neither run nor vote", { name: "a" }, /neither run nor runBatch nor vote/],
    ["a run that is none", { name: "a", run: 1 }, /run of agent "a" is 1/],
    ["an unknown key", { name: "a", run, skill: "x" }, /unknown key "skill"/],
    ["a maxBatch alone", { name: "a", run, maxBatch: 2 }, /maxBatch .* no runBatch/],
    ["an isolated agent without a module", { name: "a", isolated: {} }, /the module of isolated of agent "a"/],
    ["too little memory", { name: "a", isolated: { module: "m", memoryMb: 1 } }, /memoryMb .* is 1/],
    ["too short a lease", { name: "a", isolated: { module: "m", leaseMs: 1 } }, /leaseMs .* is 1/],
    ["code here and in a module", { name: "a", run, isolated: { module: "m" } }, /both run and isolated/],
    ["a level of 0", { name: "a", run, skills: { x: 0 } }, /"x" .* is 0/],
    ["a level above 1", { name: "a", run, skills: { x: 1.1 } }, /"x" .* is 1.1/],
    ["a capacity below 0", { name: "a", run, capacity: -1 }, /capacity .* is -1/],
    ["a weight that is none", { name: "a", run, weight: "1" }, /weight .* is "1"/],
    ["an input that is no schema", { name: "a", run, input: {} }, /input .* Standard Schema/],
    ["a breaker with an unknown key", { name: "a", run, breaker: { threshold: 1 } }, /"threshold"/],
    ["a breaker with a wrong value", { name: "a", run, breaker: { ratio: 2 } }, /ratio/],
  ])("refuses %s", (_, spec, message) => {
    expect(refusal(() => defineAgent(spec as never))).toMatch(message);
  });
});

describe("defineManager", () => {
  const plan = (): [] => [];
  it.each<[string, object, RegExp]>([
    ["no team", { name: "m", plan }, /team of manager "m" is undefined/],
    ["a team that names somebody twice", { name: "m", plan, team: ["a", "a"] }, /nobody twice/],
    ["no plan", { name: "m", team: [] }, /plan of manager "m"/],
    ["a run", { name: "m", team: [], plan, run }, /unknown key "run"/],
    ["a wrong minSuccess", { name: "m", team: [], plan, minSuccess: "most" }, /minSuccess .* "most"/],
    ["a wrong failFast", { name: "m", team: [], plan, failFast: 1 }, /failFast/],
  ])("refuses %s", (_, spec, message) => {
    expect(refusal(() => defineManager(spec as never))).toMatch(message);
  });
});

describe("merge", () => {
  const outcome = (output?: unknown): Outcome => ({ output }) as Outcome;
  it("makes lists by key of objects, in order, and concatenates lists", () => {
    const results = [
      { a: 1, b: [1, 2] },
      { a: "x", b: [] },
      { b: [[3]], c: null },
    ].map(outcome);
    expect(merge(results)).toEqual({ a: [1, "x"], b: [1, 2, [3]], c: [null] });
  });

  it("leaves out what has no keys", () => {
    expect(merge([outcome("text"), outcome(null), outcome([1]), outcome(), outcome({ a: 1 })])).toEqual({ a: [1] });
  });

  it("keeps any key as data", () => {
    const merged = merge([outcome(JSON.parse('{"__proto__": 1, "constructor": 2}'))]);
    expect(JSON.stringify(merged)).toBe('{"__proto__":[1],"constructor":[2]}');
  });
});

describe("validate", () => {
  const schema = (answer: () => unknown) => ({ "~standard": { version: 1, vendor: "v", validate: answer } }) as const;
  it.each<[string, () => unknown, object]>([
    ["accepts", () => ({ value: 2 }), { value: 2 }],
    ["accepts later", async () => ({ value: 2 }), { value: 2 }],
    ["refuses", () => ({ issues: [{ message: "no" }] }), { problem: "no" }],
    ["refuses with paths", () => ({ issues: [{ message: "no", path: ["a", { key: 0 }] }] }), { problem: "a.0: no" }],
    [
      "throws",
      () => {
        throw new Error("oops");
      },
      { problem: "the schema threw oops" },
    ],
    ["answers nonsense", () => 7, { problem: "the schema answered 7" }],
    ["answers with no issue at all", () => ({ issues: [] }), { problem: "it does not fit its schema" }],
  ])("tells what a schema that %s says", async (_, answer, expected) => {
    expect(await validate(schema(answer), 1)).toEqual(expected);
  });

  it("tells a few of many issues", async () => {
    const issues = Array.from({ length: 9 }, (_, n) => ({ message: `m${n}` }));
    expect(
      await validate(
        schema(() => ({ issues })),
        1,
      ),
    ).toEqual({ problem: "m0; m1; m2; m3; m4; and 4 more" });
  });
});
