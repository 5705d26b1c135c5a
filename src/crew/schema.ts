/**
 * The shape of a crew, and of what its file may say. What is left out of a mapping may be left out of the file. Names that
 * must exist elsewhere in the crew are checked by `cross-check.ts`.
 */
import * as z from "zod";
import type { Agent } from "../agents/agent.ts";
import { definitionOf } from "../agents/definition.ts";
import { limits } from "../kernel/limits.ts";
import { runtimeLimits } from "../runtime/limits.ts";
import {
  amount,
  duration,
  endless,
  flag,
  id,
  level,
  listOf,
  mapping,
  money,
  needs,
  oneOf,
  payload,
  text,
  whole,
} from "./fields.ts";
import { guardrailEntries, guardrailList } from "./guardrails.ts";

const skill = id("the name of a skill: text");
const SKILLS = "a list of skills, or a mapping from skill to a level above 0 and at most 1";
const skills = z.union([listOf(skill, SKILLS), z.record(skill, level(), SKILLS)], SKILLS);
const requirement = z.union([skill, mapping({ skill, level: level() })], "a skill, or a mapping with skill and level");

const FACTOR = "a number from 1 to 1000";
const retry = mapping({
  maxAttempts: whole(1, limits.attemptsPerTask)
    .optional()
    .describe("Attempts that fail, time out or are lost, in all. Default: 3"),
  initialMs: duration(0).optional().describe("Milliseconds before the second attempt, at most. Default: 1000"),
  maxMs: duration(0).optional().describe("Milliseconds before any attempt, at most. Default: 60000"),
  factor: z.number(FACTOR).min(1, FACTOR).max(1_000, FACTOR).optional().describe("How the wait grows. Default: 2"),
  jitter: flag().optional().describe("Whether a wait is anything from 0 to its most. Default: true"),
});

const FALLBACK = "a mapping with agent, skills or value";
const fallback = mapping({
  agent: id().optional().describe("The only agent that may do it then"),
  skills: listOf(requirement, "a list of skills", limits.skillsPerTask)
    .optional()
    .describe("What its agent must be able to do then"),
  value: payload().optional().describe("Its output when nobody has given one, as it stands here"),
}).refine((entry) => Object.values(entry).some((part) => part !== undefined), FALLBACK);
const BY = "person, or a mapping with ballot and voters";
const approval = mapping({
  before: oneOf("run", "output")
    .optional()
    .describe("Whether that it runs must be allowed, or that its output counts. Default: run"),
  by: z
    .union(
      [
        z.literal("person", BY),
        mapping({
          ballot: oneOf(
            "majority",
            "weighted",
            "unanimous",
            "approval",
            "score",
            "borda",
            "instant-runoff",
            "schulze",
            "ranked-pairs",
          ).describe("How the votes for approve and reject are counted"),
          voters: listOf(id(), "a list of names of agents", limits.voters)
            .min(1, "a list of names of agents, at least one")
            .optional()
            .describe("Names of agents that vote. Default: all that do"),
        }),
      ],
      BY,
    )
    .optional()
    .describe("Who allows it: whoever says safeguards approve, or agents by ballot. Default: person"),
  expiresMs: duration("above 0")
    .optional()
    .describe("Milliseconds from when it is asked for until it is too late. Default: for ever; for a ballot 30000"),
});

