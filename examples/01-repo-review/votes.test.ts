import { expect, it } from "vitest";
import { type Agent, Coordinator, defineAgent, SafeguardsError } from "../../src/index.ts";
import { type FolderDecision, judge, judgement } from "./judge.ts";
import { reviewers } from "./reviewers.ts";
import { planVotes } from "./votes.ts";

function surveyOf(folders: readonly string[]): Parameters<typeof planVotes>[0]["survey"] {
  return { kind: "survey", folders: folders.map((folder) => ({ folder, files: 1, lines: 100 })), skipped: {} };
}

it("asks every reviewer about every folder once, and counts what they said", () => {
  const folders = Array.from({ length: 120 }, (_, index) => `f${index}`);
  const tasks = planVotes({ survey: surveyOf(folders), findings: [] });
  const asked = tasks.filter(({ agent }) => agent === "guardian").map(({ input }) => JSON.stringify(input));
  expect(folders.every((folder) => asked.filter((text) => text.includes(`"${folder}"`)).length === 1)).toBe(true);
  expect(tasks.filter(({ skills }) => skills !== undefined)).toHaveLength(3);
  expect(new Set(tasks.map(({ id }) => id)).size).toBe(tasks.length);
});

it("asks nothing when there is nothing to decide", () => {
  expect(planVotes({ survey: surveyOf([]), findings: [] })).toEqual([]);
});

/** What the judge decides about three folders when some of the reviewers fail. */
async function decide(failing: readonly string[]): Promise<FolderDecision[]> {
  await using coordinator = await Coordinator.open();
  for (const { name, agent } of reviewers) await coordinator.register(failing.includes(name) ? failingAs(name) : agent);
  await coordinator.register(judge);
  const bad = { severity: "error", rule: "data/x", file: "bad/a", line: 1, message: "", agent: "x" } as const;
  const worse = { ...bad, rule: "security/x", file: "worse/a" };
  const tasks = planVotes({
    survey: surveyOf(["good", "bad", "worse"]),
    findings: [bad, worse, { ...bad }, { ...worse }],
  });
  const handles = await coordinator.submit(tasks);
  return judgement.parse(await handles.at(-1)?.result()).decisions;
}

function failingAs(name: string): Agent {
  const error = new SafeguardsError("TASK_FAILED", "no", { retryable: false });
  return defineAgent({ name, run: () => Promise.reject(error) });
}

it("decides by weight", async () => {
  const decisions = await decide([]);
  expect(decisions.map(({ folder, decision }) => `${folder} ${decision}`)).toEqual([
    "bad fail",
    "good pass",
    "worse fail",
  ]);
  expect(decisions[0]?.votes).toEqual([
    { voter: "guardian", weight: 3, choice: "pass" },
    { voter: "maintainer", weight: 3, choice: "fail" },
    { voter: "stickler", weight: 2, choice: "fail" },
  ]);
});

it("counts who failed as abstaining, and says when there is a tie", async () => {
  const decisions = await decide(["stickler"]);
  expect(decisions.map(({ decision }) => decision)).toEqual(["undecided", "pass", "fail"]);
  expect(decisions[0]?.votes.at(-1)).toEqual({ voter: "stickler", weight: 2, choice: null });
});

it("decides nothing when less than half of the weight has voted", async () => {
  const decisions = await decide(["guardian", "maintainer"]);
  expect(decisions.map(({ decision }) => decision)).toEqual(["undecided", "undecided", "undecided"]);
});
