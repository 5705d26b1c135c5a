import { Coordinator } from "../../../runtime/coordinator.ts";
import { chooseJournal } from "../journal-choice.ts";
import { viewJournal } from "../journal-view.ts";
import { explainChosen } from "../task-choice.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../text.ts";

export interface CancelOptions {
  readonly journal?: string;
  readonly reason?: string;
  readonly json?: boolean;
}

/** Cancels a task and all below it: in the process that runs it, or in the journal when nobody does. */
export async function cancelCommand(task: string, options: CancelOptions, terminal: Terminal): Promise<number> {
  const path = chooseJournal(options.journal);
  const view = await viewJournal(path);
  let coordinator = view.running;
  try {
    const { taskId } = await explainChosen(view, task);
    // As the crew's own: by other settings others might be given up that have time yet.
    coordinator ??= await Coordinator.open({ ...view.settings, journal: `sqlite:${path}`, logger: terminal.logger });
    const handle = await coordinator.task(taskId);
    await handle.cancel(options.reason);
    const status = await handle.status();
    if (options.json === true) terminal.json({ taskId, status }, 2);
    else terminal.print([printable(taskId), status === "cancelled" ? " is cancelled" : " is told to stop"]);
    return 0;
  } finally {
    await coordinator?.close();
    await view.close();
  }
}
