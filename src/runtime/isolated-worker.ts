/**
 * The thread in which one attempt of an isolated agent runs: it imports the agent's module, runs it once, and is terminated.
 *
 * 1. The port was handed over before the agent's module was imported, and is in no place where that would look for it. Whoever
 *    breaks in and finds it can speak in the name of its own attempt, and no more.
 * 2. Signs of life come from a timer: whoever blocks the thread for longer than a lease is taken for dead.
 */
import { parentPort } from "node:worker_threads";
import { definitionOf, type WorkerDefinition } from "../agents/definition.ts";
import { shareOwnModules } from "../agents/own-modules.ts";
import { show } from "../coordination/structures/arguments.ts";
import { SafeguardsError } from "../errors.ts";
import { runChecked } from "./checked-run.ts";
import { errorFrom, failureOf } from "./failure.ts";
import { Told } from "./isolated-backlog.ts";
import { IsolatedContext } from "./isolated-context.ts";
import type { Assignment, FromThread, Handover, ToThread } from "./isolated-protocol.ts";
import { admit } from "./json.ts";
import { runtimeLimits } from "./limits.ts";

function serve({ port, backlog }: Handover): void {
  // Kept, since the agent's code could put something else in their place.
  const post = port.postMessage.bind(port);
  const { parse, stringify } = JSON;
  const told = new Told(backlog);
  const tell = (message: FromThread): void => {
    const text = stringify(message);
    told.add(text);
    post(text);
  };
  let context: IsolatedContext | undefined;
  port.on("message", (text: string) => {
    const message: ToThread = parse(text);
    switch (message.tell) {
      case "run":
        context = new IsolatedContext(message.assignment, tell);
        setInterval(() => tell({ tell: "alive" }), message.assignment.beatMs).unref();
        work(message.assignment, context, tell).catch((error: unknown) => {
          tell({ tell: "threw", failure: failureOf(error) });
        });
        break;
      case "stop":
        context?.stop(errorFrom(message.reason));
        break;
      case "answer":
        context?.answered(message);
        break;
    }
  });
}

async function work(
  assignment: Assignment,
  context: IsolatedContext,
  tell: (message: FromThread) => void,
): Promise<void> {
  const { agent, module, task } = assignment;
  shareOwnModules();
  const definition = await codeOf(agent, module);
  tell({ tell: "begun" });
  const returned = await runChecked(definition, (given, ctx) => definition.run?.(given, ctx), task, context);
  const what = `the output for task ${task.id}`;
  const { json } = admit(returned === undefined ? null : returned, what, runtimeLimits.outputBytes);
  tell({ tell: "returned", output: json });
}

/** The agent whose code the module has: its default, or the one that is called so. */
async function codeOf(agent: string, module: string): Promise<WorkerDefinition> {
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = await import(module);
  } catch (cause) {
    const { message } = failureOf(cause);
    throw forGood(`the module ${show(module)} of agent ${show(agent)} could not be imported: ${message}`, cause);
  }
  const found = [exported.default, ...Object.values(exported)].flatMap((value) => {
    const definition = workerIn(value);
    return definition === undefined ? [] : [{ definition, isDefault: value === exported.default }];
  });
  const chosen =
    found.find(({ isDefault }) => isDefault) ?? found.find(({ definition }) => nameOf(definition) === agent);
  if (chosen !== undefined) return chosen.definition;
  const says = "its default export, or an agent of that name, must be what defineAgent made of a run";
  throw forGood(`the module ${show(module)} has no code for agent ${show(agent)}: ${says}`);
}

function workerIn(value: unknown): WorkerDefinition | undefined {
  try {
    const definition = definitionOf(value);
    return definition.kind === "agent" && definition.run !== undefined ? definition : undefined;
  } catch {
    return undefined;
  }
}

function nameOf({ description }: WorkerDefinition): string {
  return description.name;
}

function forGood(message: string, cause?: unknown): SafeguardsError {
  return new SafeguardsError("TASK_FAILED", message, { retryable: false, cause });
}

parentPort?.once("message", (handover: Handover) => {
  // Nobody listens there from now on; code that tells much there would keep the coordinator busy.
  parentPort?.close();
  serve(handover);
});
