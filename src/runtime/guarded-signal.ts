/**
 * A signal for users' code whose listeners may throw.
 *
 * What a listener of a platform's signal throws, or rejects with, ends the process: nobody can catch it there. So each listener is
 * called by one of ours, which catches that. Signals that are made of this one are the platform's own.
 */
type Listener = (this: AbortSignal, event: Event) => unknown;

/** A controller of such a signal. `threw` is told what a listener threw. */
export function guardedController(threw: (error: unknown) => void): AbortController {
  const controller = new AbortController();
  const { signal } = controller;
  const guards = new WeakMap<object, Listener>();
  const guardOf = (listener: unknown): unknown => {
    if (listener === null || (typeof listener !== "function" && typeof listener !== "object")) return listener;
    const guard = guards.get(listener) ?? guarded(signal, listener, threw);
    guards.set(listener, guard);
    return guard;
  };
  const passing =
    (name: "addEventListener" | "removeEventListener") =>
    (type: unknown, listener: unknown, ...options: unknown[]): unknown =>
      Reflect.apply(EventTarget.prototype[name], signal, [type, guardOf(listener), ...options]);
  let onAbort: unknown = null;
  Object.defineProperties(signal, {
    addEventListener: { value: passing("addEventListener"), configurable: true },
    removeEventListener: { value: passing("removeEventListener"), configurable: true },
    onabort: {
      get: () => onAbort,
      set: (listener: unknown) => {
        onAbort = typeof listener === "function" ? listener : null;
        Reflect.set(AbortSignal.prototype, "onabort", guardOf(onAbort), signal);
      },
      configurable: true,
    },
  });
  return controller;
}

function guarded(signal: AbortSignal, listener: object, threw: (error: unknown) => void): Listener {
  return (event) => {
    try {
      const handle: unknown = typeof listener === "function" ? listener : Reflect.get(listener, "handleEvent");
      if (typeof handle !== "function") return;
      const given: unknown = Reflect.apply(handle, typeof listener === "function" ? signal : listener, [event]);
      // Only a promise can find out whether it is one without risk.
      if (typeof given === "object" && given !== null) Promise.resolve(given).catch(threw);
    } catch (error) {
      threw(error);
    }
  };
}
