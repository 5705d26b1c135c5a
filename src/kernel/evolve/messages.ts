/** Messages of agents. */

import type { MessageSentEvent } from "../events/messages.ts";
import type { EventHead } from "../events.ts";
import type { State } from "../state.ts";

export function messageSent(state: State, event: MessageSentEvent & EventHead): void {
  const { messageId: id, from, to, topic, body, size, at } = event;
  const number = state.mail.lastNumber + 1;
  const where = to === undefined ? (topic === undefined ? {} : { topic }) : { to };
  state.mail.keep({ id, number, from, ...where, at, body, size });
}
