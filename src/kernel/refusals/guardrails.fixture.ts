import type { Story } from "../story.fixture.ts";
import { invalid, noId, type Refused } from "./refused.fixture.ts";

const opening = (guardrails: unknown): unknown => ({ type: "coordinator.open", guardrails });
const many = Array.from({ length: 65 }, (_, i) => `g${i}`);
const names = "it must be a list of 1 to 64 names";

/** Opened again with two guardrails on inputs and one on outputs: `b` runs, `a` is kept back. */
function guarded(story: Story): Story {
  story.do({ type: "coordinator.open", concurrency: 9, guardrails: { input: ["one", "two"], output: ["last"] } });
  story.agent("ann", { capacity: 9 });
  story.submit({ id: "a" }, { id: "b" });
  story.judge("b");
  return story;
}

const allow = (guardrail: string) => ({ guardrail, verdict: "allow" }) as const;

/** Verdicts on the input of `a` that are not those of `one` and `two`. */
function notTheWord(...verdicts: readonly ReturnType<typeof allow>[]): Refused {
  return {
    ask: (story) => {
      guarded(story);
      return { type: "task.judge", taskId: "a", verdicts };
    },
    code: "INVALID_STATE",
    says: "that is not what the guardrails say of an input of task a: it takes the verdicts of one, two",
    details: { taskId: "a" },
  };
}

export const guardrails: readonly Refused[] = [
  invalid("guardrails is 7; it must be an object", opening(7)),
  invalid('guardrails has the unknown key "message"; allowed: input, output, action', opening({ message: ["x"] })),
  invalid(`guardrails.input is "x"; ${names}`, opening({ input: "x" })),
  invalid(`guardrails.output is []; ${names}`, opening({ output: [] })),
  {
    ...invalid("", opening({ action: many })),
    says: `guardrails.action is [${many.slice(0, 8).map((name) => `"${name}"`)}, …]; ${names}`.replaceAll(
      '","',
      '", "',
    ),
  },
  invalid(noId("a name in guardrails.input", '"a/b"'), opening({ input: ["a/b"] })),
  invalid('guardrails.input is ["x", "x"]; it must be a list of different names', opening({ input: ["x", "x"] })),
  invalid("task id is 7; it must be a task's id, up to 4096 characters", {
    type: "task.judge",
    taskId: 7,
    verdicts: [],
  }),
  {
    ask: (story) => {
      guarded(story);
      return { type: "task.judge", taskId: "b", verdicts: [allow("one"), allow("two")] };
    },
    code: "INVALID_STATE",
    says: "task b waits for no verdict on its input",
    details: { taskId: "b" },
  },
  notTheWord(),
  notTheWord(allow("one")),
  notTheWord(allow("two"), allow("one")),
  notTheWord(allow("one"), allow("two"), allow("three")),
  {
    ask: (story) => ({ type: "attempt.complete", ...guarded(story).from("b"), output: 1 }),
    code: "INVALID_STATE",
    says: "that is not what the guardrails say of an output of task b: it takes the verdicts of last",
    details: { taskId: "b" },
  },
  {
    ask: (story) => ({ type: "attempt.act", ...guarded(story).from("b"), action: "x", verdicts: [allow("one")] }),
    code: "INVALID_STATE",
    says: "that is not what the guardrails say of an action of task b: there are none",
    details: { taskId: "b" },
  },
];
