/** The loop in virtual time, in which code can hold everything up at any point. */
import { describe, expect, it } from "vitest";
import { CHAIN_START } from "../journal/chain.ts";
import { MemoryJournal } from "../journal/memory.ts";
import type { Command } from "../kernel/commands.ts";
import type { KernelEvent } from "../kernel/events.ts";
import { Kernel } from "../kernel/kernel.ts";
import { VirtualClock, VirtualTime } from "../testing/virtual-time.ts";
import { CommandLoop } from "./command-loop.ts";
import { Departures } from "./departures.ts";
import { Distribution } from "./distribution.ts";

const voters = ["ann", "bob"];

class Scene {
  readonly time: VirtualTime = new VirtualTime();
  readonly clock: VirtualClock = new VirtualClock(this.time);
  readonly events: KernelEvent[] = [];
  readonly #kernel: Kernel = new Kernel();
  readonly #journal: MemoryJournal = new MemoryJournal();
  readonly #loop: CommandLoop;

  /** `commands`: how many a batch may hold. */
  constructor(commands = 100) {
    this.clock.start(0);
    this.#loop = new CommandLoop({
      kernel: this.#kernel,
      journal: this.#journal,
      clock: this.clock,
      departures: new Departures(this.#kernel, this.#journal.archive),
      observer: {
        decided: (events) => void this.events.push(...events),
        released: () => undefined,
        stopped: (error) => {
          throw error;
        },
      },
      head: { lastSeq: 0, lastHash: CHAIN_START.lastHash, epoch: 1 },
      meters: { decision: new Distribution(), journal: new Distribution() },
      limits: { commands, bytes: 1_000_000 },
    });
    this.ask({ type: "coordinator.open" });
    for (const name of voters) this.ask({ type: "agent.register", agent: { name, kind: "agent", votes: true } });
  }

  ask(...commands: Command[]): void {
    for (const command of commands) this.#loop.enqueue({ kind: "command", envelope: { command }, bytes: 1 });
  }

  openBallot(deadlineMs: number): void {
    this.ask({ type: "ballot.open", question: "?", options: ["yes", "no"], voters, deadlineMs });
  }

  async run(): Promise<void> {
    await this.#journal.open();
    await this.time.run();
  }

  /** Votes that each ballot counted, in the order in which they closed. */
  get counted(): readonly string[] {
    const votes = new Map<string, string[]>();
    return this.events.flatMap((event) => {
      if (event.type === "ballot.opened") votes.set(event.ballotId, []);
      if (event.type === "ballot.cast") votes.get(event.ballotId)?.push(event.voter);
      return event.type === "ballot.decided" ? [`${event.ballotId}: ${votes.get(event.ballotId)?.join(" ")}`] : [];
    });
  }
}

const castIn = (ballotId: string, voter: string): Command => ({ type: "ballot.cast", ballotId, voter, vote: "yes" });

describe("a ballot that is due", () => {
  it("does not close by a timer that rang before it was, when the process was held up in between", async () => {
    const scene = new Scene();
    scene.openBallot(200);
    scene.ask({ type: "task.submit", tasks: [{ skills: ["nobody"], deadlineMs: 100 }] });
    // The loop's timer rings for the task, and what comes before its turn ends as the ballot is due.
    scene.clock.after(100, () => scene.clock.soon(() => scene.time.jump({ stallMs: 100 })));
    scene.clock.after(150, () => scene.ask(castIn("b1", "ann")));
    await scene.run();
    expect(scene.counted).toEqual(["b1: ann"]);
  });

  it("waits for the calls that had come by then, also where another was waiting for earlier ones before", async () => {
    const scene = new Scene(1);
    scene.openBallot(100);
    scene.openBallot(150);
    const tick: Command = { type: "tick" };
    scene.clock.after(100, () => {
      scene.ask(castIn("b1", "ann"), castIn("b1", "bob"), tick, tick);
      // By then two of them are decided, and the first ballot with them.
      scene.clock.soon(() => scene.clock.soon(() => scene.time.jump({ stallMs: 50 })));
    });
    scene.clock.after(140, () => scene.ask(tick, tick, castIn("b2", "ann")));
    await scene.run();
    expect(scene.counted).toEqual(["b1: ann bob", "b2: ann"]);
  });
});
