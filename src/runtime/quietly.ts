/** What nobody need look at: whoever looks late, or never, at what it asked for has left no error unhandled. */

/** The same promise; its rejection is no unhandled one. */
export function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** The same generator, whose promises are such. */
export function quietlyRead<T>(generator: AsyncGenerator<T, void, undefined>): AsyncGenerator<T, void, undefined> {
  const next = generator.next.bind(generator);
  generator.next = () => quietly(next());
  return generator;
}
