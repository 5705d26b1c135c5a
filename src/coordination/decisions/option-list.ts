import type { Offer, Reading } from "./voting-rule.ts";

/** A vote that lists options that are offered, each at most once: a ranking, the best first, or a set. The list may be empty. */
export function readList<O extends string>(vote: unknown, { options, places }: Offer<O>): Reading<O> | undefined {
  // Longer than the offer is never without a stranger or a double, and is not looked through.
  if (!Array.isArray(vote) || vote.length > options.length) return undefined;
  const given: readonly unknown[] = vote;
  // As long as they will be: growing them is most of the work.
  const picks = new Array<number>(given.length);
  const names = new Array<O>(given.length);
  const seen = new Uint8Array(options.length);
  for (let rank = 0; rank < given.length; rank += 1) {
    const place = places.get(given[rank]);
    const name = place === undefined ? undefined : options[place];
    if (place === undefined || name === undefined || seen[place] === 1) return undefined;
    seen[place] = 1;
    picks[rank] = place;
    names[rank] = name;
  }
  return { vote: names, picks, points: undefined };
}
