/** What systems say when they refuse: what is wrong, which value, and what is allowed. */
import { expect, test } from "vitest";
import { SafeguardsError } from "../errors.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { ResourceManager } from "./resource-manager.ts";
import { SkillRouter } from "./skill-router.ts";
import { TaskArbitrator } from "./task-arbitrator.ts";
import { WorkloadBalancer } from "./workload-balancer.ts";

const ID = 'a string of 1 to 256 characters without "/"';
const AMOUNT = "a number greater than 0 and at most 2^53 - 1, with at most nine decimals";
const AMOUNT_OR_0 = "a number at least 0 and at most 2^53 - 1, with at most nine decimals";
const DURATION = "a number of milliseconds greater than 0 and finite";

/** What is thrown, with its code where that is not the usual one. */
function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (!(error instanceof SafeguardsError)) throw error;
    return error.code === "INVALID_ARGUMENT" ? error.message : `${error.code}: ${error.message}`;
  }
  return "it was accepted";
}

function resources(): ResourceManager {
  const made = new ResourceManager();
  made.register("gpu", { type: "compute", capacity: 1 });
  made.register("calls", { type: "api_call", capacity: 1, per: 1_000 });
  return made;
}

test.each<readonly [said: string, call: (of: ResourceManager) => unknown]>([
  [
    "agingMs is -1; it must be a number of milliseconds at least 0; Infinity is allowed",
    () => new ResourceManager({ agingMs: -1 }),
  ],
  [
    "protectAfterMs is -1; it must be a number of milliseconds at least 0; Infinity is allowed",
    () => new ResourceManager({ protectAfterMs: -1 }),
  ],
  [
    'options has the unknown key "aging"; allowed: agingMs, protectAfterMs',
    () => Reflect.construct(ResourceManager, [{ aging: 1 }]),
  ],
  ["options is 1; it must be an object", () => Reflect.construct(ResourceManager, [1])],
  [`resourceId is ""; it must be ${ID}`, (of) => of.register("", { type: "compute", capacity: 1 })],
  [
    'spec has the unknown key "kind"; allowed: type, capacity, per',
    (of) => Reflect.apply(of.register, of, ["x", { kind: "compute" }]),
  ],
  [
    'spec.type is "cpu"; it must be one of compute, memory, storage, api_call, data',
    (of) => Reflect.apply(of.register, of, ["x", { type: "cpu", capacity: 1 }]),
  ],
  [`spec.capacity is -1; it must be ${AMOUNT_OR_0}`, (of) => of.register("x", { type: "compute", capacity: -1 })],
  [
    "spec.per is 0; it must be an integer from 1 to 9007199254740991",
    (of) => of.register("x", { type: "compute", capacity: 1, per: 0 }),
  ],
  [
    `resource "gpu" is not a rate; leave \`per\` out`,
    (of) => of.register("gpu", { type: "compute", capacity: 1, per: 5 }),
  ],
  [`resource "calls" is a rate; say \`per\` again`, (of) => of.register("calls", { type: "api_call", capacity: 1 })],
  [
    'request has the unknown key "amount"; allowed: holder, amounts, priority, leaseMs',
    (of) => Reflect.apply(of.request, of, [{ holder: "ann", amount: 1 }, 0]),
  ],
  [`request.holder is ""; it must be ${ID}`, (of) => of.request({ holder: "", amounts: { gpu: 1 } }, 0)],
  [
    "request.amounts is {}; it must be amounts of at least one resource",
    (of) => of.request({ holder: "ann", amounts: {} }, 0),
  ],
  [`request.amounts[gpu] is 0; it must be ${AMOUNT}`, (of) => of.request({ holder: "ann", amounts: { gpu: 0 } }, 0)],
  [`a key of request.amounts is ""; it must be ${ID}`, (of) => of.request({ holder: "ann", amounts: { "": 1 } }, 0)],
  [
    "request.amounts is [1]; it must be an object or a Map",
    (of) => Reflect.apply(of.request, of, [{ holder: "ann", amounts: [1] }, 0]),
  ],
  [
    "request.priority is 0.5; it must be an integer from -1000000 to 1000000",
    (of) => of.request({ holder: "ann", amounts: { gpu: 1 }, priority: 0.5 }, 0),
  ],
  [
    `request.leaseMs is 0; it must be ${DURATION}`,
    (of) => of.request({ holder: "ann", amounts: { gpu: 1 }, leaseMs: 0 }, 0),
  ],
  [
    "now is NaN; it must be a finite number of milliseconds",
    (of) => of.request({ holder: "ann", amounts: { gpu: 1 } }, Number.NaN),
  ],
  [
    'CAPACITY_EXCEEDED: 2 of "gpu" is asked for; its capacity is 1',
    (of) => of.request({ holder: "ann", amounts: { gpu: 2 } }, 0),
  ],
  ['UNKNOWN_RESOURCE: no resource "tpu" is registered', (of) => of.request({ holder: "ann", amounts: { tpu: 1 } }, 0)],
  ["allocation is null; it must be an allocation", (of) => Reflect.apply(of.release, of, [null, 0])],
  ['allocation is "a1"; it must be an allocation', (of) => Reflect.apply(of.release, of, ["a1", 0])],
  [`allocation.id is ""; it must be ${ID}`, (of) => of.release({ id: "", token: 1 }, 0)],
  [
    "allocation.token is 0.5; it must be an integer from -9007199254740991 to 9007199254740991",
    (of) => of.release({ id: "a1", token: 0.5 }, 0),
  ],
  ['UNKNOWN_ALLOCATION: no allocation "a1" was ever given out', (of) => of.release({ id: "a1", token: 1 }, 0)],
  ["amounts is {}; it must be amounts of at least one resource", (of) => of.release({ id: "a1", token: 1 }, 0, {})],
  [`leaseMs is -1; it must be ${DURATION}`, (of) => of.renew({ id: "a1", token: 1 }, -1, 0)],
  [`reservationId is ""; it must be ${ID}`, (of) => of.cancel("", 0)],
  ['UNKNOWN_ALLOCATION: no reservation "r1" was ever given out', (of) => of.cancel("r1", 0)],
  [`resourceId is ""; it must be ${ID}`, (of) => of.usage("")],
  ['UNKNOWN_RESOURCE: no resource "tpu" is registered', (of) => of.usage("tpu")],
  [`holder is ""; it must be ${ID}`, (of) => of.allocationsOf("")],
])("ResourceManager: %s", (said, call) => {
  expect(messageOf(() => call(resources()))).toBe(said);
});

