import { invalid, type Refused } from "./refused.fixture.ts";

export const attempts: readonly Refused[] = [
  {
    ask: (story) => {
      story.manager("boss", ["ann"], { skills: ["lead"] });
      story.submit({ id: "m", skills: ["lead"] });
      return story.completion("m");
    },
    code: "INVALID_STATE",
    says: "task m is being planned: a plan ends with subtasks, not with an output",
  },
  invalid("message is 7; it must be a string", { type: "attempt.lose", taskId: "a", token: 1, message: 7 }),
  invalid('error is "no"; it must be an error\'s code and message', {
    type: "attempt.fail",
    taskId: "a",
    token: 1,
    error: "no",
  }),
  invalid('error is {"code": "TASK_FAILED"}; it must be an error\'s code and message', {
    type: "attempt.fail",
    taskId: "a",
    token: 1,
    error: { code: "TASK_FAILED" },
  }),
];
