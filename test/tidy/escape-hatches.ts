/** Nothing talks the compiler out of what it knows: no `any`, no `!`, no comment that silences it. */
import { at, type Faults, type Source, walk } from "./source.ts";

const SILENCERS = /@ts-(ignore|nocheck|expect-error)/;

export function escapeHatches(sources: readonly Source[]): Faults {
  const faults: string[] = [];
  for (const source of sources) {
    walk(source.program, (node) => {
      if (node.type === "TSAnyKeyword") faults.push(at(source, node, "any"));
      if (node.type === "TSNonNullExpression") faults.push(at(source, node, "a non-null assertion"));
      if ("definite" in node && node.definite === true) faults.push(at(source, node, "a definite assignment"));
    });
    for (const comment of source.comments) {
      const [silencer] = SILENCERS.exec(comment.value) ?? [];
      if (silencer !== undefined) faults.push(at(source, comment, silencer));
    }
  }
  return faults;
}
