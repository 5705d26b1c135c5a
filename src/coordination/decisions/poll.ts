import { SafeguardsError } from "../../errors.ts";

/** What asking needs of the place where it runs. `Signal` is that place's AbortSignal. */
export interface PollHost<Signal> {
  /** Runs once, `ms` milliseconds from now, unless cancelled by what it returns. */
  after(ms: number, run: () => void): () => void;
  abortable(): { readonly signal: Signal; abort(reason: SafeguardsError): void };
}

/**
 * Asks everybody at the same time and waits until all have answered, or for `timeoutMs`.
 *
 * 1. The promise is never rejected: who throws or rejects has no answer, and neither has who is late.
 * 2. A late answer changes nothing: the answers are handed over once, and not touched again.
 * 3. When time is up, the signals of those who are late are aborted, with TIMEOUT as the reason; no other signal ever is.
 * 4. The timer is cancelled as soon as all have answered.
 */
export function poll<Signal, Answer>(
  host: PollHost<Signal>,
  names: readonly string[],
  timeoutMs: number,
  ask: (name: string, signal: Signal) => Answer | Promise<Answer>,
): Promise<ReadonlyMap<string, Answer>> {
  return new Promise((handOver) => {
    const answers = new Map<string, Answer>();
    const waitingFor = new Map(names.map((name) => [name, host.abortable()]));
    if (waitingFor.size === 0) return handOver(answers);

    for (const [name, { signal }] of waitingFor) {
      new Promise<Answer>((resolve) => resolve(ask(name, signal))).then(
        (answer) => settle(name, () => answers.set(name, answer)),
        () => settle(name),
      );
    }
    const cancel = host.after(timeoutMs, () => {
      const late = [...waitingFor.values()];
      waitingFor.clear();
      handOver(answers);
      for (const { abort } of late) abort(new SafeguardsError("TIMEOUT", `no vote within ${timeoutMs} ms`));
    });

    function settle(name: string, take?: () => void): void {
      if (!waitingFor.delete(name)) return;
      take?.();
      if (waitingFor.size > 0) return;
      cancel();
      handOver(answers);
    }
  });
}
