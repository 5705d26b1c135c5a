import type { Story } from "../story.fixture.ts";
import { invalid, type Refused } from "./refused.fixture.ts";

const nobody = { taskId: "a", token: 1 } as const;
const text = "it must be a string of 1 to 1024 characters";

function running(story: Story): { readonly taskId: string; readonly token: number } {
  story.submit({ id: "a" });
  return story.from("a");
}

function setting(more: object): unknown {
  return { type: "state.set", ...nobody, key: "k", value: 1, ...more };
}

export const sharedState: readonly Refused[] = [
  invalid(
    'state has the unknown key "ttl"; allowed: type, taskId, token, key, value, expectedVersion',
    setting({ ttl: 1 }),
  ),
  invalid('state has the unknown key "value"; allowed: type, taskId, token, key, expectedVersion', {
    type: "state.delete",
    ...nobody,
    key: "k",
    value: 1,
  }),
  invalid(`key is ""; ${text}`, setting({ key: "" })),
  invalid(`key is 7; ${text}`, { type: "state.delete", ...nobody, key: 7 }),
  invalid("expectedVersion is -1; it must be an integer from 0 to 9007199254740991", setting({ expectedVersion: -1 })),
  {
    ask: (story) => ({ type: "state.set", ...running(story), key: "agent/bob/x", value: 1 }),
    code: "UNAUTHORIZED",
    says: 'agent ann may not write "agent/bob/x": of keys under agent/ an agent writes only those under agent/ann/',
    details: { agent: "ann", key: "agent/bob/x" },
  },
  {
    ask: (story) => ({ type: "state.set", ...running(story), key: "k", value: 1, expectedVersion: 3 }),
    code: "INVALID_STATE",
    says: '"k" is not there, not the expected version 3',
    details: { key: "k", version: 0, expectedVersion: 3 },
  },
  {
    ask: (story) => {
      const from = running(story);
      story.do({ type: "state.set", ...from, key: "k", value: 1 });
      return { type: "state.delete", ...from, key: "k", expectedVersion: 0 };
    },
    code: "INVALID_STATE",
    says: '"k" has version 1, not the expected version 0',
    details: { key: "k", version: 1, expectedVersion: 0 },
  },
  {
    ask: (story) => {
      const from = running(story);
      for (let i = 0; i < 100; i++)
        story.do(
          ...Array.from(
            { length: 1_000 },
            (_, j) => ({ type: "state.set", ...from, key: `k${i}-${j}`, value: 1 }) as const,
          ),
        );
      return { type: "state.set", ...from, key: "k", value: 1 };
    },
    code: "QUEUE_FULL",
    says: "the shared state has 100000 keys: that is the most",
    details: { key: "k" },
  },
  {
    ask: (story) => {
      const from = running(story);
      // With its quotes and a key of three characters, a 64th of what there may be.
      const value = "x".repeat(1_048_576 - 5);
      for (let i = 0; i < 63; i++) story.do({ type: "state.set", ...from, key: `k${i + 10}`, value });
      story.do({ type: "state.set", ...from, key: "k10", value });
      return { type: "state.set", ...from, key: "new", value: `${value}x` };
    },
    code: "QUEUE_FULL",
    says: "the shared state would hold more than 67108864 characters",
    details: { key: "new" },
  },
];
