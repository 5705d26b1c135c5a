/** The size of the heap when nothing is in it that could go. */

/** Bytes that are in use, in the heap and outside of it. */
export function bytesInUse(): number {
  if (globalThis.gc === undefined) throw new Error("run it with --expose-gc, as npm run bench does");
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
