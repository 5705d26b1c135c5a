/** Messages of agents. */

import type { MessageSentEvent } from "../events/messages.ts";
import type { EventHead } from "../events.ts";
import type { State } from "../state.ts";

export function messageSent(state: State, event: MessageSentEvent & EventHead): void {
  const { messageId: id, from, to, topic, body, size, at } = event;
  const number = state.mail.lastNumber + 1;
  state.mail.keep({
    id,
    number,
    from,
    ...(to === undefined ? {} : { to }),
    ...(topic === undefined ? {} : { topic }),
    at,
    body,
    size,
  });
}
