import { expect, it } from "vitest";
import { MemoryJournal } from "../journal/memory.ts";
import { ballotRow } from "../kernel/ballot-row.ts";
import { Kernel } from "../kernel/kernel.ts";
import { State } from "../kernel/state.ts";
import { Departures } from "./departures.ts";
import { Queries } from "./queries.ts";
import { Meters } from "./stats.ts";

it("a ballot that leaves memory with its own end is decided for those who wait", () => {
  const state = new State();
  const kernel = new Kernel(state);
  kernel.batch(
    [
      { command: { type: "coordinator.open" } },
      { command: { type: "agent.register", agent: { name: "ann", kind: "agent", votes: true } } },
      { command: { type: "ballot.open", question: "?", options: ["yes", "no"], voters: ["ann"] } },
      { command: { type: "ballot.cast", ballotId: "b1", voter: "ann", vote: "yes" } },
    ],
    1,
  );
  const departures = new Departures(kernel, new MemoryJournal().archive);
  const queries = new Queries(kernel, departures, { now: () => 1 }, new Meters(), async (look) => look());
  const [ballot] = state.ballots.values();
  const told = queries.decision("b1");
  expect(told).toMatchObject({ ballotId: "b1", open: false, decision: "yes" });
  state.ballots.clear();
  expect(queries.decision("b1")).toBe(undefined);
  if (ballot !== undefined) departures.leave([{ kind: "ballot", id: "b1", row: ballotRow(ballot) }]);
  expect(queries.decision("b1")).toEqual(told);
});
