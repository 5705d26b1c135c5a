import { pathToFileURL } from "node:url";
import { breakerRule } from "../coordination/circuit-breaker.ts";
import { checkInteger, invalid, show } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import type { BreakerPolicy } from "../kernel/events.ts";
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
  ],
  later: ["runBatch", "maxBatch"],
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
  const isolated = spec.isolated === undefined ? undefined : isolatedOf(spec.isolated, name);
  if (spec.run === undefined && vote === undefined && isolated === undefined) {
    throw new SafeguardsError(
      "INVALID_ARGUMENT",
      `agent ${show(name)} has neither run nor vote nor isolated; it needs at least one`,
    );
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
      ...(spec.run === undefined && isolated === undefined
        ? { capacity: 0 }
        : capacity === undefined
          ? {}
          : { capacity }),
      ...(description === undefined ? {} : { description }),
      ...(weight === undefined ? {} : { weight }),
      ...(breaker === undefined ? {} : { breaker: checkBreaker(breaker) }),
    },
    ...(input === undefined ? {} : { input }),
    ...(output === undefined ? {} : { output }),
    ...(vote === undefined ? {} : { vote }),
    ...(isolated === undefined ? {} : { isolated }),
  };
  if (spec.run !== undefined) definition.run = spec.run.bind(spec);
  return agentOf(definition);
}

function isolatedOf(options: NonNullable<AgentSpec["isolated"]>, agent: string): IsolatedOptions {
  const what = `isolated of agent ${show(agent)}`;
  checkOptions(options, { known: ["module", "memoryMb", "leaseMs"] }, what);
  const { module, memoryMb = runtimeLimits.isolatedMemoryMb, leaseMs = runtimeLimits.isolatedLeaseMs } = options;
  if (typeof module !== "string" || module === "")
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
