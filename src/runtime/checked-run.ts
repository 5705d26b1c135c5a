/** An agent's own code, with the schemas that its definition puts before and behind it. */
import type { AgentContext, Task } from "../agents/agent.ts";
import type { WorkerDefinition } from "../agents/definition.ts";
import { validate } from "../agents/schema.ts";
import { SafeguardsError } from "../errors.ts";

type Work = (task: Task, context: AgentContext) => unknown;

/** What `work` gives for the task: a promise where the definition has a schema, else whatever it returns. */
export function runChecked(
  { input, output }: Pick<WorkerDefinition, "input" | "output">,
  work: Work,
  task: Task,
  context: AgentContext,
): unknown {
  return input === undefined && output === undefined
    ? work(task, context)
    : checked({ input, output }, work, task, context);
}

async function checked(
  schemas: { readonly input: WorkerDefinition["input"]; readonly output: WorkerDefinition["output"] },
  work: Work,
  task: Task,
  context: AgentContext,
): Promise<unknown> {
  let { input }: { input: unknown } = task;
  if (schemas.input !== undefined) {
    const fits = await validate(schemas.input, input);
    if ("problem" in fits) {
      throw new SafeguardsError("INVALID_ARGUMENT", `the input of task ${task.id} does not fit: ${fits.problem}`);
    }
    input = fits.value;
  }
  // What a schema makes of an input is what its agent's code was written for, JSON or not.
  const output = await work({ ...task, input } as Task, context);
  if (schemas.output === undefined) return output;
  const fits = await validate(schemas.output, output);
  if ("value" in fits) return fits.value;
  throw new SafeguardsError("TASK_FAILED", `the output for task ${task.id} does not fit: ${fits.problem}`);
}
