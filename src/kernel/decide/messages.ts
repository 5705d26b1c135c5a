/** Messages between agents: sent to one, or published to a topic; and what was read of them. */
import { checkId, checkKeys, invalid } from "../../coordination/structures/arguments.ts";
import type { Json } from "../../coordination/structures/types.ts";
import type { LiveAttempt } from "../attempt.ts";
import type { Answer, Command } from "../commands.ts";
import { limits } from "../limits.ts";
import type { Full } from "../mailroom.ts";
import { agentNamed, type Desk, DONE, refused, speaker } from "./desk.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

export function send(desk: Desk, command: CommandOf<"message.send">): Answer {
  checkKeys(command, ["type", "taskId", "token", "to", "topic", "body"], "message");
  const { body } = command;
  const where = destination(command);
  const size = sizeOf(body);
  if (size > limits.messageCharacters)
    throw invalid("the size of the message", size, `at most ${limits.messageCharacters} characters of JSON`);
  const live = speaker(desk.state, command);
  const { mail } = desk.state;
  if ("to" in where) {
    agentNamed(desk.state, where.to);
    const full = mail.fullFor(where.to, size);
    if (full !== undefined) throw refused("QUEUE_FULL", fullness(where.to, full), { agent: where.to });
  }
  const messageId = `m${mail.lastNumber + 1}`;
  desk.emit({
    type: "message.sent",
    v: 1,
    messageId,
    from: live.agent.name,
    ...where,
    body,
    size,
    taskId: live.task.id,
    token: live.token,
  });
  return { ok: true, ids: [messageId] };
}

export function read(desk: Desk, command: CommandOf<"message.read">): Answer {
  checkKeys(command, ["type", "taskId", "token", "ids"], "reading");
  noteRead(desk, speaker(desk.state, command), command.ids);
  return DONE;
}

/** What is not kept any more, or was read before, is nothing new. */
export function noteRead(desk: Desk, live: LiveAttempt, ids: readonly string[] = NOTHING): void {
  if (!Array.isArray(ids) || ids.length > limits.messagesInHand)
    throw invalid("ids", ids, `a list of at most ${limits.messagesInHand} messages' ids`);
  const agent = live.agent.name;
  const fresh = ids.filter((id) => desk.state.mail.isUnread(agent, id));
  if (fresh.length === 0) return;
  desk.emit({ type: "message.read", v: 1, agent, ids: fresh, taskId: live.task.id, token: live.token });
}

const NOTHING: readonly string[] = [];

/** Characters of a value as JSON. */
export function sizeOf(value: Json): number {
  return JSON.stringify(value).length;
}

/** An agent, or else a topic. */
function destination({ to, topic }: CommandOf<"message.send">): { readonly to: string } | { readonly topic: string } {
  if (to !== undefined && topic === undefined) return { to: checkId(to, "to") };
  if (to !== undefined) throw invalid("topic", topic, "left out of a message to an agent");
  if (typeof topic === "string" && topic.length > 0 && topic.length <= limits.idLength) return { topic };
  throw invalid("topic", topic, `a string of 1 to ${limits.idLength} characters`);
}

function fullness(agent: string, full: Full): string {
  if ("messages" in full) return `the mailbox of ${agent} holds ${full.messages} unread messages: that is the most`;
  if (full.of === "mailbox")
    return `the mailbox of ${agent} would hold more than ${full.characters} characters: that is the most`;
  return `all mailboxes together would hold more than ${full.characters} characters: that is the most`;
}