const KEY = `text of 1 to ${limits.keyLength} characters`;
const CACHE_MS = `milliseconds of at least 0, at most ${limits.cacheMs}`;
const task = mapping({
  id: id().optional().describe("Local to the list that it is in. Default: its index"),
  name: text("text of at most 256 characters", limits.idLength).optional().describe("For people and listings"),
  input: payload()
    .optional()
    .describe(
      "What the agent gets. {{ input.x }} and {{ env.NAME }} are filled in; the journal keeps it, so name no secrets",
    ),
  context: payload().optional().describe("What it and all below it get besides"),
  skills: listOf(requirement, "a list of skills", limits.skillsPerTask)
    .optional()
    .describe("What its agent must be able to do"),
  agent: id().optional().describe("The only agent that may do it"),
  priority: whole(-1_000_000, 1_000_000).optional().describe("Higher goes first. Default: 5"),
  load: amount("above 0").optional().describe("How much of its agent's capacity it takes. Default: 1"),
  dependsOn: listOf(id(), "a list of task ids", limits.dependenciesPerTask)
    .optional()
    .describe("Tasks of this list that must be completed before"),
  onDependencyFailure: oneOf("skip", "run")
    .optional()
    .describe("What becomes of it when one of those fails. Default: skip"),
  resources: z
    .record(id(), amount("above 0"), "a mapping from resource to amount")
    .optional()
    .describe("What it holds while it runs"),
  timeoutMs: duration("above 0").optional().describe("How long one attempt may take"),
  deadlineMs: duration("above 0").optional().describe("How long all of it may take"),
  estimatedMs: duration(0).optional().describe("How long an attempt is thought to take"),
  graceMs: duration(0).optional().describe("How long an attempt that is told to stop may still take. Default: 5000"),
  retry: retry.optional().describe("When to try again"),
  preemptible: flag().optional().describe("Whether it may be stopped for a task of higher priority. Default: true"),
  fallback: fallback.optional().describe("What takes the place of its failure"),
  cacheKey: text(KEY, limits.keyLength)
    .min(1, KEY)
    .optional()
    .describe("Tasks of one key that the same agents may do share one output"),
  cacheMs: z
    .number(CACHE_MS)
    .min(0, CACHE_MS)
    .max(limits.cacheMs, CACHE_MS)
    .optional()
    .describe("How old an output may be to answer it, in milliseconds. Default: 3600000"),
  budget: id()
    .optional()
    .describe("What it is paid from. Default: what its parent is, or the budget called default, if there is one"),
  cost: money().optional().describe("What an attempt is thought to cost: set aside while it runs. Default: 0"),
  approval: approval.optional().describe("Who must allow that it runs, or that its output counts. Default: nobody"),
  batchKey: text(KEY, limits.keyLength)
    .min(1, KEY)
    .optional()
    .describe("Tasks of one key may be given to an agent together"),
  batchWaitMs: duration(0)
    .optional()
    .describe("How long it waits for others to be given with, in milliseconds. Default: 0"),
})
  .refine(needs("cacheMs", "cacheKey"), { path: ["cacheMs"], message: "only beside cacheKey" })
  .refine(needs("batchWaitMs", "batchKey"), { path: ["batchWaitMs"], message: "only beside batchKey" })
  .meta({ id: "task" });

/** The tasks of a crew or of a plan, and what a plan's program prints. */
export const tasks: z.ZodArray = listOf(task, "a list of tasks", limits.tasksPerSubmit);

const breaker = mapping({
  failureThreshold: whole(1).optional().describe("Failures in a row. Default: 5"),
  ratio: level().optional().describe("Or the share of calls that fail"),
  minCalls: whole(1).optional().describe("Of at least so many"),
  windowMs: duration("above 0").optional().describe("In so many milliseconds"),
  resetMs: duration("above 0").optional().describe("Milliseconds after which it is tried again. Default: 30000"),
  halfOpenMax: whole(1).optional().describe("Calls that try it. Default: 1"),
});

const resource = mapping({
  type: oneOf("compute", "memory", "storage", "api_call", "data"),
  capacity: amount(0).describe("How much there is of it"),
  per: duration("above 0").optional().describe("Makes it a rate: so much each so many milliseconds"),
  breaker: breaker
    .nullable()
    .optional()
    .describe("When to give it to nobody for a while. Left out: as before; null: never. Default: never"),
});

const budget = mapping({
  limit: money().describe("How much may be spent under it and all that is part of it"),
  parent: id().optional().describe("The budget that it is part of"),
});

