import { invalid, type Refused } from "./refused.fixture.ts";

/** Of whoever and whatever is named in any command. */
export const desk: readonly Refused[] = [
  {
    ask: () => ({ type: "task.cancel", taskId: "no/such" }),
    code: "UNKNOWN_TASK",
    says: 'no task has the id "no/such"',
    details: { taskId: "no/such" },
  },
  {
    ask: () => ({ type: "agent.unregister", agent: "eve" }),
    code: "UNKNOWN_AGENT",
    says: 'no agent is registered under the name "eve"',
    details: { agent: "eve" },
  },
  {
    ask: (story) => {
      story.submit({ id: "a" }, { id: "b" });
      return { type: "attempt.checkpoint", taskId: "a", token: story.token("b"), state: 1 };
    },
    code: "FENCED",
    says: 'token 2 of task "a" is not that of a running attempt',
    details: { taskId: "a", token: 2 },
  },
  {
    ask: (story) => {
      story.submit({ id: "a" });
      const old = story.completion("a");
      story.complete("a");
      return old;
    },
    code: "FENCED",
    says: 'token 1 of task "a" is not that of a running attempt',
    details: { taskId: "a", token: 1 },
  },
];

const infinite = "it must be a number of milliseconds at least 0; Infinity is allowed";

export const lifecycle: readonly Refused[] = [
  invalid(
    'options has the unknown key "concurency"; allowed: type, concurrency, agingMs, protectAfterMs, unroutableMs, keepCount, keepMs, strict, guardrails',
    { type: "coordinator.open", concurency: 4 },
  ),
  invalid('strict is "yes"; it must be true or false', { type: "coordinator.open", strict: "yes" }),
  invalid("concurrency is 0; it must be an integer from 1 to 1000000", { type: "coordinator.open", concurrency: 0 }),
  invalid("concurrency is null; it must be an integer from 1 to 1000000", {
    type: "coordinator.open",
    concurrency: null,
  }),
  invalid(`protectAfterMs is null; ${infinite}`, { type: "coordinator.open", protectAfterMs: null }),
  invalid("unroutableMs is null; it must be a number of milliseconds at least 0 and finite", {
    type: "coordinator.open",
    unroutableMs: null,
  }),
  invalid(`agingMs is -1; ${infinite}`, { type: "coordinator.open", agingMs: -1 }),
  invalid(`protectAfterMs is NaN; ${infinite}`, { type: "coordinator.open", protectAfterMs: Number.NaN }),
  invalid("unroutableMs is Infinity; it must be a number of milliseconds at least 0 and finite", {
    type: "coordinator.open",
    unroutableMs: Number.POSITIVE_INFINITY,
  }),
  invalid("keepFinished.count is 10000001; it must be an integer from 0 to 10000000", {
    type: "coordinator.open",
    keepCount: 10_000_001,
  }),
  invalid("keepFinished.ms is -1; it must be a number of milliseconds at least 0 and finite", {
    type: "coordinator.open",
    keepMs: -1,
  }),
];

export const kernel: readonly Refused[] = [
  {
    ask: (story) => {
      story.do({ type: "coordinator.close" });
      return { type: "coordinator.close" };
    },
    code: "CLOSED",
    says: "the coordinator is closed",
  },
];
