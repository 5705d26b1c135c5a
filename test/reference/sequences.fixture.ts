/** Random sequences of commands: plain numbers, and what they mean is known when each is run. */

import fc from "fast-check";
import type { Command } from "../../src/kernel/commands.ts";
import { ASKS, type Kind } from "./asks.fixture.ts";
import { Cast } from "./cast.fixture.ts";
import type { Model } from "./model.ts";
import type { SideBySide, Step } from "./side-by-side.fixture.ts";
import { Tape } from "./tape.fixture.ts";

/** In a sequence, its opening aside. */
const COMMANDS = 50;

/** How often each kind is asked. */
const EVERYTHING: Readonly<Record<Kind, number>> = {
  submit: 16,
  end: 20,
  fail: 9,
  pause: 5,
  resume: 6,
  prioritize: 4,
  cancel: 5,
  retry: 4,
  agent: 8,
  capacity: 5,
  team: 3,
  submitByCode: 9,
  await: 16,
  request: 10,
  release: 20,
  spend: 9,
  budget: 5,
  lose: 6,
  approve: 11,
  offer: 6,
  judge: 6,
  act: 6,
  drain: 5,
  gone: 6,
  checkpoint: 6,
  ballot: 6,
  vote: 16,
  extend: 7,
  close: 2,
  wrong: 19,
};

/** Sequences differ in what they are about. */
const THEMES: readonly Readonly<Record<Kind, number>>[] = [
  EVERYTHING,
  { ...EVERYTHING, submitByCode: 16, await: 18, request: 26, release: 21, submit: 20, fail: 4 },
  { ...EVERYTHING, submit: 40, end: 26, prioritize: 12, fail: 4 },
  { ...EVERYTHING, agent: 14, capacity: 12, team: 6, fail: 20 },
];

/** How many choices the longest of a kind needs; a little less does no harm. */
const LONG: Partial<Record<Kind, number>> = {
  submit: 96,
  end: 96,
  submitByCode: 35,
  await: 35,
  wrong: 37,
  agent: 7,
  capacity: 8,
  ballot: 16,
  vote: 20,
};
const SHORT = 4;

interface Drawn {
  readonly kind: Kind;
  readonly numbers: readonly number[];
}

/** What happens at one instant: some time after the one before, something is asked, or the coordinator begins again. */
type Instant =
  | { readonly type: "asked"; readonly when: readonly number[]; readonly asks: readonly Drawn[] }
  | { readonly type: "again"; readonly when: readonly number[]; readonly numbers: readonly number[] };

/** The two who are compared are both the real system and its model: what is asked hangs on what the model knows. */
export class Story {
  readonly world: SideBySide;
  readonly #cast: Cast;
  readonly opening: Step;

  constructor(world: SideBySide, numbers: readonly number[]) {
    this.world = world;
    const tape = new Tape(numbers);
    this.#cast = new Cast(world.reference.model, tape);
    const commands = [
      this.#cast.open(tape),
      ...this.#cast.crew(tape, 100),
      ...this.#cast.resources(),
      ...this.#cast.budgets(),
    ];
    this.opening = { after: 0, commands };
  }

  /** What the instant turns out to be. Once it has closed somebody opens it again, but not before everybody was told. */
  step(instant: Instant): Step {
    const tape = new Tape(instant.when);
    const after = this.#pause(tape);
    const { open, drains } = this.world.reference.model;
    if (instant.type === "again") return this.#again(after, new Tape(instant.numbers));
    // Once it starts nothing more there is little to see.
    if (drains && tape.chance(30)) return this.#again(after, new Tape([]));
    if (!open && tape.chance(70)) return this.#again(after, new Tape([]));
    if (instant.asks.length === 0) return { after, commands: [{ type: "tick" }] };
    return { after, commands: instant.asks.map((drawn) => this.#ask(drawn)) };
  }

  /** Instead of what makes no sense by then an attempt ends; where none runs there is more work. */
  #ask({ kind, numbers }: Drawn): Command {
    const tape = new Tape(numbers);
    const situation = {
      model: this.world.reference.model,
      cast: this.#cast,
      tape,
      allocations: this.world.allocations,
    };
    return ASKS[kind](situation) ?? ASKS.end(situation) ?? ASKS.submit(situation);
  }

  #again(after: number, tape: Tape): Step {
    const { open } = this.world.reference.model;
    const restart = open ? tape.pick(["restore", "kill", "close"] as const) : "kill";
    const from = tape.pick(["log", "snapshot"] as const);
    if (restart === "restore") return { after, restart, from, commands: [{ type: "tick" }] };
    return { after, restart, from, commands: [this.#cast.open(tape), ...this.#cast.crew(tape, 85)] };
  }

  /** Often until something is due to the millisecond. */
  #pause(tape: Tape): number {
    const due = (this.world.wakeAt ?? 0) - this.world.now;
    if (tape.chance(25) && due > 0) return due;
    return tape.below(tape.chance(40) ? 1_500 : 50);
  }
}

/** An instant as fast-check runs it. */
export class Told implements fc.Command<Model, Story> {
  readonly #instant: Instant;

  constructor(instant: Instant) {
    this.#instant = instant;
  }

  check(): boolean {
    return true;
  }

  run(_: Model, story: Story): void {
    story.world.take(story.step(this.#instant));
  }
}

const numbers = (length: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(), { minLength: length, maxLength: length });

const when = numbers(5);

function instants(weights: Readonly<Record<Kind, number>>): fc.Arbitrary<Told> {
  const kinds = Object.keys(ASKS) as Kind[];
  const drawn = kinds.map((kind) => ({
    weight: weights[kind],
    arbitrary: numbers(LONG[kind] ?? SHORT).map((choices): Drawn => ({ kind, numbers: choices })),
  }));
  const asks = (minLength: number, maxLength: number): fc.Arbitrary<Told> =>
    fc
      .record({ when, asks: fc.array(fc.oneof(...drawn), { minLength, maxLength }) })
      .map((asked) => new Told({ type: "asked", ...asked }));
  const again = fc.record({ when, numbers: numbers(50) }).map((one) => new Told({ type: "again", ...one }));
  return fc.oneof(
    // What is left out becomes the first.
    { withCrossShrink: true },
    { weight: 3, arbitrary: asks(0, 0) },
    { weight: 77, arbitrary: asks(1, 1) },
    { weight: 16, arbitrary: asks(2, 3) },
    { weight: 4, arbitrary: again },
  );
}

export interface Sequence {
  readonly opening: readonly number[];
  readonly instants: readonly Told[];
}

export const sequences: fc.Arbitrary<Sequence> = fc.record({
  opening: numbers(50),
  instants: fc.oneof(
    ...THEMES.map((weights) => fc.array(instants(weights), { minLength: COMMANDS, maxLength: COMMANDS })),
  ),
});
