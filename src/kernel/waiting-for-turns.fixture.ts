/** Stories of tasks that could not start yet, whatever there were of everything. */
import { Story } from "./story.fixture.ts";
import { type Waiting, world } from "./waiting.fixture.ts";

export const dependencies: readonly Waiting[] = [
  {
    what: "how far its batch is filled, and when it starts at the latest",
    story: () => {
      const story = new Story({ concurrency: 9 });
      story.agent("many", { capacity: 9, maxBatch: 4 });
      const waits = { batchKey: "pages", batchWaitMs: 300 } as const;
      story.submit({ id: "a", ...waits }, { id: "b", ...waits });
      return story;
    },
    id: "b",
    reasons: [
      {
        code: "dependencies",
        need: 4,
        have: 2,
        text: "its batch fills: 2 of the 4 that many takes together are there; it starts in 300 ms at the latest",
      },
    ],
  },
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

export const approval: readonly Waiting[] = [
  {
    what: "what is to be approved, and that a person is asked, until when",
    story: () => {
      const story = world();
      story.submit({ id: "a", input: 1, approval: { expiresMs: 300 } });
      story.now += 100;
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "approval",
        need: {
          before: "run",
          hash: "25e36070c93b5ad68fab86d006a343d9db9ee3f2756ecb3a234f307fe76547c1",
          expiresAt: 1_000_300,
          by: "person",
          subject: {
            before: "run",
            asked: 5,
            taskId: "a",
            spec: { input: 1, approval: { before: "run", expiresMs: 300 } },
          },
        },
        text: "a person must approve its run within 200 ms: approve or reject it (hash 25e36070c93b…)",
      },
    ],
  },
  {
    what: "who may still vote on it",
    story: () => {
      const story = world();
      for (const name of ["vic", "vera"]) story.agent(name, { capacity: 0, votes: true });
      story.submit({ id: "a", approval: { before: "output", by: { ballot: "majority" } } });
      story.complete("a", "done");
      story.do({ type: "ballot.cast", ballotId: "b1", voter: "vic", vote: "approve" });
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "approval",
        need: {
          before: "output",
          hash: "7a1dfd803f98941925d2210fdc43c946ecfdc21f4f321dc840cb4bd8df4234d7",
          expiresAt: 1_030_000,
          by: { ballot: "b1" },
          subject: { before: "output", asked: 8, taskId: "a", agent: "ann", output: "done" },
        },
        who: ["vera"],
        text: "its output must be approved by ballot b1: vera may vote within 30000 ms",
      },
    ],
  },
  {
    what: "that nobody was asked yet, as long as no coordinator is open",
    story: () => {
      const story = world();
      story.submit({ id: "first" }, { id: "a", dependsOn: ["first"], approval: {} });
      story.do(story.completion("first"), { type: "coordinator.close" });
      return story;
    },
    id: "a",
    reasons: [{ code: "approval", text: "its run has to be approved; nobody was asked yet" }],
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
