/** Who is answered by the output of another, who gives it, and who waits for it: decided before anything is started. */

import { flightKey, isUndecided, lead, leadOrFollow } from "./flights.ts";
import { answerFromBefore, giveOutput } from "./life.ts";
import type { Model } from "./model.ts";

/** Whether anything was decided. */
export function share(model: Model): boolean {
  let decided = false;
  // Who was opened without those whose verdict they waited for waits for none.
  if (model.settings.guardrails.output === undefined) {
    for (const [task, { by }] of [...model.offers]) {
      if (!model.offers.has(task)) continue;
      giveOutput(model, task, "other", by);
      decided = true;
    }
  }
  for (const flight of [...model.flights]) {
    if (flight.leader !== undefined) continue;
    decided = true;
    for (const task of [...flight.followers]) {
      if (!flight.followers.includes(task)) continue;
      if (answerFromBefore(model, task, flight.key)) continue;
      lead(model, task, { alone: false });
      break;
    }
  }
  // Who becomes ready by that comes after those who were.
  for (const task of model.tasks.filter((one) => isUndecided(model, one))) {
    if (!isUndecided(model, task)) continue;
    decided = true;
    if (!answerFromBefore(model, task, flightKey(model, task))) leadOrFollow(model, task);
  }
  return decided;
}
