/** What voters learn when the truth becomes known, as those who use a coordinator see it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { Reputation, tally } from "../src/coordination-entry.ts";
import { type Coordinator, defineAgent } from "../src/index.ts";
import { MemoryJournal } from "../src/journal/memory.ts";
import { limits } from "../src/kernel/limits.ts";
import { eventsOf, opened, rejection } from "./coordinator.fixture.ts";

/** ln 2 to nine places. */
const LN2 = Number("0.693147181");

const options = ["yes", "no", "later"] as const;

/** Three who vote as the question says: "ynl" is yes, no and later, in this order; anything else abstains. */
async function crew(coordinator: Coordinator): Promise<Coordinator> {
  for (const [at, name] of ["ann", "bob", "cy"].entries())
    await coordinator.register(
      defineAgent({ name, vote: ({ question }) => options.find((option) => option.startsWith(question[at] ?? " ")) }),
    );
  return coordinator;
}

function ask(coordinator: Coordinator, question: string) {
  return coordinator.decide({ question, options, method: "weighted", weights: "reputation" });
}

async function accuracies(coordinator: Coordinator): Promise<Readonly<Record<string, number | undefined>>> {
  return Object.fromEntries((await coordinator.agents()).map(({ name, accuracy }) => [name, accuracy]));
}

function newJournal(): string {
  const path = mkdtempSync(join(tmpdir(), "safeguards-reputation-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return `sqlite:${join(path, "j.db")}`;
}

describe("reveal", () => {
  it("teaches, and what was learned decides", async () => {
    const coordinator = await crew(await opened());
    const first = await ask(coordinator, "ynn");
    expect(first).toMatchObject({ decision: "no", weightsUsed: { ann: LN2, bob: LN2 } });
    await coordinator.reveal(first.ballotId, "yes");
    expect(await accuracies(coordinator)).toEqual({ ann: 2 / 3, bob: 1 / 3, cy: 1 / 3 });
    expect(await ask(coordinator, "ynn")).toMatchObject({
      decision: "yes",
      weightsUsed: { ann: 1.386294361, bob: 0, cy: 0 },
    });
  });

  it("refuses what is not known, open, told before, or was not asked", async () => {
    const coordinator = await crew(await opened());
    const { ballotId } = await ask(coordinator, "yyy");
    const codes = [
      await rejection(coordinator.reveal("b99", "yes")),
      await rejection(coordinator.reveal(ballotId, "perhaps")),
      await coordinator.reveal(ballotId, "yes"),
      await rejection(coordinator.reveal(ballotId, "yes")),
    ].map((error) => Reflect.get(Object(error), "code"));
    expect(codes).toEqual(["UNKNOWN_BALLOT", "INVALID_ARGUMENT", undefined, "INVALID_STATE"]);
    expect((await eventsOf(coordinator)).filter(({ type }) => type === "ballot.revealed")).toHaveLength(1);
  });

  it("is for a coordinator that joined, too", async () => {
    const journal = newJournal();
    const writer = await crew(await opened({ journal }));
    const joined = await opened({ journal, join: true });
    const { ballotId } = await ask(joined, "yny");
    await joined.reveal(ballotId, "yes");
    expect(await accuracies(writer)).toEqual({ ann: 2 / 3, bob: 1 / 3, cy: 2 / 3 });
    expect(await rejection(joined.reveal(ballotId, "yes"))).toMatchObject({ code: "INVALID_STATE" });
    expect(await rejection(joined.reveal("b9", "yes"))).toMatchObject({ code: "UNKNOWN_BALLOT" });
  });

  it("reaches ballots that have left memory, once, also after a restart", { timeout: 120_000 }, async () => {
    const journal = newJournal();
    const first = await crew(await opened({ journal }));
    const old = await ask(first, "ynl");
    const older = await ask(first, "yyl");
    const empty = { question: "?", options, voters: [] };
    await Promise.all(Array.from({ length: limits.keptBallots }, () => first.decide(empty)));
    expect((await first.ballots()).map(({ ballotId }) => ballotId)).not.toContain(older.ballotId);
    const [told, again] = await Promise.allSettled([
      first.reveal(old.ballotId, "yes"),
      first.reveal(old.ballotId, "no"),
    ]);
    expect(told).toMatchObject({ status: "fulfilled" });
    expect(again).toMatchObject({ status: "rejected", reason: { code: "INVALID_STATE" } });
    await first.close();

    const second = await crew(await opened({ journal }));
    expect(await rejection(second.reveal(old.ballotId, "no"))).toMatchObject({ code: "INVALID_STATE" });
    await second.reveal(older.ballotId, "yes");
    expect(await rejection(second.reveal("b999999", "yes"))).toMatchObject({ code: "UNKNOWN_BALLOT" });
    expect(await accuracies(second)).toEqual({ ann: 3 / 4, bob: 2 / 4, cy: 1 / 4 });
  });
});

it("replay = snapshot = live = Reputation on its own, whatever was voted and true", async () => {
  const step = fc.record({
    question: fc.string({ unit: fc.constantFrom("y", "n", "l", "?"), minLength: 3, maxLength: 3 }),
    truth: fc.constantFrom(undefined, ...options),
    next: fc.constantFrom("go on", "go on", "reopen", "snapshot, and reopen"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const journal = new MemoryJournal();
      let coordinator = await crew(await opened({ journal }));
      const alone = new Reputation();
      for (const { question, truth, next } of steps) {
        const learned = ["ann", "bob", "cy"].map((name) => [name, alone.weight(name, options.length)] as const);
        const weights = learned.every(([, weight]) => weight === 0) ? {} : Object.fromEntries(learned);
        const { ballotId, ...decision } = await ask(coordinator, question);
        const { votes } = decision;
        const electorate = ["ann", "bob", "cy"];
        expect(decision).toEqual(tally({ options, votes, weights, electorate, method: "weighted", question }));
        if (truth !== undefined) {
          await coordinator.reveal(ballotId, truth);
          for (const [name, vote] of Object.entries(votes)) alone.record(name, vote === truth);
        }
        const known = await accuracies(coordinator);
        for (const name of electorate) expect(known[name] ?? 0.5).toBe(alone.accuracy(name));
        if (next === "go on") continue;
        if (next !== "reopen") await coordinator.snapshot();
        await coordinator.close();
        coordinator = await crew(await opened({ journal }));
        expect(await accuracies(coordinator)).toEqual(known);
      }
    }),
    { numRuns: 30 },
  );
});
