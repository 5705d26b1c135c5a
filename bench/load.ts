/** Clients of one coordinator, each of which submits a no-op task, waits for its result, and submits the next. */
import { Coordinator, defineAgent } from "../src/index.ts";

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
