/** What the library itself refuses before the kernel is asked, by the file that does: INVALID_ARGUMENT, unless told otherwise. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { Coordinator, command, defineAgent, defineManager, type ErrorCode } from "../../src/index.ts";
import { opened, silent } from "../coordinator.fixture.ts";

export interface Refused {
  readonly call: (coordinator: Coordinator) => unknown;
  readonly says: string;
  readonly code?: ErrorCode;
}

type Row = readonly [says: string, call: (coordinator: Coordinator) => unknown, code?: ErrorCode];

/** What is of no kind that a type allows. */
function wrong(value: unknown): never {
  return value as never;
}

function rows(...all: readonly Row[]): readonly Refused[] {
  return all.map(([says, call, code]) => ({ says, call, ...(code === undefined ? {} : { code }) }));
}

const opening = (options: object) => () => Coordinator.open(wrong({ logger: silent, ...options }));
const submitting = (task: unknown) => (coordinator: Coordinator) => coordinator.submit(wrong(task));
const text = "it must be a string of 1 to 4096 characters";
const id = 'it must be a string of 1 to 256 characters without "/"';
const fromZero = "it must be a number at least 0 and at most 2^53 - 1, with at most nine decimals";

const coordinatorOptions = rows(
  [
    `a coordinator's options has the unknown key "concurency"; allowed: journal, join, concurrency, agingMs, protectAfterMs, unroutableMs, strict, keepFinished, resources, guardrails, logger`,
    opening({ concurency: 4 }),
  ],
  ["join is 1; it must be a boolean", opening({ join: 1 })],
  ["journal is 7; it must be a URL or a journal", opening({ journal: 7 })],
  [
    'the option "concurrency" is for the process that writes the journal; with join it has no effect',
    opening({ join: true, concurrency: 2 }),
  ],
  ["keepFinished is 7; it must be an object with count or ms", opening({ keepFinished: 7 })],
  ['keepFinished has the unknown key "days"; allowed: count, ms', opening({ keepFinished: { days: 1 } })],
  ["resources is [1]; it must be an object or a Map", opening({ resources: [1] })],
  [
    'resource "r" has the unknown key "size"; allowed: type, capacity, per, breaker',
    opening({ resources: { r: { type: "data", capacity: 1, size: 2 } } }),
  ],
  ["guardrails is 7; it must be a list of guardrails", opening({ guardrails: 7 })],
  ["logger is 7; it must be an object", opening({ logger: 7 })],
  ["debug of the logger is undefined; it must be a function", opening({ logger: { warn: () => undefined } })],
);

const coordinator = rows(
  [
    'the options of submit has the unknown key "id"; allowed: key, trace',
    (coordinator) => coordinator.submit({}, wrong({ id: "c" })),
  ],
  [`the id of a task is 7; ${text}`, (coordinator) => coordinator.task(wrong(7))],
  [`the id of a task is ""; ${text}`, (coordinator) => coordinator.explain("")],
  [`resource is "a/b"; ${id}`, (coordinator) => coordinator.setResource("a/b", { type: "data", capacity: 1 })],
  [
    'the filter of tasks has the unknown key "state"; allowed: status, agent, parentId, limit, after',
    (coordinator) => coordinator.tasks(wrong({ state: "failed" })),
  ],
  ["limit is 0; it must be an integer from 1 to 9007199254740991", (coordinator) => coordinator.tasks({ limit: 0 })],
  ["agent is 7; it must be a string", (coordinator) => coordinator.tasks({ agent: wrong(7) })],
  [
    'status is "lost"; it must be blocked, pending, running, waiting, paused, completed, failed, skipped, cancelled',
    (coordinator) => coordinator.tasks({ status: wrong("lost") }),
  ],
  [`path is ""; ${text}`, (coordinator) => coordinator.backup("")],
  ["beforeSeq is 0; it must be an integer from 1 to 9007199254740991", (coordinator) => coordinator.compact(0)],
  [
    'the options of drain has the unknown key "timeoutMs"; allowed: graceMs',
    (coordinator) => coordinator.drain(wrong({ timeoutMs: 1 })),
  ],
  [
    "graceMs is -1; it must be a number of milliseconds at least 0 and finite",
    (coordinator) => coordinator.drain({ graceMs: -1 }),
  ],
  [
    'a ballot has the unknown key "title"; allowed: question, options, voters, method, weights, quorum, threshold, tieBreak, deadlineMs, context',
    (coordinator) => coordinator.decide(wrong({ question: "?", options: ["yes"], title: "x" })),
  ],
  [`the id of a ballot is 7; ${text}`, (coordinator) => coordinator.recount(wrong(7))],
  [`the id of a ballot is 7; ${text}`, (coordinator) => coordinator.reveal(wrong(7), "yes")],
  ["truth is 7; it must be an option of the ballot", (coordinator) => coordinator.reveal("b1", wrong(7))],
  [
    "agents are registered in the process that writes the journal; this coordinator has joined it",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "safeguards-refused-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      const journal = `sqlite:${join(folder, "crew.db")}`;
      await opened({ journal });
      const joined = await opened({ journal, join: true });
      return joined.register(defineAgent({ name: "ann", run: () => 1 }));
    },
    "INVALID_STATE",
  ],
  [
    "the coordinator is closed",
    async (coordinator) => {
      await coordinator.close();
      return coordinator.submit({});
    },
    "CLOSED",
  ],
);

