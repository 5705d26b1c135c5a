/**
 * What stands at an index that its caller knows to be there. An index beyond the end breaks an invariant of the caller, and
 * throws where it was read instead of going on with a zero. A function for each kind of list, so that each stays fast.
 */

export function itemAt<T>(items: readonly T[], index: number): T {
  const item = items[index];
  if (item === undefined) throw beyond(index, items.length);
  return item;
}

export function integerAt(integers: Int32Array | Uint32Array | Uint8Array, index: number): number {
  const integer = integers[index];
  if (integer === undefined) throw beyond(index, integers.length);
  return integer;
}

export function doubleAt(doubles: Float64Array, index: number): number {
  const double = doubles[index];
  if (double === undefined) throw beyond(index, doubles.length);
  return double;
}

function beyond(index: number, length: number): RangeError {
  return new RangeError(`nothing stands at ${index} of ${length}`);
}
