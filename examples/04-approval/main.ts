/**
 * Runs the crew without the command line and without a person: `node examples/04-approval/main.ts`.
 *
 * Who would be asked is this program: it looks at what waits, and approves exactly that.
 */
import { Coordinator, isSafeguardsError } from "../../src/index.ts";
import crew from "./crew.ts";

await using coordinator = await Coordinator.open();
for (const agent of crew.agents) await coordinator.register(agent);
const tasks = typeof crew.tasks === "function" ? await crew.tasks(null) : crew.tasks;
const handles = await coordinator.submit(tasks);

// Nothing runs and nothing can run: somebody is waited for.
await coordinator.idle();
const ballots = await coordinator.ballots();
for (const { question, decision, votes } of ballots) console.log(question, decision, JSON.stringify(votes));

for (const { id, approval } of await coordinator.tasks({ status: "waiting" })) {
  if (approval === undefined) continue;
  const { reasons } = await coordinator.explain(id);
  console.log(`${id} waits: ${reasons.map(({ code }) => code).join()} of its ${approval.before}`);
  // Whoever would do it has no say.
  await coordinator.approve(id, { by: "releaser", hash: "not this one" }).catch((error: unknown) => {
    if (isSafeguardsError(error)) console.log(`refused: ${error.code}`);
  });
  await coordinator.approve(id, { by: "rita", hash: approval.hash });
}

const outcomes = await Promise.all(handles.map((handle) => handle.outcome()));
console.log(await crew.output?.(outcomes));
