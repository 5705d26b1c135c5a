/** Random stories for a coordinator: what is asked, and when, drawn from what the reference knows of it by then. */

import type { Command } from "../../src/kernel/commands.ts";
import { Cast, NAMES } from "./cast.fixture.ts";
import { Draws } from "./draws.fixture.ts";
import { type Attempt, isTerminal, type Model, type Task } from "./model.ts";

/** Stands for a token that is known when the command is given: the task's attempt's, or one that is of no use any more. */
export const CURRENT = 0;
export const STALE = -1;

/** What happens at one instant. */
export interface Step {
  /** Milliseconds since the step before. */
  readonly after: number;
  /** Tokens in it stand for what they are by then. */
  readonly commands: readonly Command[];
  /** The coordinator ends before the commands, in order or with its process, and is opened by them. */
  readonly restart?: "close" | "kill";
}

/** How often what is asked, among what makes sense. */
const EVERYTHING = {
  submit: 17,
  end: 26,
  fail: 8,
  pause: 4,
  resume: 4,
  prioritize: 5,
  cancel: 3,
  retry: 4,
  agent: 6,
  capacity: 4,
  team: 2,
  tick: 3,
  code: 24,
};

/** Stories differ in what they are about. */
const THEMES: readonly (typeof EVERYTHING)[] = [
  EVERYTHING,
  { ...EVERYTHING, code: 45, submit: 22, fail: 3, agent: 2 },
  { ...EVERYTHING, submit: 40, prioritize: 12, fail: 3, agent: 3 },
  { ...EVERYTHING, agent: 15, capacity: 12, team: 6, fail: 12 },
];

export class Author {
  readonly #draws: Draws;
  readonly #model: Model;
  readonly #cast: Cast;
  readonly #theme: typeof EVERYTHING;
  /** When something is due next, as the one who is tested sees it. */
  readonly #wakeAt: () => number | undefined;

  constructor(seed: number, model: Model, wakeAt: () => number | undefined) {
    this.#draws = new Draws(seed);
    this.#model = model;
    this.#wakeAt = wakeAt;
    this.#theme = this.#draws.pick(THEMES) ?? EVERYTHING;
    this.#cast = new Cast(this.#draws, model);
  }