const settings = {
  name: id("text", 200).describe("What the crew is called; names its journal"),
  concurrency: whole(1).optional().describe("Tasks that run at once. Default: 64"),
  agingMs: endless("above 0")
    .optional()
    .describe("Milliseconds of waiting that outweigh one step of priority. Default: off"),
  protectAfterMs: endless(0)
    .optional()
    .describe("Milliseconds after which the first in order is no longer overtaken. Default: 30000"),
  resources: z
    .record(id(), resource, "a mapping from resource to { type, capacity, per, breaker }")
    .optional()
    .describe("What tasks share"),
  budgets: z
    .record(id(), budget, "a mapping from budget to { limit, parent }")
    .optional()
    .describe("What tasks are paid from"),
};

const COMMAND = "a list of text: a program and its arguments";
const VARIABLES = "a mapping from variable to text";
const program = {
  command: z
    .array(text(COMMAND).regex(/^[^\0]*$/, COMMAND), COMMAND)
    .min(1, COMMAND)
    .refine(([first]) => first !== "", COMMAND)
    .describe("A program and its arguments, started without a shell in the folder of this file"),
  cwd: text().optional().describe("Where it runs, seen from the folder of this file"),
  env: z
    .record(text().regex(/^[^=\0]+$/, VARIABLES), text(VARIABLES).regex(/^[^\0]*$/, VARIABLES), VARIABLES)
    .optional()
    .describe("Variables besides PATH, HOME, LANG, LC_*, TMPDIR and TZ"),
  maxOutputBytes: whole(1, runtimeLimits.outputBytes).optional().describe("More than this on stdout fails it"),
};
const output = oneOf("json", "text").optional().describe("What it prints. Default: json");

const identity = {
  name: id().describe("Every agent and manager has a name of its own"),
  description: text().optional(),
  skills: skills.optional().describe("What it can do; a list means level 1"),
  capacity: amount(0).optional().describe("How much load it takes at once. Default: 1"),
};

const agent = mapping({
  ...identity,
  weight: amount(0).optional().describe("Its weight in ballots. Default: 1"),
  breaker: breaker.optional().describe("When to stop giving it tasks"),
  ...program,
  output,
}).meta({ id: "agent" });

const PLAN = "a list of tasks, or { command: [program, arguments…] }";
const AGGREGATE = "merge, collect or { command: [program, arguments…] }";
const SUCCESS = 'a whole number of at least 0, "all" or "any"';
const manager = mapping({
  ...identity,
  team: listOf(id(), "a list of names of agents and managers").describe("Who may do its subtasks"),
  plan: z.union([tasks, mapping(program)], PLAN).describe("Its subtasks, or a program that prints them as JSON"),
  aggregate: z
    .union([z.enum(["merge", "collect"]), mapping({ ...program, output })], AGGREGATE)
    .optional()
    .describe("merge: outputs key by key into lists; collect: outputs by id; or a program. Default: merge"),
  minSuccess: z
    .union([z.int().min(0), z.enum(["all", "any"])], SUCCESS)
    .optional()
    .describe("How many must complete. Default: all"),
  failFast: flag().optional().describe("Whether it fails as soon as that is out of reach. Default: false"),
}).meta({ id: "manager" });

/** A crew in YAML. */
export const crewFile: z.ZodType = mapping({
  ...settings,
  agents: listOf(agent, "a list of agents").optional().describe("Who does tasks"),
  managers: listOf(manager, "a list of managers").optional().describe("Who has tasks done by a team"),
  tasks: tasks.min(1, "at least one task").describe("What a run does"),
  guardrails: guardrailEntries.optional().describe("Look at inputs and outputs, in this order"),
});

const AGENT = "what defineAgent or defineManager returned";
const aFunction = z.custom((value) => typeof value === "function", "a function");

/** What `defineCrew` takes. Agents were checked when they were defined. */
export const crewSpec: z.ZodType = mapping({
  ...settings,
  agents: listOf(z.custom(isAgent, AGENT), `a list of ${AGENT}`),
  guardrails: guardrailList.optional(),
  tasks: z.union([tasks, aFunction], "a list of tasks, or a function from the input to one"),
  output: aFunction.optional(),
});

/** Whether `defineAgent` or `defineManager` returned this. */
export function isAgent(value: unknown): value is Agent {
  try {
    definitionOf(value);
    return true;
  } catch {
    return false;
  }
}
