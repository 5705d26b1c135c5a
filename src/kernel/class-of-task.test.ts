import { expect, test } from "vitest";
import { classOfTask } from "./class-of-task.ts";

test.each([
  [{}, "anything"],
  [{ skills: ["write", { skill: "read", level: 0.5 }] }, "skills read ≥ 0.5, write"],
  [{ agent: "ann", scope: "boss" }, "agent ann / team of boss"],
  [{ skills: ["x"], resources: { gpu: 2, disk: 1 } }, "skills x / resources disk, gpu"],
])("%j asks for %s", (spec, words) => {
  expect(classOfTask(spec)).toBe(words);
});