/** Task b depends on a. */
function tasks(): TaskArbitrator {
  const made = new TaskArbitrator();
  made.register({ id: "a" }, 0);
  made.register({ id: "b", dependsOn: ["a"] }, 0);
  return made;
}

test.each<readonly [said: string, call: (of: TaskArbitrator) => unknown]>([
  [
    "maxConcurrent is 0; it must be an integer from 1 to 9007199254740991",
    () => new TaskArbitrator({ maxConcurrent: 0 }),
  ],
  [
    "agingMs is -1; it must be a number of milliseconds at least 0; Infinity is allowed",
    () => new TaskArbitrator({ agingMs: -1 }),
  ],
  ["preempt is 1; it must be true or false", () => Reflect.construct(TaskArbitrator, [{ preempt: 1 }])],
  [
    'options has the unknown key "concurrency"; allowed: maxConcurrent, agingMs, preempt',
    () => Reflect.construct(TaskArbitrator, [{ concurrency: 1 }]),
  ],
  [
    'task has the unknown key "prio"; allowed: id, agentId, priority, dependsOn, estimatedMs, preemptible',
    (of) => Reflect.apply(of.register, of, [{ id: "x", prio: 1 }, 0]),
  ],
  [`task.id is ""; it must be ${ID}`, (of) => of.register({ id: "" }, 0)],
  [`task.agentId is ""; it must be ${ID}`, (of) => of.register({ id: "x", agentId: "" }, 0)],
  [
    "task.estimatedMs is -1; it must be a number of milliseconds at least 0 and finite",
    (of) => of.register({ id: "x", estimatedMs: -1 }, 0),
  ],
  [
    "task.priority is 1.5; it must be an integer from -1000000 to 1000000",
    (of) => of.register({ id: "x", priority: 1.5 }, 0),
  ],
  [
    "task.preemptible is 1; it must be true or false",
    (of) => Reflect.apply(of.register, of, [{ id: "x", preemptible: 1 }, 0]),
  ],
  [
    'task.dependsOn is "a"; it must be a list of ids',
    (of) => Reflect.apply(of.register, of, [{ id: "x", dependsOn: "a" }, 0]),
  ],
  [`task.dependsOn[1] is ""; it must be ${ID}`, (of) => of.register({ id: "x", dependsOn: ["a", ""] }, 0)],
  ["now is NaN; it must be a finite number of milliseconds", (of) => of.register({ id: "x" }, Number.NaN)],
  ['DUPLICATE_ID: a task "a" is already registered', (of) => of.register({ id: "a" }, 0)],
  [`dependsOn is ""; it must be ${ID}`, (of) => of.addDependency("a", "")],
  ['UNKNOWN_TASK: no task "x" is registered', (of) => of.addDependency("a", "x")],
  ['DEPENDENCY_CYCLE: tasks would wait for each other for ever: "b" → "a" → "b"', (of) => of.addDependency("a", "b")],
  ['INVALID_STATE: task "a" is pending; only a running task completes', (of) => of.complete("a", 0)],
  [
    'options has the unknown key "ok"; allowed: success',
    (of) => Reflect.apply(of.complete, of, ["a", 0, { ok: true }]),
  ],
  ["options.success is 1; it must be true or false", (of) => Reflect.apply(of.complete, of, ["a", 0, { success: 1 }])],
  ['UNKNOWN_TASK: no task "x" is registered', (of) => of.pause("x", 0)],
  [`a task's id is ""; it must be ${ID}`, (of) => of.status("")],
])("TaskArbitrator: %s", (said, call) => {
  expect(messageOf(() => call(tasks()))).toBe(said);
});

