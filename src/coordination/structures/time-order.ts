import { SafeguardsError } from "../../errors.ts";
import { checkTime, show } from "./arguments.ts";

/** An instant that is not before the last one: time may stand still, and never goes back. Else INVALID_ARGUMENT. */
export function checkNotBefore(now: unknown, last: number): number {
  const time = checkTime(now);
  if (time >= last) return time;
  throw new SafeguardsError(
    "INVALID_ARGUMENT",
    `now is ${show(now)}; it must not be before ${last}, the time of an earlier call`,
  );
}
