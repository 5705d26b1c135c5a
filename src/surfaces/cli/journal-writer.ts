/** The one who writes a journal: the process that has it, or this one when nobody has. */
import { Coordinator } from "../../runtime/coordinator.ts";
import { viewJournal } from "./journal-view.ts";

/** Does what is to be done with the journal at that path, which is there, and lets go of it. */
export async function withWriter<T>(path: string, use: (coordinator: Coordinator) => Promise<T>): Promise<T> {
  const view = await viewJournal(path);
  let coordinator = view.running;
  try {
    coordinator ??= await Coordinator.open({ journal: `sqlite:${path}` });
    return await use(coordinator);
  } finally {
    await coordinator?.close();
    await view.close();
  }
}
