/** Lists in words. */

/** Names listed in a reason; more are counted, not listed. */
export const MOST_NAMES = 20;

/** `a`, `a and b`, `a, b and c`; of many the first and how many more. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES);
  const last = names.length > shown.length ? `${names.length - shown.length} more` : shown.pop();
  return shown.length === 0 ? `${last}` : `${shown.join(", ")} and ${last}`;
}