const eventFeed = rows(
  [
    'the options of events has the unknown key "since"; allowed: from, follow, signal',
    (coordinator) => coordinator.events(wrong({ since: 1 })).next(),
  ],
  [
    "from is 0; it must be an integer from 1 to 9007199254740991",
    (coordinator) => coordinator.events({ from: 0 }).next(),
  ],
  ["follow is 1; it must be true or false", (coordinator) => coordinator.events({ follow: wrong(1) }).next()],
  ['signal is "now"; it must be an AbortSignal', (coordinator) => coordinator.events({ signal: wrong("now") }).next()],
);

const taskHandle = rows(
  [
    'the options of waiting has the unknown key "timeoutMs"; allowed: signal',
    async (coordinator) => (await coordinator.submit({})).result(wrong({ timeoutMs: 5 })),
  ],
  [
    'signal is "now"; it must be an AbortSignal',
    async (coordinator) => (await coordinator.submit({})).outcome({ signal: wrong("now") }),
  ],
);

const taskRequest = rows(
  [
    'tasks[1] has the unknown key "prio"; allowed: id, name, input, context, skills, agent, priority, load, dependsOn, onDependencyFailure, resources, timeoutMs, deadlineMs, estimatedMs, graceMs, retry, preemptible, fallback, cacheKey, cacheMs',
    submitting([{}, { prio: 1 }]),
  ],
  ["the length of tasks is 100001; it must be at most 100000", submitting(Array.from({ length: 100_001 }, () => ({})))],
  [
    "a task could not be read: it threw",
    submitting({
      get input() {
        throw new Error("boo");
      },
    }),
  ],
  ['skills of tasks[0] is "x"; it must be a list', submitting([{ skills: "x" }])],
  [
    'retry of a task has the unknown key "times"; allowed: maxAttempts, initialMs, maxMs, factor, jitter',
    submitting({ retry: { times: 3 } }),
  ],
  [
    'fallback of a task has the unknown key "or"; allowed: agent, skills, value',
    submitting({ fallback: { or: "else" } }),
  ],
  ['skills of fallback of a task is "x"; it must be a list', submitting({ fallback: { skills: "x" } })],
  ['dependsOn of a task is "x"; it must be a list of ids or handles of tasks', submitting({ dependsOn: "x" })],
  ["a dependency of a task is 7; it must be the id or the handle of a task", submitting({ dependsOn: ["a", 7] })],
);

const agentDefinition = rows(
  [
    'agent is {"name": "ann"}; it must be what defineAgent or defineManager returned',
    (coordinator) => coordinator.register(wrong({ name: "ann" })),
  ],
  [`the name of an agent is "a/b"; ${id}`, () => defineAgent({ name: "a/b", run: () => 1 })],
  [`a skill of "ann" is ""; ${id}`, () => defineAgent({ name: "ann", skills: [""], run: () => 1 })],
  [
    `skills of "ann" is 7; it must be an object or a Map`,
    () => defineAgent({ name: "ann", skills: wrong(7), run: () => 1 }),
  ],
  [
    'the level of skill "x" of "ann" is 2; it must be above 0 and at most 1',
    () => defineAgent({ name: "ann", skills: { x: 2 }, run: () => 1 }),
  ],
  [
    'the output of agent "ann" is {}; it must be a Standard Schema of version 1',
    () => defineAgent({ name: "ann", output: wrong({}), run: () => 1 }),
  ],
);

const functionAgent = rows(
  [
    'an agent has the unknown key "tools"; allowed: name, description, skills, capacity, weight, input, output, run, vote, breaker',
    () => defineAgent(wrong({ name: "ann", tools: [] })),
  ],
  [
    'the option "isolated" of an agent is not in this version of safeguards',
    () => defineAgent(wrong({ isolated: true })),
  ],
  [
    'the description of agent "ann" is 7; it must be a string',
    () => defineAgent({ name: "ann", description: wrong(7), run: () => 1 }),
  ],
  [`the capacity of agent "ann" is -1; ${fromZero}`, () => defineAgent({ name: "ann", capacity: -1, run: () => 1 })],
  [
    `the weight of agent "ann" is "1"; ${fromZero}`,
    () => defineAgent({ name: "ann", weight: wrong("1"), run: () => 1 }),
  ],
  [
    'the input of agent "ann" is 7; it must be a Standard Schema of version 1',
    () => defineAgent({ name: "ann", input: wrong(7), run: () => 1 }),
  ],
  [
    'the output of agent "ann" is null; it must be a Standard Schema of version 1',
    () => defineAgent({ name: "ann", output: wrong(null), run: () => 1 }),
  ],
  ['run of agent "ann" is 7; it must be a function', () => defineAgent({ name: "ann", run: wrong(7) })],
  ['vote of agent "ann" is 7; it must be a function', () => defineAgent({ name: "ann", vote: wrong(7) })],
  ['agent "ann" has neither run nor vote; it needs at least one', () => defineAgent({ name: "ann" })],
);

