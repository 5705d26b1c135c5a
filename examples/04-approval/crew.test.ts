import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { Coordinator, isSafeguardsError } from "../../src/index.ts";
import crew from "./crew.ts";

it("runs with one command and without a person", async () => {
  const main = fileURLToPath(new URL("main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [main]);
  expect(stdout).toMatchInlineSnapshot(`
    "May the output of task notes count? approve {"brief":"approve","plain":"approve","strict":"reject"}
    release waits: approval of its run
    refused: INVALID_STATE
    {
      released: '2.0.0',
      notes: '- Budgets are exact decimals.\\n' +
        '- Fix: a torn record is cut off and reported.\\n' +
        '- Guardrails look at actions.'
    }
    "
  `);
});

it("releases nothing when a person rejects it", async () => {
  await using coordinator = await Coordinator.open();
  for (const agent of crew.agents) await coordinator.register(agent);
  const [, release] = await coordinator.submit(typeof crew.tasks === "function" ? [] : crew.tasks);
  await coordinator.idle();
  await coordinator.reject("release", "not on a Friday", { by: "rita" });
  const outcome = await release?.outcome();
  expect(isSafeguardsError(outcome?.error, "UNAUTHORIZED")).toBe(true);
  expect(outcome?.attempts).toEqual([]);
});
