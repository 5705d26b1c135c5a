import { expect, test } from "vitest";
import { Story } from "./story.fixture.ts";

/** The id of a task for which none is given, after one with this id. */
function after(id: string): readonly string[] {
  const story = new Story();
  story.submit({ id });
  const [answer] = story.try({ type: "task.submit", tasks: [{}] }).answers;
  return answer?.ok ? answer.ids : [];
}

test("a user's id that a counter could have given moves the counter on", () => {
  expect(after("t7")).toEqual(["t8"]);
});

test.each([
  "t0",
  "t-5",
  "t1.5",
  "t01",
  "t1e3",
  "tInfinity",
  "tNaN",
  "t 2",
  "t9007199254740993",
  "task9",
  "T7",
  "7",
  "t",
])("%j is not one", (id) => {
  expect(after(id)).toEqual(["t1"]);
});
