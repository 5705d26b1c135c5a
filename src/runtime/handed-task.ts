import type { Task } from "../agents/agent.ts";
import type { TaskView } from "../kernel/views.ts";
import { copyOf } from "./json.ts";

/** A task as users' code is given it: with copies of its own. */
export function taskOf(view: TaskView): Task {
  return {
    id: view.id,
    ...(view.name === undefined ? {} : { name: view.name }),
    input: copyOf(view.input),
    ...(view.context === undefined ? {} : { context: copyOf(view.context) }),
    ...(view.parentId === undefined ? {} : { parentId: view.parentId }),
    priority: view.priority,
    ...(view.deadlineAt === undefined ? {} : { deadlineAt: view.deadlineAt }),
    ...(view.estimatedCost === undefined ? {} : { cost: view.estimatedCost }),
  };
}
