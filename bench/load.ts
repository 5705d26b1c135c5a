/** What coordinators are given to do: no-op tasks by clients that wait for each, or in lists. */
import { Coordinator, defineAgent } from "../src/index.ts";

/** Tasks in a list. */
export const LISTED = 500;
const SUBMITTERS = 4;

export interface Load {
  readonly journal: string;
  /** Clients, and the most attempts that run at a time. */
  readonly clients: number;
  readonly tasks: number;
}

/** Opens a coordinator, has so many tasks done, calls `measure` round the same again, and closes it. */
export async function underLoad<T>(
  { journal, clients, tasks, warmUp }: Load & { readonly warmUp: number },
  measure: (work: () => Promise<void>) => Promise<T>,
): Promise<T> {
  await using coordinator = await Coordinator.open({ journal, concurrency: clients });
  await coordinator.register(defineAgent({ name: "noop", capacity: clients, run: () => null }));
  await drive(coordinator, clients, warmUp);
  return await measure(() => drive(coordinator, clients, tasks));
}

async function drive(coordinator: Coordinator, clients: number, tasks: number): Promise<void> {
  let left = tasks;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const handle = await coordinator.submit({});
      await handle.result();
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
}

/** Submits so many tasks in lists, several of them at a time. */
export async function submitInLists(coordinator: Coordinator, tasks: number): Promise<void> {
  let left = tasks;
  const submitter = async (): Promise<void> => {
    while (left > 0) {
      const count = Math.min(left, LISTED);
      left -= count;
      await coordinator.submit(Array.from({ length: count }, () => ({})));
    }
  };
  await Promise.all(Array.from({ length: SUBMITTERS }, submitter));
}
