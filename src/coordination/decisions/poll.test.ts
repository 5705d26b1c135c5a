import { expect, test } from "vitest";
import { type PollHost, poll } from "./poll.ts";

/** Timers that go off when the test says so. */
class Timers implements PollHost<undefined> {
  readonly set: { readonly ms: number; readonly run: () => void }[] = [];
  aborted = 0;
  time = 0;

  now(): number {
    return this.time;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { ms, run };
    this.set.push(timer);
    return () => this.set.splice(this.set.indexOf(timer), 1);
  }

  abortable() {
    return { signal: undefined, abort: () => (this.aborted += 1) };
  }

  /** The one that there is goes off, so much later than it was to. */
  goesOff(lateMs = 0): void {
    const timer = this.set.shift();
    this.time += (timer?.ms ?? 0) + lateMs;
    timer?.run();
  }
}

/** Lets everything run that only waits for promises. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await undefined;
}

const never = new Promise<string>(() => undefined);

test("the answers that were handed over are not touched by late ones", async () => {
  const host = new Timers();
  const late = Promise.withResolvers<string>();
  const pending = poll(host, [0, 1], 5, (place) => (place === 0 ? late.promise : "yes"));
  await settled();
  host.goesOff(1);
  const answers = await pending;
  late.resolve("no");
  await settled();
  expect(answers).toEqual([undefined, "yes"]);
  expect(host.aborted).toBe(1);
});

test("places are asked in the order given, and answers stand where their places are", async () => {
  const asked: number[] = [];
  const answers = await poll(new Timers(), [2, 0, 1], 5, (place) => {
    asked.push(place);
    return place === 0 ? Promise.resolve("0") : `${place}`;
  });
  expect(asked).toEqual([2, 0, 1]);
  expect(answers).toEqual(["0", "1", "2"]);
});

test("who answers at once needs no timer", async () => {
  const host = new Timers();
  const pending = poll(host, [0, 1], 5, () => "yes");
  expect(host.set).toEqual([]);
  expect(await pending).toEqual(["yes", "yes"]);
});

test("when the timer goes off late, an answer that came meanwhile is taken", async () => {
  const host = new Timers();
  const busy = Promise.withResolvers<string>();
  const pending = poll(host, [0, 1], 5, (place) => (place === 0 ? busy.promise : never));
  expect(host.set.map(({ ms }) => ms)).toEqual([5]);
  host.goesOff(2);
  busy.resolve("yes");
  await settled();
  expect(host.set.map(({ ms }) => ms)).toEqual([0]);
  host.goesOff();
  expect(await pending).toEqual(["yes", undefined]);
});

test("when the last answer comes between, that timer is taken back", async () => {
  const host = new Timers();
  const busy = Promise.withResolvers<string>();
  const pending = poll(host, [0], 5, () => busy.promise);
  host.goesOff(2);
  busy.resolve("yes");
  expect(await pending).toEqual(["yes"]);
  expect(host.set).toEqual([]);
  expect(host.aborted).toBe(0);
});

test("a promise of any kind is waited for, and one that throws as it is looked at is no answer", async () => {
  // biome-ignore lint/suspicious/noThenProperty: what this is about
  const thenable = { then: (resolve: (answer: string) => void) => resolve("yes") };
  // biome-ignore lint/suspicious/noThenProperty: what this is about
  const callable = Object.assign(() => "no", { then: thenable.then });
  const hostile = new Proxy(thenable, {
    get: () => {
      throw new Error("look away");
    },
  });
  const answers = [thenable, callable, hostile, Promise.reject(new Error("no"))];
  expect(await poll(new Timers(), [0, 1, 2, 3], 5, (place) => answers[place] as Promise<string>)).toEqual([
    "yes",
    "yes",
    undefined,
    undefined,
  ]);
});
