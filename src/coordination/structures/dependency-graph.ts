/**
 * Cycles in a graph of who depends on whom, found before an edge that closes one is let in.
 *
 * 1. The graph without the new edges has no cycle, so every cycle goes through a new edge: the search starts there and looks
 *    at nothing that the new edges do not lead to.
 * 2. No recursion: a chain of any length fits.
 * 3. The cycle that is found depends on the order of the edges alone.
 */

/**
 * The cycle that new edges would close, or `undefined`. Each id in it depends on the next one, and the last one on the first;
 * no id is in it twice.
 *
 * `targets` are what the new edges lead to (for a new edge "a depends on b": b), and `dependenciesOf` answers with the new
 * edges already in. An id that it does not know has no dependencies. Linear in what can be reached from the targets.
 */
export function findCycle(
  targets: Iterable<string>,
  dependenciesOf: (id: string) => Iterable<string>,
): readonly string[] | undefined {
  /** true while the node is on the path, false when all that it leads to has been searched. */
  const onPath = new Map<string, boolean>();
  const path: string[] = [];
  const edges: { readonly from: string; readonly to: Iterator<string> }[] = [];
  const enter = (id: string): void => {
    onPath.set(id, true);
    path.push(id);
    edges.push({ from: id, to: dependenciesOf(id)[Symbol.iterator]() });
  };
  for (const target of targets) {
    if (!onPath.has(target)) enter(target);
    for (let top = edges.at(-1); top !== undefined; top = edges.at(-1)) {
      const edge = top.to.next();
      if (edge.done === true) {
        edges.pop();
        path.pop();
        onPath.set(top.from, false);
        continue;
      }
      const met = onPath.get(edge.value);
      if (met === undefined) enter(edge.value);
      else if (met) return path.slice(path.indexOf(edge.value));
    }
  }
  return undefined;
}

/**
 * The cycle among nodes that are added together, from id to what it depends on, or `undefined`. Nothing older may depend on
 * them yet, so older nodes need not be looked at. When each depends only on older ones and on those before it, no search is
 * made.
 */
export function findCycleAmong(added: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  return inOrder(added) ? undefined : findCycle(added.keys(), (id) => added.get(id) ?? []);
}

function inOrder(added: ReadonlyMap<string, readonly string[]>): boolean {
  const before = new Set<string>();
  for (const [id, dependsOn] of added) {
    for (const other of dependsOn) if (added.has(other) && !before.has(other)) return false;
    before.add(id);
  }
  return true;
}
