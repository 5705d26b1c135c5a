/** Stories of tasks that wait for others to leave some of a budget. */
import { type Waiting, world } from "./waiting.fixture.ts";

export const budget: readonly Waiting[] = [
  {
    what: "how much is needed, how much is left, and for whom the rest is set aside",
    story: () => {
      const story = world();
      story.budget("team", "1");
      story.submit({ id: "spent", budget: "team", cost: "0.2" });
      story.spend("spent", "0.2");
      story.complete("spent");
      story.submit({ id: "a", budget: "team", cost: "0.5" }, { id: "free", budget: "team" }, { id: "other" });
      story.submit({ id: "b", budget: "team", cost: "0.4" });
      return story;
    },
    id: "b",
    reasons: [
      {
        code: "budget",
        need: { budget: "team", amount: "0.4" },
        have: { budget: "team", amount: "0.3" },
        who: ["a"],
        text: "0.4 of budget team is needed, 0.3 is left (0.2 of 1 is spent, 0.5 set aside for a)",
      },
    ],
  },
  {
    what: "each budget that has too little, from its own up",
    story: () => {
      const story = world();
      story.budget("all", 10);
      story.budget("team", 5, "all");
      story.budget("lab", 9, "team");
      story.submit({ id: "a", budget: "all", cost: 7 }, { id: "b", budget: "team", cost: 3 });
      story.submit({ id: "c", budget: "lab", cost: 3 });
      return story;
    },
    id: "c",
    reasons: [
      {
        code: "budget",
        need: { budget: "team", amount: "3" },
        have: { budget: "team", amount: "2" },
        who: ["b"],
        text: "3 of budget team is needed, 2 is left (0 of 5 is spent, 3 set aside for b)",
      },
      {
        code: "budget",
        need: { budget: "all", amount: "3" },
        have: { budget: "all", amount: "0" },
        who: ["a", "b"],
        text: "3 of budget all is needed, 0 is left (0 of 10 is spent, 10 set aside for a and b)",
      },
    ],
  },
  {
    what: "that a lowered limit has closed the budget, also to those who cost nothing",
    story: () => {
      const story = world();
      story.budget("team", 5);
      story.submit({ id: "a", budget: "team", cost: 4 });
      story.budget("team", 3);
      story.submit({ id: "b", budget: "team" });
      return story;
    },
    id: "b",
    reasons: [
      {
        code: "budget",
        need: { budget: "team", amount: "0" },
        have: { budget: "team", amount: "0" },
        who: ["a"],
        text: "0 of budget team is needed, it is over its limit by 1 (0 of 3 is spent, 4 set aside for a)",
      },
    ],
  },
];