  opening(): Step {
    return { after: 0, commands: [this.#cast.open(), ...this.#cast.crew(), ...this.#cast.resources()] };
  }

  step(): Step {
    const draws = this.#draws;
    const after = this.#pause();
    if (!this.#model.open || draws.chance(3)) {
      const crew = this.#cast.crew().filter(() => draws.chance(85));
      const restart = this.#model.open && draws.chance(50) ? "close" : "kill";
      return { after, restart, commands: [this.#cast.open(), ...crew] };
    }
    const commands = Array.from({ length: 1 + draws.below(3) }, () => this.#command());
    if (draws.chance(2)) commands.push({ type: "coordinator.close" }, this.#command());
    return { after, commands };
  }

  /** Often until something is due to the millisecond. */
  #pause(): number {
    const draws = this.#draws;
    const due = (this.#wakeAt() ?? 0) - this.#model.now;
    if (due > 0 && draws.chance(25)) return due;
    return draws.chance(60) ? draws.below(50) : draws.below(1_500);
  }

  #live(): { readonly task: Task; readonly attempt: Attempt } | undefined {
    return this.#draws.pick(this.#model.live());
  }

  #task(of: (task: Task) => boolean = (task) => !isTerminal(task)): Task | undefined {
    return this.#draws.pick(this.#model.tasks.filter(of));
  }

  #command(): Command {
    const drawn = this.#draws.chance(9) ? this.#wrong() : this.#sensible();
    return drawn ?? { type: "task.submit", tasks: this.#cast.requests("top", 1) };
  }

  #sensible(): Command | undefined {
    const draws = this.#draws;
    switch (draws.weighted(this.#theme)) {
      case "submit":
        return { type: "task.submit", tasks: this.#cast.requests("top", 1 + draws.below(3)) };
      case "end": {
        const live = this.#live();
        return live && this.#endOf(live.task, live.attempt);
      }
      case "fail": {
        const live = this.#live();
        const error = { code: "TASK_FAILED", message: "no", retryable: !draws.chance(20) } as const;
        return live && { type: "attempt.fail", taskId: live.task.id, token: CURRENT, error };
      }
      case "pause": {
        const task = this.#task();
        return task && { type: "task.pause", taskId: task.id };
      }
      case "resume": {
        const task = this.#task((one) => one.held) ?? this.#task();
        return task && { type: "task.resume", taskId: task.id };
      }
      case "prioritize": {
        const task = this.#task();
        return task && { type: "task.prioritize", taskId: task.id, priority: draws.below(12) };
      }
      case "cancel": {
        const task = this.#task();
        return task && { type: "task.cancel", taskId: task.id };
      }
      case "retry": {
        const task = this.#task(({ status }) => status === "failed") ?? this.#task();
        return task && { type: "task.retry", taskId: task.id };
      }
      case "agent": {
        const name = draws.pick(NAMES);
        if (draws.chance(35)) return { type: "agent.unregister", agent: name };
        return { type: "agent.register", agent: this.#cast.agent(name) };
      }
      case "capacity":
        return this.#cast.anotherCapacity();
      case "team": {
        const teams = [["ann", "bob"], ["cy", "dan"], ["dan"], ["ann", "cy", "bob"]];
        return { type: "team.set", manager: draws.pick(["boss", "sub"]), team: draws.pick(teams) ?? [] };
      }
      case "code":
        return this.#byAttempt();
      default:
        return { type: "tick" };
    }
  }

  #endOf(task: Task, { phase }: Attempt): Command {
    const draws = this.#draws;
    const from = { taskId: task.id, token: CURRENT };
    const plans = phase === "plan" || (phase === "aggregate" && task.rounds < 3 && draws.chance(20));
    if (plans) return { type: "attempt.plan", ...from, tasks: this.#cast.requests("plan", draws.below(4)) };
    return { type: "attempt.complete", ...from, output: null };
  }

  /** What the code of an attempt asks for. */
  #byAttempt(): Command | undefined {
    const draws = this.#draws;
    const code = this.#model.live().filter(({ attempt }) => attempt.phase === "run");
    const holders = code.filter(({ attempt }) => attempt.allocations.length > 0);
    const one = draws.pick(holders.length > 0 && draws.chance(50) ? holders : code);
    if (one === undefined) return undefined;
    const { task, attempt } = one;
    const from = { taskId: task.id, token: CURRENT };
    const children = task.children.filter((child) => !isTerminal(child));
    const allocation = draws.pick(attempt.allocations);
    if (children.length > 0 && draws.chance(65)) {
      const on = children.filter(() => draws.chance(80)).map(({ id }) => id);
      return { type: "attempt.await", ...from, on };
    }
    if (allocation !== undefined && draws.chance(65))
      return { type: "attempt.release", ...from, allocationId: "", allocationToken: allocation.token };
    switch (draws.below(7)) {
      case 0:
      case 1:
      case 2:
        return { type: "task.submit", tasks: this.#cast.requests("code", 1), from };
      case 3:
      case 4:
      case 5:
        return this.#more(from);
      default:
        return { type: "attempt.checkpoint", ...from, state: null };
    }
  }

  #more(from: { readonly taskId: string; readonly token: number }): Command {
    const draws = this.#draws;
    return {
      type: "attempt.request",
      ...from,
      amounts: draws.pick([{ disk: 1 }, { disk: 1 }, { disk: 2 }, { net: 1 }, { net: 0.5, disk: 1 }, { calls: 2 }]),
      wait: draws.chance(75),
      ...(draws.chance(40) ? { leaseMs: 500 } : {}),
    };
  }

  /** What must be refused, or be taken for what it is. */
  #wrong(): Command | undefined {
    const draws = this.#draws;
    const request = this.#cast.request("top");
    const task = this.#task();
    const live = this.#live();
    const from = live && { taskId: live.task.id, token: CURRENT };
    switch (draws.below(18)) {
      case 0:
        return { type: "task.submit", tasks: [{ ...request, load: -1 }] };
      case 1: {
        const known = this.#task(({ id }) => !id.includes("/"));
        return known && { type: "task.submit", tasks: [{ ...request, id: known.id, name: "another" }] };
      }
      case 2:
        return { type: "task.submit", tasks: [{ ...request, agent: "ghost" }] };
      case 3:
        return { type: "task.submit", tasks: [{ ...request, dependsOn: ["ghost"] }] };
      case 4:
        return { type: "task.submit", tasks: [{ ...request, resources: { ghost: 1 } }] };
      case 5: {
        const other = { ...this.#cast.request("top"), id: "one", dependsOn: ["other"] };
        const tasks = [other, { ...request, id: "other", dependsOn: ["one"] }];
        return { type: "task.submit", tasks };
      }
      case 6:
        return { type: "team.set", manager: "sub", team: ["boss"] };
      case 7:
        return { type: "task.submit", tasks: [{ ...request, resources: { disk: 4 } }] };
      case 8: {
        const ended = this.#task(isTerminal);
        return ended && { type: "task.prioritize", taskId: ended.id, priority: 1 };
      }
      case 9:
        return task && { type: "task.retry", taskId: task.id };
      case 10:
        return live && { type: "attempt.complete", taskId: live.task.id, token: STALE, output: null };
      case 11:
        return from && { type: "attempt.release", ...from, allocationId: "ghost", allocationToken: 1 };
      case 12:
        return { type: "task.cancel", taskId: "ghost" };
      case 13:
        return { type: "agent.unregister", agent: "ghost" };
      case 14: {
        const stopping = draws.pick(this.#model.live().filter(({ attempt }) => attempt.stopping !== undefined));
        return stopping && this.#more({ taskId: stopping.task.id, token: CURRENT });
      }
      case 15:
      case 16: {
        // One that holds something firmly, and asks for what it would wait for itself.
        const holder = draws.pick(this.#model.live().filter(({ task: one }) => one.needs.has("disk")));
        if (holder === undefined) return undefined;
        const { id, needs } = holder.task;
        const capacity = this.#model.resource("disk")?.capacity ?? 0;
        const disk = (capacity - (needs.get("disk") ?? 0)) / 1_000_000_000 + 1;
        return { type: "attempt.request", taskId: id, token: CURRENT, amounts: { disk }, wait: true };
      }
      default:
        return from && { type: "attempt.request", ...from, amounts: draws.chance(50) ? {} : { disk: 9 } };
    }
  }
}
