import { expect, test } from "vitest";
import { poll } from "./poll.ts";

test("the answers that were handed over are not touched by late ones", async () => {
  let timeIsUp = () => {};
  let answerLate: (answer: string) => void = () => {};
  const host = {
    after: (_ms: number, run: () => void) => {
      timeIsUp = run;
      return () => {};
    },
    abortable: () => ({ signal: undefined, abort: () => {} }),
  };
  const late = new Promise<string>((resolve) => {
    answerLate = resolve;
  });
  const pending = poll(host, ["late", "timely"], 5, (name) => (name === "late" ? late : "yes"));
  for (let i = 0; i < 5; i += 1) await undefined;
  timeIsUp();
  const answers = await pending;
  answerLate("no");
  await late;
  for (let i = 0; i < 5; i += 1) await undefined;
  expect([...answers]).toEqual([["timely", "yes"]]);
});
