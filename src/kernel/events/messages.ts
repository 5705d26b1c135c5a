/** Messages of agents. */
import type { Json } from "../../coordination/structures/types.ts";
import type { LayoutsOf } from "./layout.ts";

/** An attempt sent a message, to an agent or to a topic. */
export interface MessageSentEvent {
  readonly type: "message.sent";
  readonly v: 1;
  readonly messageId: string;
  /** The agent whose attempt sent it. */
  readonly from: string;
  readonly to?: string;
  readonly topic?: string;
  readonly body: Json;
  /** Characters of the body as JSON. */
  readonly size: number;
  readonly taskId: string;
  readonly token: number;
}

/** An agent has read messages: they are handed to it no more. */
export interface MessageReadEvent {
  readonly type: "message.read";
  readonly v: 1;
  readonly agent: string;
  readonly ids: readonly string[];
  readonly taskId: string;
  readonly token: number;
}

export type MessageEvent = MessageSentEvent | MessageReadEvent;

export const MESSAGE_EVENTS: LayoutsOf<MessageEvent> = {
  "message.sent": { code: 58, v: 1, fields: ["messageId", "from", "to", "topic", "body", "size", "taskId", "token"] },
  "message.read": { code: 59, v: 1, fields: ["agent", "ids", "taskId", "token"] },
};
