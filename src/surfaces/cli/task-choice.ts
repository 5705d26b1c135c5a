import { runsAmong } from "../../crew/run.ts";
import { isSafeguardsError } from "../../errors.ts";
import type { Explanation } from "../../kernel/views.ts";
import type { JournalView } from "./journal-view.ts";

/** What is to be said of the task that a person means: an id as it is, or one within the latest run. UNKNOWN_TASK. */
export async function explainChosen(view: JournalView, asked: string): Promise<Explanation> {
  try {
    return await view.explain(asked);
  } catch (error) {
    if (!isSafeguardsError(error, "UNKNOWN_TASK")) throw error;
    const latest = runsAmong(await view.tasks()).at(-1);
    if (latest === undefined) throw error;
    return await view.explain(`${latest.id}/${asked}`).catch(() => {
      throw error;
    });
  }
}
