import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { guardedController } from "./guarded-signal.ts";

/** What nobody caught until the test is over. */
function uncaughtErrors(): unknown[] {
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => void uncaught.push(error);
  process.on("uncaughtException", note);
  process.on("unhandledRejection", note);
  onTestFinished(() => {
    process.off("uncaughtException", note);
    process.off("unhandledRejection", note);
  });
  return uncaught;
}

describe("a listener that throws", () => {
  const error = new Error("in a listener");
  const throwing = (): never => {
    throw error;
  };
  test.each<readonly [string, (signal: AbortSignal) => void]>([
    ["as a function", (signal) => signal.addEventListener("abort", throwing)],
    ["as a promise", (signal) => signal.addEventListener("abort", async () => throwing())],
    ["as an object", (signal) => signal.addEventListener("abort", { handleEvent: throwing })],
    [
      "when it is asked for its method",
      (signal) =>
        signal.addEventListener("abort", Object.defineProperty({}, "handleEvent", { get: throwing }) as never),
    ],
    [
      "as onabort",
      (signal) => {
        signal.onabort = throwing;
      },
    ],
  ])("%s is told of, and ends nothing", async (_, listen) => {
    const uncaught = uncaughtErrors();
    const thrown: unknown[] = [];
    const controller = guardedController((one) => thrown.push(one));
    listen(controller.signal);
    let heard = 0;
    controller.signal.addEventListener("abort", () => heard++);
    controller.abort();
    await new Promise((resolve) => setImmediate(resolve));
    expect({ thrown, heard, uncaught }).toEqual({ thrown: [error], heard: 1, uncaught: [] });
  });
});

describe("everything else is as with any signal", () => {
  const threw = (): void => undefined;

  test("who listens twice is called once, who stops listening is not, and each with the signal and the event", () => {
    const controller = guardedController(() => undefined);
    const { signal } = controller;
    const calls: unknown[] = [];
    function twice(this: AbortSignal, event: Event): void {
      calls.push(this === signal, event.type);
    }
    const removed = (): void => void calls.push("removed");
    signal.addEventListener("abort", twice);
    signal.addEventListener("abort", twice);
    signal.addEventListener("abort", removed);
    signal.removeEventListener("abort", removed);
    signal.onabort = removed;
    expect(signal.onabort).toBe(removed);
    signal.onabort = null;
    expect(signal.onabort).toBe(null);
    signal.addEventListener("abort", null as never);
    controller.abort("why");
    expect(calls).toEqual([true, "abort"]);
    expect([signal.aborted, signal.reason, signal instanceof AbortSignal]).toEqual([true, "why", true]);
  });

  test("who listens until another signal is aborted does not listen any more from then on", () => {
    const [listened, plain, own] = [guardedController(threw), new AbortController(), guardedController(threw)];
    let heard = 0;
    const hear = () => heard++;
    listened.signal.addEventListener("abort", hear, { signal: plain.signal });
    listened.signal.addEventListener("abort", () => hear(), { signal: own.signal });
    plain.abort();
    own.abort();
    listened.abort();
    expect(heard).toBe(0);
  });

  test("a listener for both ways of an event is taken from each alone, and one that is left out is refused", () => {
    const controller = guardedController(threw);
    let heard = 0;
    const hear = () => heard++;
    controller.signal.addEventListener("abort", hear, true);
    controller.signal.addEventListener("abort", hear);
    controller.signal.removeEventListener("abort", hear, { capture: true });
    controller.abort();
    expect(heard).toBe(1);
    expect(() => Reflect.apply(controller.signal.addEventListener, controller.signal, ["abort"])).toThrow(TypeError);
  });

  test("one function listens to several, and each is told what it throws there", () => {
    const thrown: string[] = [];
    const both = ["first", "second"].map((name) => guardedController(() => thrown.push(name)));
    const throwing = () => {
      throw new Error("no");
    };
    for (const { signal } of both) signal.addEventListener("abort", throwing);
    for (const controller of both.reverse()) controller.abort();
    expect(thrown).toEqual(["second", "first"]);
  });

  test("what the platform makes of a signal works", async () => {
    const controller = guardedController(() => undefined);
    const { signal } = controller;
    const any = AbortSignal.any([signal]);
    const waits = [
      sleep(60_000, undefined, { signal }),
      once(new EventTarget(), "never", { signal }),
      fetch("http://127.0.0.1:9", { signal }),
    ];
    controller.abort(new Error("enough"));
    expect(any.aborted).toBe(true);
    for (const wait of waits) await expect(wait).rejects.toThrow();
  });
});
