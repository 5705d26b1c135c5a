import { SafeguardsError } from "../../errors.ts";

/** What asking needs of the place where it runs. `Signal` is that place's AbortSignal. */
export interface PollHost<Signal> {
  /** Runs once, `ms` milliseconds from now, unless cancelled by what it returns. */
  after(ms: number, run: () => void): () => void;
  abortable(): Abortable<Signal>;
  /** Milliseconds, to tell whether a timer goes off late. */
  now(): number;
}

export interface Abortable<Signal> {
  readonly signal: Signal;
  abort(reason: SafeguardsError): void;
}

/** A timer that goes off no later than this is on time. */
const PUNCTUAL_MS = 1;

/**
 * Asks for each of these places at the same time and waits until all have answered, or for `timeoutMs`. The answers stand in
 * their places; where there is none it is `undefined`.
 *
 * 1. The promise is never rejected: who throws or rejects has no answer, and neither has who is late.
 * 2. A late answer changes nothing: the answers are handed over once, and not touched again.
 * 3. When time is up, the signals of those who are late are aborted, with TIMEOUT as the reason; no other signal ever is.
 * 4. Time begins when all have been asked: one that keeps everything busy as it is asked takes it from nobody. What is
 *    answered at once is never late; to look at a clock for each would be a quarter of the work.
 * 5. One timer serves all, where anybody is waited for. When it goes off late, since everything was kept busy, those come first
 *    whose answers arrived meanwhile.
 */
export function poll<Signal, Answer>(
  host: PollHost<Signal>,
  places: readonly number[],
  timeoutMs: number,
  ask: (place: number, signal: Signal) => Answer | PromiseLike<Answer>,
): Promise<readonly (Answer | undefined)[]> {
  const answers = new Array<Answer | undefined>(places.length).fill(undefined);
  const waitingFor = new Map<number, Abortable<Signal>>();
  return new Promise((handOver) => {
    let cancel = (): void => undefined;
    const settle = (place: number, answer: Answer | undefined): void => {
      if (!waitingFor.delete(place)) return;
      answers[place] = answer;
      if (waitingFor.size > 0) return;
      cancel();
      handOver(answers);
    };
    const close = (): void => {
      const late = [...waitingFor.values()];
      waitingFor.clear();
      handOver(answers);
      for (const one of late) one.abort(new SafeguardsError("TIMEOUT", `no vote within ${timeoutMs} ms`));
    };

    for (const place of places) {
      const one = host.abortable();
      const answer = answerOf(ask, place, one.signal);
      if (!(answer instanceof Promise)) {
        answers[place] = answer;
        continue;
      }
      waitingFor.set(place, one);
      answer.then(
        (given) => settle(place, given),
        () => settle(place, undefined),
      );
    }
    if (waitingFor.size === 0) handOver(answers);
    else {
      const until = host.now() + timeoutMs;
      cancel = host.after(timeoutMs, () => {
        if (host.now() > until + PUNCTUAL_MS) cancel = host.after(0, close);
        else close();
      });
    }
  });
}

/** What is given at once is as it is; what is promised, by whatever kind of promise, is a promise of ours. */
function answerOf<Signal, Answer>(
  ask: (place: number, signal: Signal) => Answer | PromiseLike<Answer>,
  place: number,
  signal: Signal,
): Answer | Promise<Answer> | undefined {
  try {
    const answer = ask(place, signal);
    return isPromised(answer) ? new Promise((resolve) => resolve(answer)) : answer;
  } catch {
    return undefined;
  }
}

function isPromised<Answer>(answer: Answer | PromiseLike<Answer>): answer is PromiseLike<Answer> {
  const mayBe = (typeof answer === "object" && answer !== null) || typeof answer === "function";
  return mayBe && "then" in answer && typeof answer.then === "function";
}
