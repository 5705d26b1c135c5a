/** Makes a crew of what a YAML file says, once nothing is wrong with it. */
import { resolve } from "node:path";
import type { Agent, AgentContext, Task } from "../agents/agent.ts";
import { type CommandOptions, command } from "../agents/command.ts";
import { defineAgent } from "../agents/function.ts";
import { defineManager } from "../agents/manager.ts";
import type { Json, Money } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import type { BreakerPolicy } from "../kernel/events/agents.ts";
import type { ResourceKind } from "../kernel/events/resources.ts";
import { put } from "../runtime/json.ts";
import type { Outcome, TaskSpec } from "../runtime/task.ts";
import type { CrewSpec } from "./crew.ts";
import type { CrewFileScope } from "./crew-file-flaws.ts";
import { flawsOf } from "./flaws.ts";
import { type GuardrailEntry, guardrailOf } from "./guardrails.ts";
import { tasks as taskList } from "./schema.ts";
import { fill, fillText, type TemplateScope } from "./template.ts";

interface ProgramEntry {
  readonly command: readonly string[];
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly maxOutputBytes?: number | undefined;
  readonly output?: "json" | "text" | undefined;
}

interface AgentEntry extends ProgramEntry {
  readonly name: string;
  readonly description?: string;
  readonly skills?: readonly string[] | Readonly<Record<string, number>>;
  readonly capacity?: number;
  readonly weight?: number;
  readonly breaker?: BreakerPolicy;
}

interface ManagerEntry {
  readonly name: string;
  readonly description?: string;
  readonly skills?: readonly string[] | Readonly<Record<string, number>>;
  readonly capacity?: number;
  readonly team: readonly string[];
  readonly plan: readonly TaskSpec[] | ProgramEntry;
  readonly aggregate?: "merge" | "collect" | ProgramEntry;
  readonly minSuccess?: number | "all" | "any";
  readonly failFast?: boolean;
}

/** What a crew file without flaws holds. */
interface CrewEntry {
  readonly name: string;
  readonly agents?: readonly AgentEntry[];
  readonly managers?: readonly ManagerEntry[];
  readonly tasks: readonly TaskSpec[];
  readonly budgets?: Readonly<Record<string, { readonly limit: Money; readonly parent?: string }>>;
  readonly resources?: Readonly<
    Record<string, { type: ResourceKind; capacity: number; per?: number; breaker?: BreakerPolicy | null }>
  >;
  readonly concurrency?: number;
  readonly agingMs?: number;
  readonly protectAfterMs?: number;
  readonly guardrails?: readonly GuardrailEntry[];
}

/** A program that an agent of the crew starts. */
export interface Program {
  /** Who starts it, and for what. */
  readonly of: string;
  readonly argv: readonly string[];
  readonly cwd: string;
}

/** The crew, and the programs that it starts. `data` has no flaws. */
export function crewFromFile(data: unknown, scope: CrewFileScope): { crew: CrewSpec; programs: readonly Program[] } {
  const entry = data as CrewEntry;
  const programs: Program[] = [];
  const start = (program: ProgramEntry, of: string): Work => {
    const { argv, options } = programOf(program, scope);
    programs.push({ of, argv, cwd: options.cwd ?? scope.folder });
    return command(argv, options);
  };
  const { name, agents = [], managers = [], tasks, guardrails, ...settings } = entry;
  const crew: CrewSpec = {
    name,
    ...settings,
    ...(guardrails === undefined ? {} : { guardrails: guardrails.map(guardrailOf) }),
    agents: [
      ...agents.map((agent) => worker(agent, start)),
      ...managers.map((manager) => managerOf(manager, start, scope)),
    ],
    tasks: (input) => tasks.map((task) => filled(task, { input, env: scope.env })),
  };
  return { crew, programs };
}

type Work = ReturnType<typeof command>;
type Start = (program: ProgramEntry, of: string) => Work;

function worker({ command: argv, cwd, env, maxOutputBytes, output, ...agent }: AgentEntry, start: Start): Agent {
  return defineAgent({ ...agent, run: start({ command: argv, cwd, env, maxOutputBytes, output }, agent.name) });
}

function managerOf({ plan, aggregate = "merge", ...manager }: ManagerEntry, start: Start, scope: CrewFileScope): Agent {
  return defineManager({
    ...manager,
    plan:
      "command" in plan
        ? planner(start(plan, `${manager.name}, to plan`))
        : (task) => plan.map((spec) => filled(spec, { input: task.input, env: scope.env })),
    ...(aggregate === "merge"
      ? {}
      : {
          aggregate: aggregate === "collect" ? collect : aggregator(start(aggregate, `${manager.name}, to aggregate`)),
        }),
  });
}

/** A plan that a program prints: checked as those in files are, but for who is on the team. */
function planner(run: Work): (task: Task, ctx: AgentContext) => Promise<readonly TaskSpec[]> {
  return async (task, ctx) => {
    const plan = await run(task, ctx);
    const flaws = flawsOf(taskList, plan);
    if (flaws.length === 0) return plan as readonly TaskSpec[];
    const messages = flaws.map(({ message }) => message).join("; ");
    throw new SafeguardsError("INVALID_ARGUMENT", `the plan that its program printed is wrong: ${messages}`);
  };
}

/** The program gets `{ input, results }` as its input. */
function aggregator(run: Work): (task: Task, results: readonly Outcome[], ctx: AgentContext) => Promise<Json> {
  return (task, results, ctx) =>
    run({ ...task, input: { input: task.input, results: results.map((result) => resultOf(result, task.id)) } }, ctx);
}

function resultOf({ taskId, status, output, error }: Outcome, parentId: string): Json {
  return {
    id: localId(taskId, parentId),
    status,
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
  };
}

/** Outputs by the id that the plan gave. */
function collect(task: Task, results: readonly Outcome[]): Json {
  const collected: Record<string, Json> = {};
  for (const { taskId, output } of results) if (output !== undefined) put(collected, localId(taskId, task.id), output);
  return collected;
}

function localId(taskId: string, parentId: string): string {
  return taskId.slice(parentId.length + 1);
}

function filled(task: TaskSpec, scope: TemplateScope): TaskSpec {
  const { name, input, context } = task;
  return {
    ...task,
    ...(name === undefined ? {} : { name: String(fillText(name, scope)) }),
    ...(input === undefined ? {} : { input: fill(input, scope) }),
    ...(context === undefined ? {} : { context: fill(context, scope) }),
  };
}

function programOf(
  program: ProgramEntry,
  { folder, env }: CrewFileScope,
): { argv: [string, ...string[]]; options: CommandOptions } {
  const text = (value: string): string => String(fillText(value, { env }));
  const {
    command: [first = "", ...rest],
    cwd = "",
    env: variables = {},
    maxOutputBytes,
    output,
  } = program;
  const entries = Object.entries(variables).map(([name, value]): [string, string] => [name, text(value)]);
  return {
    argv: [text(first), ...rest.map(text)],
    options: {
      cwd: resolve(folder, text(cwd)),
      env: Object.fromEntries(entries),
      ...(maxOutputBytes === undefined ? {} : { maxOutputBytes }),
      ...(output === undefined ? {} : { output }),
    },
  };
}
