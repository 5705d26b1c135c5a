import { pathToFileURL } from "node:url";
import { breakerRule } from "../coordination/circuit-breaker.ts";
import { checkInteger, invalid, show } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import type { BreakerPolicy } from "../kernel/events/agents.ts";
import { defaults, limits } from "../kernel/limits.ts";
import { runtimeLimits } from "../runtime/limits.ts";
import { checkFunction, checkOptional, checkOptions } from "../runtime/options.ts";
import type { Agent, AgentSpec } from "./agent.ts";
import {
  agentOf,
  checkName,
  checkSchema,
  checkSize,
  checkSkills,
  type IsolatedOptions,
  type WorkerDefinition,
} from "./definition.ts";

const KEYS = {
  known: [
    "name",
    "description",
    "skills",
    "capacity",
    "weight",
    "input",
    "output",
    "run",
    "vote",
    "breaker",
    "isolated",
    "runBatch",
    "maxBatch",
  ],
};

/**
 * An agent whose work is a function. It has `run`, or `vote`, or both; `INVALID_ARGUMENT` for anything that is not as
 * {@link AgentSpec} says.
 *
 * @example
 * ```ts
 * import { defineAgent } from "safeguards";
 * const reviewer = defineAgent<{ path: string }, { lines: number }>({
 *   name: "reviewer",
 *   skills: { typescript: 0.9 },
 *   capacity: 2,
 *   run: async (task, { signal }) => {
 *     const response = await fetch(task.input.path, { signal });
 *     return { lines: (await response.text()).split("\n").length };
 *   },
 * });
 * ```
 */
export function defineAgent<I extends Json = Json, O extends Json = Json>(spec: AgentSpec<I, O>): Agent {
  checkOptions(spec, KEYS, "an agent");
  const name = checkName(spec.name);
  const { description, capacity, weight, input, output, vote, breaker } = spec;
  checkOptional(description, "string", `the description of agent ${show(name)}`);
  checkSize(capacity, `the capacity of agent ${show(name)}`);
  checkSize(weight, `the weight of agent ${show(name)}`);
  checkSchema(input, `the input of agent ${show(name)}`);
  checkSchema(output, `the output of agent ${show(name)}`);
  if (spec.run !== undefined) checkFunction(spec.run, `run of agent ${show(name)}`);
  if (vote !== undefined) checkFunction(vote, `vote of agent ${show(name)}`);
  const { runBatch } = spec;
  if (runBatch !== undefined) checkFunction(runBatch, `runBatch of agent ${show(name)}`);
  const maxBatch = maxBatchOf(spec, name);
  const isolated = spec.isolated === undefined ? undefined : isolatedOf(spec.isolated, name);
  const works = spec.run !== undefined || runBatch !== undefined || isolated !== undefined;
  if (!works && vote === undefined) {
    throw new SafeguardsError(
      "INVALID_ARGUMENT",
      `agent ${show(name)} has neither run nor runBatch nor vote nor isolated; it needs at least one`,
    );
  }
  if (runBatch !== undefined && isolated !== undefined) {
    const message = `agent ${show(name)} has both runBatch and isolated; its code is here or in the module, not in both`;
    throw new SafeguardsError("INVALID_ARGUMENT", message);
  }
  if (spec.run !== undefined && isolated !== undefined) {
    const message = `agent ${show(name)} has both run and isolated; its code is here or in the module, not in both`;
    throw new SafeguardsError("INVALID_ARGUMENT", message);
  }
  const definition: WorkerDefinition = {
    kind: "agent",
    description: {
      name,
      kind: "agent",
      skills: checkSkills(spec.skills, name),
      votes: vote !== undefined,
      // Who only votes has no room for tasks.
      ...(!works ? { capacity: 0 } : capacity === undefined ? {} : { capacity }),
      ...(description === undefined ? {} : { description }),
      ...(weight === undefined ? {} : { weight }),
      ...(breaker === undefined ? {} : { breaker: checkBreaker(breaker) }),
      ...(maxBatch === undefined ? {} : { maxBatch }),
    },
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
    ...(vote === undefined ? {} : { vote }),
    ...(isolated === undefined ? {} : { isolated }),
    // What it is given fits what its own types say: schemas and users see to that.
    ...(runBatch === undefined ? {} : { runBatch: runBatch.bind(spec) as NonNullable<WorkerDefinition["runBatch"]> }),
  };
  if (spec.run !== undefined) definition.run = spec.run.bind(spec);
  return agentOf(definition);
}

/** How many tasks it takes together; undefined: one at a time. */
function maxBatchOf(
  { runBatch, maxBatch }: Pick<AgentSpec, "maxBatch"> & { readonly runBatch?: unknown },
  agent: string,
): number | undefined {
  const what = `maxBatch of agent ${show(agent)}`;
  if (runBatch === undefined && maxBatch !== undefined)
    throw invalid(what, maxBatch, "left out where there is no runBatch");
  return runBatch === undefined ? undefined : checkInteger(maxBatch ?? defaults.maxBatch, what, 1, limits.batchedTasks);
}

function isolatedOf(options: NonNullable<AgentSpec["isolated"]>, agent: string): IsolatedOptions {
  const what = `isolated of agent ${show(agent)}`;
  checkOptions(options, { known: ["module", "memoryMb", "leaseMs"] }, what);
  const { module, memoryMb = runtimeLimits.isolatedMemoryMb, leaseMs = runtimeLimits.isolatedLeaseMs } = options;
  // A letter and a colon are a drive.
  if (typeof module !== "string" || module === "" || /^(?!file:)[a-z][a-z0-9+.-]+:/i.test(module))
    throw invalid(`the module of ${what}`, module, "a file URL or a path");
  return {
    module: module.startsWith("file:") ? module : pathToFileURL(module).href,
    memoryMb: checkInteger(memoryMb, `memoryMb of ${what}`, 16, 65_536),
    leaseMs: checkInteger(leaseMs, `leaseMs of ${what}`, 100, 2 ** 31 - 1),
  };
}

function checkBreaker(breaker: BreakerPolicy): BreakerPolicy {
  breakerRule(breaker);
  return { ...breaker };
}
