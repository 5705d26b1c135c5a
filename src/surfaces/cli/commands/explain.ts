import type { Json } from "../../../coordination/structures/types.ts";
import { chooseJournal } from "../journal-choice.ts";
import { viewJournal } from "../journal-view.ts";
import { type Line, paint } from "../line.ts";
import { clock } from "../quantity.ts";
import { explainChosen } from "../task-choice.ts";
import type { Terminal } from "../terminal.ts";
import { printable, safeJson } from "../text.ts";

export interface ExplainOptions {
  readonly journal?: string;
  readonly json?: boolean;
}

/** Characters of what is to be approved that are shown at once. */
const SHOWN_SUBJECT = 4_000;

/** What exactly is to be approved, if something is. */
function subjectLine(need: Json | undefined): Line[] {
  if (typeof need !== "object" || need === null || !("subject" in need)) return [];
  const text = safeJson(need.subject);
  const cut = text.length > SHOWN_SUBJECT ? `${text.slice(0, SHOWN_SUBJECT)}… (--json has all of it)` : text;
  return [["  ", paint("yellow", "to approve"), ` ${cut}`]];
}

/** Says why a task runs, waits or ended, in the scheduler's own words. */
export async function explainCommand(task: string, options: ExplainOptions, terminal: Terminal): Promise<number> {
  const view = await viewJournal(chooseJournal(options.journal));
  try {
    const explanation = await explainChosen(view, task);
    if (options.json === true) {
      terminal.json(explanation, 2);
      return 0;
    }
    const { taskId, status, text, reasons } = explanation;
    const head = reasons.length === 0 ? `${status}: ${text}` : `${status}, ${text.split(":")[0]}:`;
    terminal.printWhole([paint("bold", printable(taskId)), ` ${printable(head)}`]);
    terminal.printWhole(...reasons.map((reason) => ["  ", paint("cyan", reason.code), ` ${printable(reason.text)}`]));
    terminal.printWhole(...reasons.flatMap(({ need }) => subjectLine(need)));
    if (view.asOf !== undefined) {
      terminal.print([paint("dim", `nobody runs it now; as of event ${view.asOf.seq}, ${clock(view.asOf.at)}`)]);
    }
    return 0;
  } finally {
    await view.close();
  }
}