/** Agent ann has task t. */
function loads(): WorkloadBalancer {
  const made = new WorkloadBalancer();
  made.register("ann", 3);
  made.assign("t", 1);
  return made;
}

test.each<readonly [said: string, call: (of: WorkloadBalancer) => unknown]>([
  [`agent id is ""; it must be ${ID}`, (of) => of.register("", 1)],
  [`capacity is -1; it must be ${AMOUNT_OR_0}`, (of) => of.register("x", -1)],
  [`agent id is ""; it must be ${ID}`, (of) => of.unregister("")],
  [`task id is ""; it must be ${ID}`, (of) => of.assign("")],
  [`load is 0; it must be ${AMOUNT}`, (of) => of.assign("x", 0)],
  ['DUPLICATE_ID: task "t" is assigned already', (of) => of.assign("t")],
  [
    'load is 9007199254740991; it must be small enough for the load of "ann" to stay below 2^53',
    (of) => of.assign("x", 2 ** 53 - 1, { overcommit: true }),
  ],
  [
    'options has the unknown key "amongst"; allowed: among, overcommit, kind',
    (of) => Reflect.apply(of.assign, of, ["x", 1, { amongst: [] }]),
  ],
  ["overcommit is 1; it must be true or false", (of) => Reflect.apply(of.assign, of, ["x", 1, { overcommit: 1 }])],
  [`kind is ""; it must be ${ID}`, (of) => of.assign("x", 1, { kind: "" })],
  ['among is "ann"; it must be a list or set of agent ids', (of) => of.assign("x", 1, { among: "ann" })],
  [`an agent id of among is ""; it must be ${ID}`, (of) => of.assign("x", 1, { among: [""] })],
  [`task id is ""; it must be ${ID}`, (of) => of.complete("")],
  [`actual load is 0; it must be ${AMOUNT}`, (of) => of.complete("t", 0)],
  [`task id is ""; it must be ${ID}`, (of) => of.agentOf("")],
  ['UNKNOWN_AGENT: agent "x" is not registered', (of) => of.loadOf("x")],
  [`agent id is ""; it must be ${ID}`, (of) => of.loadOf("")],
  [`kind is ""; it must be ${ID}`, (of) => of.estimate("")],
  ['options has the unknown key "moves"; allowed: maxMoves', (of) => Reflect.apply(of.rebalance, of, [{ moves: 1 }])],
  ["maxMoves is 0.5; it must be an integer from 0 to 9007199254740991", (of) => of.rebalance({ maxMoves: 0.5 })],
])("WorkloadBalancer: %s", (said, call) => {
  expect(messageOf(() => call(loads()))).toBe(said);
});

