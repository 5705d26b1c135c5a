import { expect, test } from "vitest";
import type { Voter } from "../agents/agent.ts";
import { defineAgent } from "../agents/function.ts";
import { MemoryJournal } from "../journal/memory.ts";
import { VirtualClock, VirtualTime } from "../testing/virtual-time.ts";
import type { BallotResult } from "./backend.ts";
import { runtimeLimits } from "./limits.ts";
import { LocalBackend } from "./local-backend.ts";

/** A coordinator on a clock that never waits. */
class Hall {
  readonly time: VirtualTime = new VirtualTime();
  readonly #clock: VirtualClock = new VirtualClock(this.time);
  readonly warnings: string[] = [];

  async #open(): Promise<LocalBackend> {
    const opening = LocalBackend.open({
      journal: new MemoryJournal(),
      logger: {
        debug: () => undefined,
        info: () => undefined,
        warn: (_, message) => this.warnings.push(String(message)),
        error: () => undefined,
      },
      settings: {},
      resources: [],
      clock: (notBefore) => {
        this.#clock.start(notBefore);
        return this.#clock;
      },
    });
    await this.time.run();
    return opening;
  }

  /** What comes of a question to these voters, asked in this order. */
  async decide(voters: Readonly<Record<string, Voter>>): Promise<BallotResult | undefined> {
    const [decision] = await this.decideAll(voters);
    return decision;
  }

  /** The same of several questions, each to those of its own, asked at the same time. */
  async decideAll(...questions: readonly Readonly<Record<string, Voter>>[]): Promise<readonly BallotResult[]> {
    const backend = await this.#open();
    const registered = questions
      .flatMap((voters) => Object.entries(voters))
      .map(([name, vote]) => backend.register(defineAgent({ name, vote }), () => undefined));
    await this.time.run();
    await Promise.all(registered);
    const opened = questions.map((voters) =>
      backend.command({
        type: "ballot.open",
        question: "?",
        options: ["yes", "no"],
        voters: Object.keys(voters),
        deadlineMs: 100,
      }),
    );
    await this.time.run();
    const answers = await Promise.all(opened);
    return Promise.all(answers.map(({ ids }) => backend.decision(ids[0] ?? "")));
  }

  /** Nothing else is done for so long. */
  blocks(ms: number): Voter {
    return () => {
      this.time.jump({ stallMs: ms });
      return "no";
    };
  }

  /** Waits for so long first. */
  later(ms: number, vote: Voter): Voter {
    return async (ballot) => {
      await new Promise<void>((resolve) => void this.#clock.after(ms, resolve));
      return vote(ballot);
    };
  }
}

const yes: Voter = () => "yes";

test("one that keeps the process busy beyond the deadline has abstained, and takes nobody's vote away", async () => {
  const hall = new Hall();
  const voters = {
    first: yes,
    before: hall.later(60, yes),
    bad: hall.blocks(200),
    after: hall.later(60, yes),
    last: yes,
  };
  expect(await hall.decide(voters)).toMatchObject({
    votes: { first: "yes", before: "yes", after: "yes", last: "yes" },
    abstained: ["bad"],
  });
  expect(hall.warnings).toEqual([
    'voter "bad" failed and abstains: it kept the process busy for 200 ms, beyond the deadline',
  ]);
});

test("one that keeps the process busy for less takes no time from others, in no ballot that is open", async () => {
  const hall = new Hall();
  const [one, other] = await hall.decideAll(
    { busy: hall.blocks(80), slow: hall.later(90, yes), yes },
    { slower: hall.later(95, yes), busier: hall.blocks(90), slowest: hall.later(99, yes) },
  );
  expect(one).toMatchObject({ votes: { busy: "no", slow: "yes", yes: "yes" }, abstained: [] });
  expect(other).toMatchObject({ votes: { slower: "yes", busier: "no", slowest: "yes" }, abstained: [] });
});

test("who takes longer than the deadline without keeping anybody up is late, and not waited for", async () => {
  const hall = new Hall();
  const began = hall.time.elapsed;
  expect(await hall.decide({ late: hall.later(101, yes), yes })).toMatchObject({ abstained: ["late"] });
  expect(hall.warnings).toEqual([]);
  expect(hall.time.elapsed - began).toBeLessThanOrEqual(101);
});

test("votes given while somebody keeps the process busy later count, more of them than one batch holds too", async () => {
  const hall = new Hall();
  const names = Array.from({ length: runtimeLimits.batchCommands + 44 }, (_, i) => `v${i}`);
  const voters = Object.fromEntries(names.map((name) => [name, hall.later(50, yes)]));
  const decision = await hall.decide({ bad: hall.later(10, hall.blocks(200)), ...voters });
  expect(Object.keys(decision?.votes ?? {}).length).toBe(names.length + 1);
  expect(decision).toMatchObject({ decision: "yes", abstained: [] });
});
