import type { Refused } from "./refused.fixture.ts";
import { invalid } from "./refused.fixture.ts";

const verdicts = [{ guardrail: "last", verdict: "allow" }] as const;

export const sharing: readonly Refused[] = [
  invalid("task id is 7; it must be a task's id, up to 4096 characters", {
    type: "task.answer",
    taskId: 7,
    from: "a",
    verdicts,
  }),
  {
    ask: (story) => {
      story.submit({ id: "a", cacheKey: "k" });
      return { type: "task.answer", taskId: "a", from: "b", verdicts };
    },
    code: "INVALID_STATE",
    says: 'task a waits for no verdict on the output of "b"',
    details: { taskId: "a" },
  },
];
