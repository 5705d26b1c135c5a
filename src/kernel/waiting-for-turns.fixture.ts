/** Stories of tasks that could not start yet, whatever there were of everything. */
import type { Story } from "./story.fixture.ts";
import { type Waiting, world } from "./waiting.fixture.ts";

export const dependencies: readonly Waiting[] = [
  {
    what: "the task of the same cacheKey whose output it waits for",
    story: () => {
      const story = world();
      story.submit({ id: "first", cacheKey: "page" }, { id: "second", cacheKey: "page" });
      return story;
    },
    id: "second",
    reasons: [
      {
        code: "dependencies",
        need: 1,
        have: 0,
        who: ["first"],
        text: 'it waits for the output of first (running), which has the same cacheKey "page"',
      },
    ],
  },
  {
    what: "each dependency that has not ended, with its status, and how many have",
    story: () => {
      const story = world({ concurrency: 2 });
      story.submit({ id: "done" }, { id: "a" }, { id: "b", dependsOn: ["a"] });
      story.submit({ id: "c", dependsOn: ["done", "a", "b"] });
      story.complete("done");
      return story;
    },
    id: "c",
    reasons: [
      {
        code: "dependencies",
        need: 3,
        have: 1,
        who: ["a", "b"],
        text: "what it depends on must end first: a (running) and b (blocked)",
      },
    ],
  },
  {
    what: "of very many the first twenty, and how many more",
    story: () => {
      const story = world({ concurrency: 1 });
      const ids = Array.from({ length: 22 }, (_, i) => `d${i}`);
      story.submit(...ids.map((id) => ({ id })), { id: "after", dependsOn: ids });
      return story;
    },
    id: "after",
    reasons: [
      {
        code: "dependencies",
        need: 22,
        have: 0,
        who: Array.from({ length: 20 }, (_, i) => `d${i}`),
        text: `what it depends on must end first: d0 (running), ${Array.from({ length: 19 }, (_, i) => `d${i + 1} (pending)`).join(", ")} and 2 more`,
      },
    ],
  },
  {
    what: "a manager's planned subtasks, not what its code submitted beside them",
    story: () => {
      const story = world();
      story.manager("boss", ["ann"], { skills: ["lead"] });
      story.submit({ id: "m", skills: ["lead"] });
      story.spawn("m", { id: "beside" });
      story.plan("m", { id: "one" }, { id: "two", dependsOn: ["one"] }, { id: "three" });
      story.complete("m/three");
      return story;
    },
    id: "m",
    reasons: [
      {
        code: "dependencies",
        need: 3,
        have: 1,
        who: ["m/one", "m/two"],
        text: "its subtasks must end first: m/one (running) and m/two (blocked)",
      },
    ],
  },
  {
    what: "what an attempt awaits",
    story: () => {
      const story = world();
      story.submit({ id: "a" });
      story.spawn("a", { id: "0" }, { id: "1" }, { id: "other" });
      story.await("a", "a/0", "a/1");
      story.complete("a/0");
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "dependencies",
        need: 1,
        have: 0,
        who: ["a/1"],
        text: "the tasks that it awaits must end first: a/1 (running)",
      },
    ],
  },
];

export const held: readonly Waiting[] = [
  {
    what: "that a person paused it, before what else it waits for",
    story: () => {
      const story = world();
      story.submit({ id: "a" }, { id: "b", dependsOn: ["a"] });
      story.do({ type: "task.pause", taskId: "b" });
      return story;
    },
    id: "b",
    reasons: [
      { code: "held", text: "a person paused it; resume lets it go on" },
      {
        code: "dependencies",
        need: 1,
        have: 0,
        who: ["a"],
        text: "what it depends on must end first: a (running)",
      },
    ],
  },
];

export const judged: readonly Waiting[] = [
  {
    what: "the guardrails on outputs that have yet to let pass what is to answer it",
    story: () => {
      const story = world({ guardrails: { output: ["tone"] } });
      story.submit({ id: "a", cacheKey: "page" }, { id: "b", cacheKey: "page" });
      const verdicts = [{ guardrail: "tone", verdict: "allow" }] as const;
      story.do({ type: "attempt.complete", ...story.from("a"), output: null, verdicts });
      return story;
    },
    id: "b",
    reasons: [
      {
        code: "approval",
        who: ["tone"],
        text: "the output of a, which is to answer it, waits for the verdict of the guardrail tone",
      },
    ],
  },
  {
    what: "the guardrails that have not let its input pass, beside what else it waits for",
    story: () => {
      const story = world({ guardrails: { input: ["size", "secrets"] } });
      story.submit({ id: "a" }, { id: "b", dependsOn: ["a"] });
      story.judge("a");
      return story;
    },
    id: "b",
    reasons: [
      {
        code: "approval",
        who: ["size", "secrets"],
        text: "its input waits for the verdict of the guardrails size and secrets",
      },
      {
        code: "dependencies",
        need: 1,
        have: 0,
        who: ["a"],
        text: "what it depends on must end first: a (running)",
      },
    ],
  },
];

export const backoff: readonly Waiting[] = [
  {
    what: "until when, and after how many attempts: one",
    story: () => failedStory(1),
    id: "a",
    reasons: [
      {
        code: "backoff",
        need: 1_000_300,
        have: 1_000_050,
        text: "it is tried again in 250 ms, after 1 failed attempt",
      },
    ],
  },
  {
    what: "until when, and after how many attempts: two",
    story: () => failedStory(2),
    id: "a",
    reasons: [
      {
        code: "backoff",
        need: 1_000_900,
        have: 1_000_350,
        text: "it is tried again in 550 ms, after 2 failed attempts",
      },
    ],
  },
];

/** Failed so many times, 300 and 600 milliseconds before the next; 50 of them have passed. */
function failedStory(times: number): Story {
  const story = world();
  story.submit({ id: "a", retry: { initialMs: 300, jitter: false } });
  for (let failed = 0; failed < times; failed++) {
    if (failed > 0) story.after(250);
    story.fail("a");
    story.after(50);
  }
  return story;
}
