/** What the library itself refuses before the kernel is asked, by the file that does: INVALID_ARGUMENT, unless told otherwise. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import {
  actionRate,
  allOf,
  allowedActions,
  allowedHosts,
  Coordinator,
  command,
  defineAgent,
  defineManager,
  type ErrorCode,
  matchesSchema,
  noSecrets,
  withinSize,
} from "../../src/index.ts";
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
    `a coordinator's options has the unknown key "concurency"; allowed: journal, join, concurrency, agingMs, protectAfterMs, unroutableMs, strict, keepFinished, resources, budgets, guardrails, logger`,
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
  ["resources is null; it must be an object or a Map", opening({ resources: null })],
  ["budgets is 7; it must be an object or a Map", opening({ budgets: 7 })],
  ["budgets is null; it must be an object or a Map", opening({ budgets: null })],
  ['budget "b" has the unknown key "max"; allowed: limit, parent', opening({ budgets: { b: { limit: 1, max: 1 } } })],
  [
    'budgets is ["a"]; it must be budgets that are not part of themselves, by whatever way',
    opening({ budgets: { a: { limit: 1, parent: "a" } } }),
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
  [`budget is "a/b"; ${id}`, (coordinator) => coordinator.setBudget("a/b", { limit: 1 })],
  [
    'the options of approve has the unknown key "who"; allowed: by, hash',
    (coordinator) => coordinator.approve("a", wrong({ who: "rita" })),
  ],
  [`the id of a task is ""; ${text}`, (coordinator) => coordinator.approve("")],
  ["by is 7; it must be a string", (coordinator) => coordinator.reject("a", "no", { by: wrong(7) })],
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
    'tasks[1] has the unknown key "prio"; allowed: id, name, input, context, skills, agent, priority, load, dependsOn, onDependencyFailure, resources, timeoutMs, deadlineMs, estimatedMs, graceMs, retry, preemptible, fallback, cacheKey, cacheMs, budget, cost, approval, batchKey, batchWaitMs',
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
    'an agent has the unknown key "tools"; allowed: name, description, skills, capacity, weight, input, output, run, vote, breaker, isolated, runBatch, maxBatch',
    () => defineAgent(wrong({ name: "ann", tools: [] })),
  ],
  [
    'the module of isolated of agent "ann" is 7; it must be a file URL or a path',
    () => defineAgent({ name: "ann", isolated: { module: wrong(7) } }),
  ],
  [
    'the module of isolated of agent "ann" is "https://agents.example/a.js"; it must be a file URL or a path',
    () => defineAgent({ name: "ann", isolated: { module: "https://agents.example/a.js" } }),
  ],
  [
    'memoryMb of isolated of agent "ann" is 8; it must be an integer from 16 to 65536',
    () => defineAgent({ name: "ann", isolated: { module: "m.js", memoryMb: 8 } }),
  ],
  [
    'leaseMs of isolated of agent "ann" is 99; it must be an integer from 100 to 2147483647',
    () => defineAgent({ name: "ann", isolated: { module: "m.js", leaseMs: 99 } }),
  ],
  [
    'agent "ann" has both run and isolated; its code is here or in the module, not in both',
    () => defineAgent({ name: "ann", run: () => 1, isolated: { module: "m.js" } }),
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
  [
    'agent "ann" has neither run nor runBatch nor vote nor isolated; it needs at least one',
    () => defineAgent({ name: "ann" }),
  ],
  ['runBatch of agent "ann" is 7; it must be a function', () => defineAgent({ name: "ann", runBatch: wrong(7) })],
  [
    'maxBatch of agent "ann" is 3; it must be left out where there is no runBatch',
    () => defineAgent({ name: "ann", run: () => 1, maxBatch: 3 }),
  ],
  [
    'maxBatch of agent "ann" is 0; it must be an integer from 1 to 1000',
    () => defineAgent({ name: "ann", runBatch: async () => [], maxBatch: 0 }),
  ],
  [
    'agent "ann" has both runBatch and isolated; its code is here or in the module, not in both',
    () => defineAgent({ name: "ann", runBatch: async () => [], isolated: { module: "m" } }),
  ],
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

const schema = { "~standard": { version: 1, vendor: "x", validate: () => ({}) } } as const;
const points = "it must be input, output, action";
const list = "it must be a list of at most 1000";

const builtIn = {
  schema: rows(
    [
      'the options of matchesSchema has the unknown key "fits"; allowed: on, schema, name',
      () => matchesSchema(wrong({ fits: 1 })),
    ],
    [
      "the schema of matchesSchema is null; it must be a Standard Schema of version 1",
      () => matchesSchema(wrong({ on: "input" })),
    ],
    [`on of matchesSchema is "all"; ${points}`, () => matchesSchema({ on: wrong("all"), schema })],
    [`name of matchesSchema is ""; ${id}`, () => matchesSchema({ on: "input", schema, name: "" })],
  ),
  size: rows(
    [
      'the options of withinSize has the unknown key "bytes"; allowed: on, maxBytes, maxDepth, name',
      () => withinSize(wrong({ bytes: 1 })),
    ],
    [
      "maxBytes of withinSize is 0; it must be an integer from 1 to 16000000",
      () => withinSize({ on: "input", maxBytes: 0 }),
    ],
    [
      "maxDepth of withinSize is 65; it must be an integer from 0 to 64",
      () => withinSize({ on: "input", maxBytes: 1, maxDepth: 65 }),
    ],
    [`on of withinSize is "all"; ${points}`, () => withinSize({ on: wrong("all"), maxBytes: 1 })],
    [`name of withinSize is ""; ${id}`, () => withinSize({ on: "input", maxBytes: 1, name: "" })],
  ),
  actions: rows(
    [
      'the options of allowedActions has the unknown key "on"; allowed: actions, name',
      () => allowedActions(wrong({ on: "action" })),
    ],
    [`actions of allowedActions is "x"; ${list} names`, () => allowedActions({ actions: wrong("x") })],
    [`an action of allowedActions is ""; ${id}`, () => allowedActions({ actions: [""] })],
    [`name of allowedActions is ""; ${id}`, () => allowedActions({ actions: [], name: "" })],
  ),
  rate: rows(
    [
      'the options of actionRate has the unknown key "max"; allowed: limit, perMs, per, name',
      () => actionRate(wrong({ max: 1 })),
    ],
    ["limit of actionRate is 0; it must be an integer from 1 to 10000", () => actionRate({ limit: 0, perMs: 1 })],
    [
      "perMs of actionRate is 0; it must be a number of milliseconds greater than 0 and finite",
      () => actionRate({ limit: 1, perMs: 0 }),
    ],
    [
      'per of actionRate is "day"; it must be agent, task, all',
      () => actionRate({ limit: 1, perMs: 1, per: wrong("day") }),
    ],
    [`name of actionRate is ""; ${id}`, () => actionRate({ limit: 1, perMs: 1, name: "" })],
  ),
  all: rows(
    ['the options of allOf has the unknown key "on"; allowed: name, guardrails', () => allOf(wrong({ on: "input" }))],
    [`name of allOf is ""; ${id}`, () => allOf({ name: "", guardrails: [noSecrets()] })],
    ["guardrails of allOf is 7; it must be a list of guardrails", () => allOf({ name: "x", guardrails: wrong(7) })],
    [
      "guardrails of allOf is []; it must be a list of at least one, which all look at the same",
      () => allOf({ name: "x", guardrails: [] }),
    ],
  ),
  hosts: rows(
    [
      'the options of allowedHosts has the unknown key "urls"; allowed: hosts, on, name',
      () => allowedHosts(wrong({ urls: [] })),
    ],
    [`hosts of allowedHosts is "x"; ${list} hosts`, () => allowedHosts({ hosts: wrong("x") })],
    ...["", "https://a.com", "a.com/x", "a.com:80", "u@a.com", "*", "a.*.com", "*.*.com", "a b"].map(
      (host): Row => [
        `a host of allowedHosts is ${JSON.stringify(host)}; it must be a host as "example.com" is, or "*.example.com" for all below it`,
        () => allowedHosts({ hosts: [host] }),
      ],
    ),
    [`on of allowedHosts is "all"; ${points}`, () => allowedHosts({ hosts: [], on: wrong("all") })],
    [`name of allowedHosts is ""; ${id}`, () => allowedHosts({ hosts: [], name: "" })],
  ),
  secrets: rows(
    [
      'the options of noSecrets has the unknown key "known"; allowed: on, redact, rules, values, name',
      () => noSecrets(wrong({ known: [] })),
    ],
    ["redact of noSecrets is 1; it must be a boolean", () => noSecrets({ redact: wrong(1) })],
    [
      'rules of noSecrets is ["all"]; it must be a list of aws-access-key, github-token, gitlab-token, google-api-key, npm-token, slack-token, stripe-key, model-key, json-web-token, private-key, url-password, high-entropy',
      () => noSecrets({ rules: [wrong("all")] }),
    ],
    [
      'values of noSecrets is "…"; it must be a list of at most 1000 strings of at least 8 characters',
      () => noSecrets({ values: ["short"] }),
    ],
    [`on of noSecrets is "all"; ${points}`, () => noSecrets({ on: wrong("all") })],
    [`name of noSecrets is ""; ${id}`, () => noSecrets({ name: "" })],
  ),
};

export const edgeRefusals: Readonly<Record<string, readonly Refused[]>> = {
  "src/agents/command.ts": commandAgent,
  "src/agents/definition.ts": agentDefinition,
  "src/agents/function.ts": functionAgent,
  "src/agents/manager.ts": managerAgent,
  "src/guardrails/action-rate.ts": builtIn.rate,
  "src/guardrails/all-of.ts": builtIn.all,
  "src/guardrails/allowed-actions.ts": builtIn.actions,
  "src/guardrails/allowed-hosts.ts": builtIn.hosts,
  "src/guardrails/guardrail.ts": guardrail,
  "src/guardrails/matches-schema.ts": builtIn.schema,
  "src/guardrails/no-secrets.ts": builtIn.secrets,
  "src/guardrails/within-size.ts": builtIn.size,
  "src/runtime/coordinator-options.ts": coordinatorOptions,
  "src/runtime/coordinator.ts": coordinator,
  "src/runtime/event-feed.ts": eventFeed,
  "src/runtime/task-handle.ts": taskHandle,
  "src/runtime/task-request.ts": taskRequest,
};
