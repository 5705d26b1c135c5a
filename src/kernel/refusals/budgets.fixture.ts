import type { Command } from "../commands.ts";
import type { Story } from "../story.fixture.ts";
import { invalid, noId, type Refused } from "./refused.fixture.ts";

const money =
  "it must be a decimal of at least 0 (a string, or a number) with at most 15 digits before the point and 15 behind it";

/** `a` runs, with 2 of `team`'s 3 set aside. */
function paid(story: Story): object {
  story.budget("team", 3);
  story.submit({ id: "a", budget: "team", cost: 2 });
  return { type: "attempt.spend", ...story.from("a") };
}

/** As many budgets as there may be, of which so many stand one above the other, `b1` at the top. */
function many(story: Story, count: number, deep: number): void {
  const commands = Array.from({ length: count }, (_, i): Command => {
    const parent = i > 0 && i < deep ? { parent: `b${i}` } : {};
    return { type: "budget.set", budget: `b${i + 1}`, limit: 1, ...parent };
  });
  story.do(...commands);
}

export const budgets: readonly Refused[] = [
  invalid('budget has the unknown key "max"; allowed: type, budget, limit, parent', {
    type: "budget.set",
    budget: "team",
    max: 1,
  }),
  invalid(noId("budget", '""'), { type: "budget.set", budget: "", limit: 1 }),
  invalid(`the limit of team is -1; ${money}`, { type: "budget.set", budget: "team", limit: -1 }),
  invalid(noId("the parent of team", '"a/b"'), { type: "budget.set", budget: "team", limit: 1, parent: "a/b" }),
  {
    ask: (story) => {
      paid(story);
      story.budget("all", 9);
      return { type: "budget.set", budget: "team", limit: 3, parent: "all" };
    },
    code: "INVALID_ARGUMENT",
    says: "budget team is part of no other and stays so",
    details: { budget: "team" },
  },
  {
    ask: (story) => {
      paid(story);
      story.budget("lab", 9, "team");
      return { type: "budget.set", budget: "lab", limit: 3, parent: "lab" };
    },
    code: "INVALID_ARGUMENT",
    says: "budget lab is part of team and stays so",
    details: { budget: "lab" },
  },
  {
    ask: () => ({ type: "budget.set", budget: "team", limit: 3, parent: "team" }),
    code: "UNKNOWN_BUDGET",
    says: 'budget team is to be part of "team", which is no budget',
    details: { budget: "team" },
  },
  {
    ask: (story) => {
      many(story, 10_000, 1);
      return { type: "budget.set", budget: "team", limit: 3 };
    },
    code: "QUEUE_FULL",
    says: "there is no place for budget team: 10000 are the most",
    details: { budget: "team" },
  },
  {
    ask: (story) => {
      many(story, 32, 32);
      return { type: "budget.set", budget: "team", limit: 3, parent: "b32" };
    },
    code: "INVALID_ARGUMENT",
    says: "budget team would be below 32 others, one above the other",
    details: { budget: "team" },
  },
  invalid('spend has the unknown key "on"; allowed: type, taskId, token, amount, what', {
    type: "attempt.spend",
    taskId: "a",
    token: 1,
    on: "tokens",
  }),
  invalid(`amount is "much"; ${money}`, { type: "attempt.spend", taskId: "a", token: 1, amount: "much" }),
  invalid("what is 7; it must be a string of at most 4096 characters", {
    type: "attempt.spend",
    taskId: "a",
    token: 1,
    amount: 1,
    what: 7,
  }),
  {
    ask: (story) => {
      const spend = paid(story);
      story.do({ type: "task.pause", taskId: "a" });
      return { ...spend, amount: "2.5" };
    },
    code: "CANCELLED",
    says: "task a was told to stop: it gets no more money",
    details: { taskId: "a" },
  },
  {
    ask: (story) => ({ ...paid(story), amount: "3.5" }),
    code: "BUDGET_EXCEEDED",
    says: "task a is to spend 3.5, of which 2 is set aside for it; budget team has 1 left (0 of 3 is spent and 2 set aside)",
    details: { taskId: "a", budget: "team", need: "1.5", left: "1" },
  },
  {
    ask: (story) => {
      const spend = paid(story);
      story.spend("a", 2);
      story.budget("team", 1);
      return { ...spend, amount: "0.5" };
    },
    code: "BUDGET_EXCEEDED",
    says: "task a is to spend 0.5; budget team is over its limit of 1 by 1",
    details: { taskId: "a", budget: "team", need: "0.5", left: "-1" },
  },
  {
    ask: (story) => {
      const spend = paid(story);
      story.complete("a");
      return { ...spend, amount: 1 };
    },
    code: "FENCED",
    says: 'token 1 of task "a" is not that of a running attempt',
    details: { taskId: "a", token: 1 },
  },
];

/** Refused where tasks are submitted. */
export const payments: readonly Refused[] = [
  {
    ask: () => ({ type: "task.submit", tasks: [{ id: "a", budget: "team" }] }),
    code: "UNKNOWN_BUDGET",
    says: 'task a is to be paid from "team", which is no budget',
    details: { budget: "team" },
  },
  {
    ask: (story) => {
      story.budget("all", 3);
      story.budget("team", 5, "all");
      return { type: "task.submit", tasks: [{ id: "a", budget: "team", cost: 4 }] };
    },
    code: "BUDGET_EXCEEDED",
    says: "task a costs 4; the limit of budget all is 3",
    details: { taskId: "a", budget: "all", need: "4", limit: "3" },
  },
  {
    ask: (story) => {
      paid(story);
      story.budget("other", 3);
      return { type: "task.submit", from: story.from("a"), tasks: [{ id: "0", budget: "other" }] };
    },
    code: "INVALID_ARGUMENT",
    says: "task a/0 is to be paid from other, which is no part of team, which a is paid from",
    details: { taskId: "a/0", budget: "other" },
  },
  {
    ask: (story) => {
      paid(story);
      story.spawn("a", { id: "0", agent: "ann" });
      story.await("a", "a/0");
      return { type: "task.submit", from: story.from("a"), tasks: [{ id: "1", cost: 2 }] };
    },
    code: "WOULD_DEADLOCK",
    says: "task a/1 costs 2 of team, which is set aside for a while it waits for it",
    details: { taskId: "a/1", budget: "team", holder: "a" },
  },
];
