import { limits } from "../limits.ts";
import type { Story } from "../story.fixture.ts";
import { invalid, noId, type Refused } from "./refused.fixture.ts";

const nobody = { taskId: "a", token: 1 } as const;

function running(story: Story): { readonly taskId: string; readonly token: number } {
  story.submit({ id: "a" });
  return story.from("a");
}

function sending(more: object): unknown {
  return { type: "message.send", ...nobody, body: 1, ...more };
}

/** Messages of the largest size that there may be. */
function large(story: Story, to: string, count: number): void {
  const from = story.from("a");
  const body = "x".repeat(limits.messageCharacters - 2);
  story.do(...Array.from({ length: count }, () => ({ type: "message.send", ...from, to, body }) as const));
}

export const messages: readonly Refused[] = [
  invalid(
    'message has the unknown key "subject"; allowed: type, taskId, token, to, topic, body',
    sending({ to: "ann", subject: 1 }),
  ),
  invalid(noId("to", '"a/b"'), sending({ to: "a/b" })),
  invalid("topic is undefined; it must be a string of 1 to 256 characters", sending({})),
  invalid(
    `topic is "${"t".repeat(78)}…; it must be a string of 1 to 256 characters`,
    sending({ topic: "t".repeat(257) }),
  ),
  invalid('topic is "news"; it must be left out of a message to an agent', sending({ to: "ann", topic: "news" })),
  invalid(
    "the size of the message is 65537; it must be at most 65536 characters of JSON",
    sending({ to: "ann", body: "x".repeat(65_535) }),
  ),
  invalid('reading has the unknown key "of"; allowed: type, taskId, token, ids', {
    type: "message.read",
    ...nobody,
    ids: [],
    of: 1,
  }),
  {
    ask: (story) => ({ type: "message.read", ...running(story), ids: "m1" }),
    code: "INVALID_ARGUMENT",
    says: 'ids is "m1"; it must be a list of at most 1000 messages\' ids',
  },
  {
    ask: (story) => ({ type: "message.send", ...running(story), to: "eve", body: 1 }),
    code: "UNKNOWN_AGENT",
    says: 'no agent is registered under the name "eve"',
    details: { agent: "eve" },
  },
  {
    ask: (story) => {
      const send = { type: "message.send", ...running(story), to: "ann", body: 1 } as const;
      story.do(...Array.from({ length: 1_000 }, () => send));
      return send;
    },
    code: "QUEUE_FULL",
    says: "the mailbox of ann holds 1000 unread messages: that is the most",
    details: { agent: "ann" },
  },
  {
    ask: (story) => {
      const from = running(story);
      large(story, "ann", 64);
      return { type: "message.send", ...from, to: "ann", body: 1 };
    },
    code: "QUEUE_FULL",
    says: "the mailbox of ann would hold more than 4194304 characters: that is the most",
    details: { agent: "ann" },
  },
  {
    ask: (story) => {
      const from = running(story);
      for (let i = 0; i < 32; i++) {
        story.agent(`r${i}`);
        large(story, `r${i}`, 64);
      }
      return { type: "message.send", ...from, to: "ann", body: 1 };
    },
    code: "QUEUE_FULL",
    says: "all mailboxes together would hold more than 134217728 characters: that is the most",
    details: { agent: "ann" },
  },
];
