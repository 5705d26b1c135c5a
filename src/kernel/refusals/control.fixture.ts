import type { Story } from "../story.fixture.ts";
import { invalid, type Refused } from "./refused.fixture.ts";

const id = "it must be a task's id, up to 4096 characters";

/** A manager's task of which `m/s` failed. */
function planned(story: Story): void {
  story.manager("boss", ["ann"], { skills: ["lead"] });
  story.submit({ id: "m", skills: ["lead"] });
  story.plan("m", { id: "s", retry: { maxAttempts: 1 } }, { id: "other" });
  story.fail("m/s");
}

export const control: readonly Refused[] = [
  invalid(`task id is ""; ${id}`, { type: "task.pause", taskId: "" }),
  invalid(`task id is 7; ${id}`, { type: "task.cancel", taskId: 7 }),
  invalid(`task id is null; ${id}`, { type: "task.retry", taskId: null }),
  ...(
    [
      ["paused", { type: "task.pause" }],
      ["resumed", { type: "task.resume" }],
      ["cancelled", { type: "task.cancel" }],
      ["given another priority", { type: "task.prioritize", priority: 7 }],
    ] as const
  ).map(
    ([what, command]): Refused => ({
      ask: (story) => {
        story.submit({ id: "a" });
        story.complete("a");
        return { ...command, taskId: "a" };
      },
      code: "INVALID_STATE",
      says: `task a is completed: it cannot be ${what}`,
      details: { taskId: "a", status: "completed" },
    }),
  ),
  invalid('cancel has the unknown key "why"; allowed: type, taskId, reason', {
    type: "task.cancel",
    taskId: "a",
    why: "x",
  }),
  invalid("reason is 7; it must be a string of at most 4096 characters", {
    type: "task.cancel",
    taskId: "a",
    reason: 7,
  }),
  invalid("priority is 1.5; it must be an integer from -1000000 to 1000000", {
    type: "task.prioritize",
    taskId: "a",
    priority: 1.5,
  }),
  {
    ask: (story) => {
      story.submit({ id: "a" });
      story.do({ type: "task.cancel", taskId: "a" });
      return { type: "task.pause", taskId: "a" };
    },
    code: "INVALID_STATE",
    says: "task a is ending: it cannot be paused",
  },
  {
    ask: (story) => {
      story.submit({ id: "a" });
      return { type: "task.retry", taskId: "a" };
    },
    code: "INVALID_STATE",
    says: "task a is running: only a failed task is tried again",
    details: { taskId: "a", status: "running" },
  },
  {
    ask: (story) => {
      story.submit({ id: "a", deadlineMs: 100, retry: { maxAttempts: 1 } });
      story.fail("a");
      story.after(100);
      return { type: "task.retry", taskId: "a" };
    },
    code: "INVALID_STATE",
    says: "the deadline of task a has passed: submit it anew",
    details: { taskId: "a" },
  },
  {
    ask: (story) => {
      planned(story);
      story.do({ type: "task.cancel", taskId: "m" });
      return { type: "task.retry", taskId: "m/s" };
    },
    code: "INVALID_STATE",
    says: "m, of which task m/s is a part, was cancelled or is ending",
    details: { taskId: "m/s" },
  },
  {
    ask: (story) => {
      planned(story);
      story.complete("m/other");
      return { type: "task.retry", taskId: "m" };
    },
    code: "INVALID_STATE",
    says: "too few of its subtasks succeeded: 1 of 2 did not; try those again first",
    details: { taskId: "m" },
  },
  {
    ask: (story) => {
      story.do({ type: "agent.register", agent: { name: "boss", kind: "manager", team: ["ann"], minSuccess: "any" } });
      story.submit({ id: "m", agent: "boss" });
      story.plan("m");
      return { type: "task.retry", taskId: "m" };
    },
    code: "INVALID_STATE",
    says: "too few of its subtasks succeeded: 0 of 0 did not; its plan has too few: submit it anew",
    details: { taskId: "m" },
  },
  {
    ask: (story) => {
      story.do({ type: "coordinator.open", guardrails: { input: ["shape"] } });
      story.submit({ id: "a" }, { id: "b", dependsOn: ["a"] });
      story.judge("b", { blocks: "no" });
      return { type: "task.retry", taskId: "b" };
    },
    code: "INVALID_STATE",
    says: "task b depends on a, which has not ended well: try it again then",
    details: { taskId: "b", dependency: "a" },
  },
  {
    ask: (story) => {
      story.do({ type: "coordinator.open", guardrails: { input: ["shape"] } });
      story.submit({ id: "a" }, { id: "b", dependsOn: ["a"] });
      story.judge("b", { blocks: "no" });
      story.judge("a", { blocks: "no" });
      return { type: "task.retry", taskId: "b" };
    },
    code: "INVALID_STATE",
    says: "task b depends on a, which has not ended well: try it again then",
    details: { taskId: "b", dependency: "a" },
  },
];
