import { invalid, noId, type Refused } from "./refused.fixture.ts";

function submitting(task: unknown): unknown {
  return { type: "task.submit", tasks: [task] };
}

const positive = "it must be a number greater than 0 and at most 2^53 - 1, with at most nine decimals";
const finite = "it must be a number of milliseconds greater than 0 and finite";
const fromZero = "it must be a number of milliseconds at least 0 and finite";

function many(length: number): string[] {
  return Array.from({ length }, (_, i) => `n${i}`);
}

export const shapes: readonly Refused[] = [
  invalid(
    'task has the unknown key "prio"; allowed: id, name, input, context, skills, agent, priority, load, dependsOn, onDependencyFailure, resources, timeoutMs, deadlineMs, estimatedMs, graceMs, retry, preemptible, budget, cost, fallback, cacheKey, cacheMs, approval, batchKey, batchWaitMs',
    submitting({ prio: 1 }),
  ),
  invalid("task is null; it must be an object", submitting(null)),
  invalid(noId("task id", '"a/b"'), submitting({ id: "a/b" })),
  invalid(noId("task id", `"${"a".repeat(78)}…`), submitting({ id: "a".repeat(257) })),
  invalid("name is 7; it must be a string of at most 256 characters", submitting({ name: 7 })),
  invalid(
    `name is "${"n".repeat(78)}…; it must be a string of at most 256 characters`,
    submitting({ name: "n".repeat(257) }),
  ),
  invalid(noId("agent", '""'), submitting({ agent: "" })),
  invalid("priority is 1000001; it must be an integer from -1000000 to 1000000", submitting({ priority: 1_000_001 })),
  invalid(noId("budget", '"a/b"'), submitting({ budget: "a/b" })),
  invalid(
    'cost is "-1"; it must be a decimal of at least 0 (a string, or a number) with at most 15 digits before the point and 15 behind it',
    submitting({ cost: "-1" }),
  ),
  invalid(`load is 0; ${positive}`, submitting({ load: 0 })),
  invalid('dependsOn is "a"; it must be a list of at most 10000 task ids', submitting({ dependsOn: "a" })),
  invalid(
    `dependsOn is ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", …]; it must be a list of at most 10000 task ids`,
    submitting({ dependsOn: many(10_001) }),
  ),
  invalid("dependsOn is 7; it must be a task's id, up to 4096 characters", submitting({ dependsOn: ["a", 7] })),
  invalid('onDependencyFailure is "go on"; it must be "skip" or "run"', submitting({ onDependencyFailure: "go on" })),
  invalid("resources is [1]; it must be an object or a Map", submitting({ resources: [1] })),
  invalid(`amount of disk is -1; ${positive}`, submitting({ resources: { disk: -1 } })),
  invalid(noId("a key of resources", '"a/b"'), submitting({ resources: { "a/b": 1 } })),
  invalid(
    "the number of resources is 65; it must be at most 64",
    submitting({ resources: Object.fromEntries(many(65).map((id) => [id, 1])) }),
  ),
  invalid(`timeoutMs is 0; ${finite}`, submitting({ timeoutMs: 0 })),
  invalid(`deadlineMs is Infinity; ${finite}`, submitting({ deadlineMs: Number.POSITIVE_INFINITY })),
  invalid(`estimatedMs is -1; ${fromZero}`, submitting({ estimatedMs: -1 })),
  invalid(`graceMs is "1"; ${fromZero}`, submitting({ graceMs: "1" })),
  invalid('preemptible is "no"; it must be true or false', submitting({ preemptible: "no" })),
  invalid("fallback is {}; it must be an agent, skills or a value, or several of them", submitting({ fallback: {} })),
  invalid("fallback is 7; it must be an object", submitting({ fallback: 7 })),
  invalid('fallback has the unknown key "or"; allowed: agent, skills, value', submitting({ fallback: { or: "else" } })),
  invalid(noId("agent of fallback", '""'), submitting({ fallback: { agent: "" } })),
  invalid(
    'the level of "x" is 2; it must be a number above 0, up to 1',
    submitting({ fallback: { skills: [{ skill: "x", level: 2 }] } }),
  ),
  invalid('skills is "x"; it must be a list of at most 64 skills', submitting({ skills: "x" })),
  invalid(
    'skills is ["n0", "n1", "n2", "n3", "n4", "n5", "n6", "n7", …]; it must be a list of at most 64 skills',
    submitting({ skills: many(65) }),
  ),
  invalid(noId("skill", '"a/b"'), submitting({ skills: ["a/b"] })),
  invalid(
    'skill requirement has the unknown key "least"; allowed: skill, level',
    submitting({ skills: [{ least: 1 }] }),
  ),
  invalid("skill requirement is 7; it must be an object", submitting({ skills: [7] })),
  invalid(noId("skill", "undefined"), submitting({ skills: [{ level: 1 }] })),
  invalid(
    'the level of "x" is undefined; it must be a number above 0, up to 1',
    submitting({ skills: [{ skill: "x" }] }),
  ),
  invalid(
    'the level of "x" is 0; it must be a number above 0, up to 1',
    submitting({ skills: [{ skill: "x", level: 0 }] }),
  ),
  invalid(
    'retry has the unknown key "times"; allowed: maxAttempts, initialMs, maxMs, factor, jitter',
    submitting({ retry: { times: 3 } }),
  ),
  invalid("retry is 3; it must be an object", submitting({ retry: 3 })),
  invalid("maxAttempts is 1001; it must be an integer from 1 to 1000", submitting({ retry: { maxAttempts: 1_001 } })),
  invalid(`initialMs is -1; ${fromZero}`, submitting({ retry: { initialMs: -1 } })),
  invalid(`maxMs is NaN; ${fromZero}`, submitting({ retry: { maxMs: Number.NaN } })),
  invalid("factor is 0.5; it must be a number from 1 to 1000", submitting({ retry: { factor: 0.5 } })),
  invalid('factor is "2"; it must be a number from 1 to 1000', submitting({ retry: { factor: "2" } })),
  invalid("batchKey is 7; it must be a string of 1 to 1024 characters", submitting({ batchKey: 7 })),
  invalid("batchWaitMs is 1; it must be left out where there is no batchKey", submitting({ batchWaitMs: 1 })),
  invalid(`batchWaitMs is -1; ${fromZero}`, submitting({ batchKey: "k", batchWaitMs: -1 })),
  invalid('cacheKey is ""; it must be a string of 1 to 1024 characters', submitting({ cacheKey: "" })),
  invalid("cacheMs is 1; it must be left out where there is no cacheKey", submitting({ cacheMs: 1 })),
  invalid(`cacheMs is -1; ${fromZero}`, submitting({ cacheKey: "k", cacheMs: -1 })),
  invalid(
    "cacheMs is 31622400001; it must be at most 31622400000",
    submitting({ cacheKey: "k", cacheMs: 31_622_400_001 }),
  ),
  invalid("jitter is 0; it must be true or false", submitting({ retry: { jitter: 0 } })),
  invalid("approval is true; it must be an object", submitting({ approval: true })),
  invalid('approval has the unknown key "who"; allowed: before, by, expiresMs', submitting({ approval: { who: 1 } })),
  invalid('before of approval is "end"; it must be "run" or "output"', submitting({ approval: { before: "end" } })),
  invalid(`expiresMs is 0; ${finite}`, submitting({ approval: { expiresMs: 0 } })),
  invalid(
    'by of approval is "ann"; it must be "person" or an object with ballot',
    submitting({ approval: { by: "ann" } }),
  ),
  invalid(
    'by of approval has the unknown key "method"; allowed: ballot, voters',
    submitting({ approval: { by: { method: "majority" } } }),
  ),
  invalid(
    'voters of approval is "ann"; it must be a list of 1 to 10000 agents\' names',
    submitting({ approval: { by: { ballot: "majority", voters: "ann" } } }),
  ),
  invalid(
    "voters of approval is []; it must be a list of 1 to 10000 agents' names",
    submitting({ approval: { by: { ballot: "majority", voters: [] } } }),
  ),
  invalid(
    'voters of approval has "ann" twice',
    submitting({ approval: { by: { ballot: "majority", voters: ["ann", "ann"] } } }),
  ),
  invalid(
    noId("voter of approval", '"a/b"'),
    submitting({ approval: { by: { ballot: "majority", voters: ["a/b"] } } }),
  ),
];
