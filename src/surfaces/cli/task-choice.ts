import { runsAmong } from "../../crew/run.ts";
import { isSafeguardsError, SafeguardsError } from "../../errors.ts";
import type { Explanation } from "../../kernel/views.ts";
import type { JournalView } from "./journal-view.ts";

const SHOWN = 5;

/** What is to be said of the task that a person means: a whole id, or the end of one in the latest run. UNKNOWN_TASK. */
export async function explainChosen(view: JournalView, asked: string): Promise<Explanation> {
  try {
    return await view.explain(asked);
  } catch (error) {
    if (!isSafeguardsError(error, "UNKNOWN_TASK")) throw error;
    const tasks = await view.tasks();
    const latest = runsAmong(tasks).at(-1);
    const alike = tasks.flatMap(({ id }) =>
      latest !== undefined && id.startsWith(`${latest.id}/`) && id.endsWith(`/${asked}`) ? [id] : [],
    );
    const [only, ...others] = alike;
    if (only === undefined) throw error;
    if (others.length === 0) return view.explain(only);
    const names = alike.slice(0, SHOWN).join(", ");
    throw new SafeguardsError(
      "UNKNOWN_TASK",
      `${JSON.stringify(asked)} may be ${names}${alike.length > SHOWN ? ", …" : ""}; name one of them`,
    );
  }
}
