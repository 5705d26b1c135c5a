import { expect, it } from "vitest";
import { Coordinator, defineAgent, SafeguardsError } from "../../src/index.ts";
import { judge, judgement } from "./judge.ts";
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
  expect(planVotes({ survey: undefined, findings: [] })).toEqual([]);
});

it("decides by weight, counts who failed as abstaining, and says when nothing is decided", async () => {
  await using coordinator = await Coordinator.open();
  const failing = defineAgent({
    name: "stickler",
    run: () => Promise.reject(new SafeguardsError("TASK_FAILED", "no", { retryable: false })),
  });
  for (const { name, agent } of reviewers) await coordinator.register(name === "stickler" ? failing : agent);
  await coordinator.register(judge);
  const bad = { severity: "error", rule: "data/x", file: "bad/a", line: 1, message: "", agent: "x" } as const;
  const worse = { ...bad, rule: "security/x", file: "worse/a" };
  const tasks = planVotes({ survey: surveyOf(["good", "bad", "worse"]), findings: [bad, worse] });
  const handles = await coordinator.submit(tasks);
  const { decisions } = judgement.parse(await handles[3]?.result());
  expect(decisions.map(({ folder, decision }) => `${folder} ${decision}`)).toEqual([
    "bad undecided",
    "good pass",
    "worse fail",
  ]);
  expect(decisions[0]?.votes).toEqual([
    { voter: "guardian", weight: 3, choice: "pass" },
    { voter: "maintainer", weight: 3, choice: "fail" },
    { voter: "stickler", weight: 2, choice: null },
  ]);
});