const manager = { name: "boss", team: ["ann"], plan: () => [] } as const;

const managerAgent = rows(
  [
    'a manager has the unknown key "run"; allowed: name, description, skills, team, capacity, plan, aggregate, minSuccess, failFast',
    () => defineManager(wrong({ ...manager, run: () => 1 })),
  ],
  [
    'the description of manager "boss" is 7; it must be a string',
    () => defineManager({ ...manager, description: wrong(7) }),
  ],
  [`the capacity of manager "boss" is -1; ${fromZero}`, () => defineManager({ ...manager, capacity: -1 })],
  ['failFast of manager "boss" is 1; it must be a boolean', () => defineManager({ ...manager, failFast: wrong(1) })],
  [
    'plan of manager "boss" is undefined; it must be a function',
    () => defineManager(wrong({ ...manager, plan: undefined })),
  ],
  ['aggregate of manager "boss" is 7; it must be a function', () => defineManager({ ...manager, aggregate: wrong(7) })],
  [
    'minSuccess of manager "boss" is -1; it must be "all", "any" or an integer of at least 0',
    () => defineManager({ ...manager, minSuccess: -1 }),
  ],
  [
    'the team of manager "boss" is "ann"; it must be a list of names of agents',
    () => defineManager({ ...manager, team: wrong("ann") }),
  ],
  [
    'the team of manager "boss" is ["ann", "ann"]; it must be a list that names nobody twice',
    () => defineManager({ ...manager, team: ["ann", "ann"] }),
  ],
);

const argv = "it must be a list of a program and its arguments, strings without zero bytes";

const commandAgent = rows(
  [
    `a command's options has the unknown key "shell"; allowed: cwd, env, output, maxOutputBytes`,
    () => command(["node"], wrong({ shell: true })),
  ],
  ["cwd of a command is 7; it must be a string", () => command(["node"], { cwd: wrong(7) })],
  ['output of a command is "xml"; it must be "json" or "text"', () => command(["node"], { output: wrong("xml") })],
  [
    "maxOutputBytes of a command is 0; it must be an integer from 1 to 16000000",
    () => command(["node"], { maxOutputBytes: 0 }),
  ],
  [`a command is "node"; ${argv}`, () => command(wrong("node"))],
  [`a command is []; ${argv}`, () => command(wrong([]))],
  [`a command is ["node", 7]; ${argv}`, () => command(["node", wrong(7)])],
  ["env of a command is 7; it must be an object of strings", () => command(["node"], { env: wrong(7) })],
  ['env of a command is {"A": 1}; it must be an object of strings', () => command(["node"], { env: { A: wrong(1) } })],
);

const allow = { name: "g", on: "input", check: () => ({ allow: true }) };
const guarding = (...guardrails: readonly object[]) => opening({ guardrails });

const guardrail = rows(
  ['guardrails[0] has the unknown key "checks"; allowed: name, on, check', guarding({ ...allow, checks: 1 })],
  [`the name of guardrails[1] is "a/b"; ${id}`, guarding(allow, { ...allow, name: "a/b" })],
  ['on of guardrails[0] is "message"; it must be input, output, action', guarding({ ...allow, on: "message" })],
  ["check of guardrails[0] is 7; it must be a function", guarding({ ...allow, check: 7 })],
  ['two guardrails on the input have the name "g"; each must have another', guarding(allow, allow)],
  [
    "the number of guardrails on the output is 65; it must be at most 64",
    guarding(...Array.from({ length: 65 }, (_, i) => ({ ...allow, on: "output", name: `g${i}` }))),
  ],
);

export const edgeRefusals: Readonly<Record<string, readonly Refused[]>> = {
  "src/agents/command.ts": commandAgent,
  "src/agents/definition.ts": agentDefinition,
  "src/agents/function.ts": functionAgent,
  "src/agents/manager.ts": managerAgent,
  "src/guardrails/guardrail.ts": guardrail,
  "src/runtime/coordinator-options.ts": coordinatorOptions,
  "src/runtime/coordinator.ts": coordinator,
  "src/runtime/event-feed.ts": eventFeed,
  "src/runtime/task-handle.ts": taskHandle,
  "src/runtime/task-request.ts": taskRequest,
};
