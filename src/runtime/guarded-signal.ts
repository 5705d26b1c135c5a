/**
 * A signal for users' code whose listeners may throw.
 *
 * What a listener of a platform's signal throws, or rejects with, ends the process: nobody can catch it there. So each listener is
 * called by one of ours, which catches that. Signals that are made of this one are the platform's own.
 */
type Listener = (this: AbortSignal, event: Event) => void;
type Threw = (error: unknown) => void;

/** Of the signals that there are, who is told. */
const told: WeakMap<AbortSignal, Threw> = new WeakMap();
/** By the listeners that they call; each is its own, too: what the platform adds and removes by itself is what it knows. */
const guards: WeakMap<object, Listener> = new WeakMap();
const handlers: WeakMap<AbortSignal, unknown> = new WeakMap();

/** All such signals have these, so that one more costs little. */
const members: PropertyDescriptorMap = {
  addEventListener: { value: passing("addEventListener"), configurable: true },
  removeEventListener: { value: passing("removeEventListener"), configurable: true },
  onabort: {
    get(this: AbortSignal): unknown {
      return handlers.get(this) ?? null;
    },
    set(this: AbortSignal, listener: unknown): void {
      const handler = typeof listener === "function" ? listener : null;
      handlers.set(this, handler);
      Reflect.set(AbortSignal.prototype, "onabort", guardOf(handler), this);
    },
    configurable: true,
  },
};

/** A controller of such a signal. `threw` is told what a listener threw. */
export function guardedController(threw: Threw): AbortController {
  const controller = new AbortController();
  told.set(controller.signal, threw);
  Object.defineProperties(controller.signal, members);
  return controller;
}

function passing(name: "addEventListener" | "removeEventListener") {
  return function (this: AbortSignal, ...given: unknown[]): void {
    if (given.length > 1) given[1] = guardOf(given[1]);
    Reflect.apply(EventTarget.prototype[name], this, given);
  };
}

function guardOf(listener: unknown): unknown {
  if (listener === null || (typeof listener !== "function" && typeof listener !== "object")) return listener;
  const known = guards.get(listener);
  if (known !== undefined) return known;
  const guard = guarded(listener);
  guards.set(listener, guard);
  guards.set(guard, guard);
  return guard;
}

function guarded(listener: object): Listener {
  return function (event) {
    const threw = (error: unknown): void => told.get(this)?.(error);
    try {
      const handle: unknown = typeof listener === "function" ? listener : Reflect.get(listener, "handleEvent");
      if (typeof handle !== "function") return;
      const given: unknown = Reflect.apply(handle, typeof listener === "function" ? this : listener, [event]);
      // Only a promise can find out whether it is one without risk.
      if (typeof given === "object" && given !== null) Promise.resolve(given).catch(threw);
    } catch (error) {
      threw(error);
    }
  };
}
