import { userInfo } from "node:os";
import { isSafeguardsError } from "../../../errors.ts";
import type { TaskInfo, TaskStatus } from "../../../kernel/views.ts";
import { Coordinator } from "../../../runtime/coordinator.ts";
import { chooseJournal } from "../journal-choice.ts";
import { viewJournal } from "../journal-view.ts";
import { explainChosen } from "../task-choice.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../text.ts";

export interface ApproveOptions {
  readonly journal?: string;
  readonly by?: string;
  readonly hash?: string;
  readonly json?: boolean;
}

/** Lets a task run, or its output count, that waits for that. */
export async function approveCommand(task: string, options: ApproveOptions, terminal: Terminal): Promise<number> {
  return decided(task, undefined, options, terminal);
}

/** Refuses it: the task fails, and tells why. */
export async function rejectCommand(
  task: string,
  reason: string,
  options: ApproveOptions,
  terminal: Terminal,
): Promise<number> {
  return decided(task, reason, options, terminal);
}

/** In the process that runs it, or in the journal when nobody does. */
async function decided(
  task: string,
  reason: string | undefined,
  { journal, by = ownName(), hash, json }: ApproveOptions,
  terminal: Terminal,
): Promise<number> {
  const path = chooseJournal(journal);
  const view = await viewJournal(path);
  let coordinator = view.running;
  try {
    const { taskId, reasons } = await explainChosen(view, task);
    const asked = askedIn(reasons.find(({ code }) => code === "approval")?.need);
    // As the crew's own: by other settings others might be given up that have time yet.
    coordinator ??= await Coordinator.open({ ...view.settings, journal: `sqlite:${path}` });
    // What was seen a moment ago is what is meant, not what may be asked since.
    const meant = hash ?? asked?.hash;
    const about = { ...(by === undefined ? {} : { by }), ...(meant === undefined ? {} : { hash: meant }) };
    const deciding =
      reason === undefined ? coordinator.approve(taskId, about) : coordinator.reject(taskId, reason, about);
    // Asked for at once: a run that ends with this answers no more. What it becomes is not known then.
    const [, status] = await Promise.all([deciding, statusOf(coordinator, taskId)]);
    const done = reason === undefined ? "approved" : "rejected";
    if (json === true)
      terminal.json({ taskId, decided: done, ...about, ...(status === undefined ? {} : { status }) }, 2);
    else {
      const what = asked === undefined ? "" : `'s ${asked.before}`;
      terminal.print([printable(taskId), `${what} is ${done}`, status === undefined ? "" : `; it is ${status}`]);
    }
    return 0;
  } finally {
    await coordinator?.close();
    await view.close();
  }
}

async function statusOf(coordinator: Coordinator, taskId: string): Promise<TaskStatus | undefined> {
  try {
    return (await coordinator.explain(taskId)).status;
  } catch (error) {
    if (isSafeguardsError(error, "CLOSED")) return undefined;
    throw error;
  }
}

type Asked = Pick<NonNullable<TaskInfo["approval"]>, "before" | "hash">;

/** What the explanation says that is asked for. */
function askedIn(need: unknown): Asked | undefined {
  return typeof need === "object" && need !== null && "hash" in need ? (need as Asked) : undefined;
}

/** Who types, for the log; a system may not know. */
function ownName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}