test.each<readonly [said: string, call: (of: SkillRouter) => unknown]>([
  [`agent id is ""; it must be ${ID}`, (of) => of.register("", [])],
  [`skill is ""; it must be ${ID}`, (of) => of.register("x", [""])],
  ['level of "js" is 2; it must be a number above 0 and at most 1', (of) => of.register("x", { js: 2 })],
  ['skills is "js"; it must be an object or a Map', (of) => Reflect.apply(of.register, of, ["x", "js"])],
  [`agent id is ""; it must be ${ID}`, (of) => of.unregister("")],
  [`skill is ""; it must be ${ID}`, (of) => of.agentsWith("")],
  ["least level is 2; it must be a number from 0 to 1", (of) => of.agentsWith("x", 2)],
  ['required skills is "x"; it must be a list of skills', (of) => Reflect.apply(of.qualified, of, ["x"])],
  [`required skill is ""; it must be ${ID}`, (of) => of.qualified([""])],
  [`required skill is ""; it must be ${ID}`, (of) => of.qualified([{ skill: "", level: 1 }])],
  ['level of "x" is 0; it must be a number above 0 and at most 1', (of) => of.qualified([{ skill: "x", level: 0 }])],
  [
    'required skill has the unknown key "min"; allowed: skill, level',
    (of) => Reflect.apply(of.qualified, of, [[{ skill: "x", min: 1 }]]),
  ],
  [
    'task has the unknown key "lod"; allowed: id, skills, load',
    (of) => Reflect.apply(of.route, of, [{ id: "t", skills: [], lod: 2 }]),
  ],
  [`task id is ""; it must be ${ID}`, (of) => of.route({ id: "", skills: [] })],
  [`load is 0; it must be ${AMOUNT}`, (of) => of.route({ id: "t", skills: [], load: 0 })],
  ["balancer is {}; it must be a WorkloadBalancer", (of) => Reflect.apply(of.route, of, [{ id: "t", skills: [] }, {}])],
])("SkillRouter: %s", (said, call) => {
  expect(messageOf(() => call(new SkillRouter()))).toBe(said);
});

test.each<readonly [said: string, call: (of: CircuitBreaker) => unknown]>([
  [
    `the breaker's options has the unknown key "threshold"; allowed: failureThreshold, ratio, minCalls, windowMs, resetMs, halfOpenMax`,
    () => Reflect.construct(CircuitBreaker, [{ threshold: 3 }]),
  ],
  ["failureThreshold is 0; it must be an integer from 1 to 1000000", () => new CircuitBreaker({ failureThreshold: 0 })],
  ["ratio is 1.1; it must be above 0 and at most 1", () => new CircuitBreaker({ ratio: 1.1 })],
  [
    "failureThreshold and ratio exclude each other; both are given",
    () => new CircuitBreaker({ ratio: 0.5, failureThreshold: 3 }),
  ],
  ["minCalls and windowMs say how ratio is taken; ratio is missing", () => new CircuitBreaker({ minCalls: 3 })],
  ["minCalls is 0; it must be an integer from 1 to 1000000", () => new CircuitBreaker({ ratio: 0.5, minCalls: 0 })],
  [`windowMs is 0; it must be ${DURATION}`, () => new CircuitBreaker({ ratio: 0.5, windowMs: 0 })],
  [`resetMs is 0; it must be ${DURATION}`, () => new CircuitBreaker({ resetMs: 0 })],
  ["halfOpenMax is 0; it must be an integer from 1 to 1000", () => new CircuitBreaker({ halfOpenMax: 0 })],
  ["now is NaN; it must be a finite number of milliseconds", (of) => of.admits(Number.NaN)],
])("CircuitBreaker: %s", (said, call) => {
  expect(messageOf(() => call(new CircuitBreaker()))).toBe(said);
});
