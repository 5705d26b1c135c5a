import { invalid, type Refused } from "./refused.fixture.ts";

const needed = { id: "a", approval: { expiresMs: 100 } } as const;
const details = { taskId: "a" };
/** Of the approval of `a` as it is asked for below. */
const HASH = "5809799aad8690b1960a3be8126b4f3fce36a00808063fe390df6512a5f7284b";

function approving(more: object = {}): unknown {
  return { type: "task.approve", taskId: "a", ...more };
}

export const approvals: readonly Refused[] = [
  invalid('approve has the unknown key "why"; allowed: type, taskId, hash', approving({ why: "x" })),
  invalid('reject has the unknown key "by"; allowed: type, taskId, reason, hash', {
    type: "task.reject",
    taskId: "a",
    reason: "no",
    by: "x",
  }),
  invalid("reason is undefined; it must be a string of 1 to 4096 characters", { type: "task.reject", taskId: "a" }),
  invalid('reason is ""; it must be a string of 1 to 4096 characters', {
    type: "task.reject",
    taskId: "a",
    reason: "",
  }),
  invalid(`reason is "${"x".repeat(78)}…; it must be a string of 1 to 4096 characters`, {
    type: "task.reject",
    taskId: "a",
    reason: "x".repeat(4_097),
  }),
  invalid("hash is 7; it must be the hash of what is asked for", approving({ hash: 7 })),
  invalid("task id is 7; it must be a task's id, up to 4096 characters", approving({ taskId: 7 })),
  {
    ask: () => approving(),
    by: "",
    code: "INVALID_ARGUMENT",
    says: 'by is ""; it must be a string of 1 to 256 characters',
  },
  {
    ask: () => approving(),
    by: "b".repeat(257),
    code: "INVALID_ARGUMENT",
    says: `by is "${"b".repeat(78)}…; it must be a string of 1 to 256 characters`,
  },
  {
    ask: (story) => {
      story.submit({ id: "a" });
      return approving();
    },
    code: "INVALID_STATE",
    says: "task a is running: it waits for no approval now",
    details: { taskId: "a", status: "running" },
  },
  {
    ask: (story) => {
      story.agent("bob");
      story.submit({ id: "a", approval: { by: { ballot: "majority" } } });
      return approving();
    },
    code: "INVALID_STATE",
    says: "task a is decided on by ballot, not by a person",
    details,
  },
  {
    ask: (story) => {
      story.submit(needed);
      return approving({ hash: "abc" });
    },
    code: "INVALID_STATE",
    says: `task a asks for the approval of ${HASH}, not of "abc"`,
    details: { taskId: "a", hash: HASH },
  },
  {
    ask: (story) => {
      story.submit({ ...needed, agent: "ann" });
      return approving();
    },
    by: "ann",
    code: "UNAUTHORIZED",
    says: '"ann" decides nothing about task a: it does it',
    details,
  },
  {
    ask: (story) => {
      story.agent("eve", { skills: ["rare"] });
      story.submit({ ...needed, skills: ["rare"] });
      return approving();
    },
    by: "eve",
    code: "UNAUTHORIZED",
    says: '"eve" decides nothing about task a: nobody else can do it',
    details,
  },
];
