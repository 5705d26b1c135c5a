import fc from "fast-check";
import { expect, test } from "vitest";
import { SafeguardsError } from "../errors.ts";
import { type ArbitratedStatus, TaskArbitrator } from "./task-arbitrator.ts";

interface Task {
  id: string;
  seq: number;
  arrivalMs: number;
  priority: number;
  preemptible: boolean;
  dependsOn: Task[];
  status: ArbitratedStatus;
  held: boolean;
  preemptions: number;
  token: number;
}

const over = (task: Task): boolean => ["completed", "failed", "skipped", "cancelled"].includes(task.status);

/** The rules, word by word, by scanning and sorting everything each time. */
class Model {
  readonly tasks: Task[] = [];
  readonly options: { maxConcurrent: number; agingMs: number; preempt: boolean };
  starts = 0;

  constructor(options: Model["options"]) {
    this.options = options;
  }

  effective(task: Task): number {
    const waiting = this.tasks.filter((other) => !over(other) && other.dependsOn.includes(task));
    return Math.max(task.priority, ...waiting.map((other) => this.effective(other)));
  }

  before(a: Task, b: Task): boolean {
    const { agingMs } = this.options;
    const rank = (task: Task): number =>
      agingMs === Number.POSITIVE_INFINITY ? -this.effective(task) : task.arrivalMs - this.effective(task) * agingMs;
    return rank(a) < rank(b) || (rank(a) === rank(b) && a.seq < b.seq);
  }

  ready(): Task[] {
    return this.tasks
      .filter((task) => !over(task) && task.status !== "running" && !task.held)
      .filter((task) => task.dependsOn.every((dependency) => dependency.status === "completed"))
      .sort((a, b) => (this.before(a, b) ? -1 : 1));
  }

  running(): Task[] {
    return this.tasks.filter((task) => task.status === "running").sort((a, b) => a.token - b.token);
  }

  victimFor(task: Task): Task | undefined {
    if (!this.options.preempt) return undefined;
    return this.running()
      .filter((other) => other.preemptible && other.preemptions < 3)
      .filter((other) => this.effective(other) < this.effective(task) && this.before(task, other))
      .sort((a, b) => this.effective(a) - this.effective(b) || b.token - a.token)[0];
  }

  tryStart(task: Task): { started: boolean; preempted?: string } {
    let victim: Task | undefined;
    if (this.running().length >= this.options.maxConcurrent) {
      victim = this.victimFor(task);
      if (victim === undefined) return { started: false };
      victim.status = "paused";
      victim.preemptions++;
    }
    task.status = "running";
    task.token = ++this.starts;
    return victim === undefined ? { started: true } : { started: true, preempted: victim.id };
  }

  fill(): string[] {
    const next = this.ready().find((task) => this.tryStart(task).started);
    return next === undefined ? [] : [next.id, ...this.fill()];
  }

  /** Skips what cannot happen any more, and says of the rest whether it is blocked. */
  settle(): void {
    for (let skipped = true; skipped; ) {
      skipped = false;
      for (const task of this.tasks) {
        if (over(task) || !task.dependsOn.some((other) => over(other) && other.status !== "completed")) continue;
        task.status = "skipped";
        skipped = true;
      }
    }
    for (const task of this.tasks) {
      if (over(task) || task.status === "running") continue;
      const blocked = task.dependsOn.some((other) => other.status !== "completed");
      if (task.held) task.status = "paused";
      else if (blocked) task.status = "blocked";
      else if (task.status === "blocked") task.status = "pending";
    }
  }

  reaches(from: Task, to: Task): boolean {
    return from === to || from.dependsOn.some((other) => this.reaches(other, to));
  }
}

const pick = fc.nat(11);
const operation = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant("register" as const),
      priority: fc.integer({ min: 0, max: 4 }),
      preemptible: fc.boolean(),
      dependsOn: fc.array(pick, { maxLength: 2 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant("complete" as const), at: pick, success: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom("start" as const, "pause" as const, "resume" as const), at: pick }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("cancel" as const), at: pick }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("depend" as const), at: pick, on: pick }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("startReady" as const) }) },
);

test("after any calls every status, every answer and the order of starts are what the rules say", () => {
  const options = fc.record({
    maxConcurrent: fc.integer({ min: 1, max: 3 }),
    agingMs: fc.constantFrom(Number.POSITIVE_INFINITY, 3, 0),
    preempt: fc.boolean(),
  });
  fc.assert(
    fc.property(
      options,
      fc.array(fc.tuple(fc.nat(4), operation), { maxLength: 50, size: "max" }),
      (chosen, operations) => {
        const tasks = new TaskArbitrator(chosen);
        const model = new Model(chosen);
        let now = 0;
        for (const [wait, op] of operations) {
          now += wait;
          const at = "at" in op ? model.tasks[op.at % Math.max(1, model.tasks.length)] : undefined;
          if (op.type === "register") {
            const dependsOn = [...new Set(op.dependsOn.flatMap((index) => model.tasks[index] ?? []))];
            const { priority, preemptible } = op;
            const id = `t${model.tasks.length}`;
            tasks.register({ id, priority, preemptible, dependsOn: dependsOn.map((other) => other.id) }, now);
            const rest = { status: "pending" as const, held: false, preemptions: 0, token: 0 };
            model.tasks.push({
              id,
              seq: model.tasks.length,
              arrivalMs: now,
              priority,
              preemptible,
              dependsOn,
              ...rest,
            });
            model.settle();
          } else if (op.type === "startReady") {
            expect(tasks.startReady(now)).toEqual(model.fill());
          } else if (at !== undefined) {
            if (op.type === "start") {
              const can = model.ready().includes(at);
              const { started, preempted } = tasks.start(at.id, now);
              if (can) expect({ started, ...(preempted && { preempted }) }).toEqual(model.tryStart(at));
              else expect(started).toBe(at.status === "running");
            } else if (op.type === "pause") {
              if (!over(at)) at.held = true;
              if (at.status === "running") at.status = "paused";
              model.settle();
              expect(tasks.pause(at.id, now)).toEqual({ paused: !over(at), started: model.fill() });
            } else if (op.type === "resume") {
              if (at.held && !over(at)) at.status = "pending";
              at.held = false;
              model.settle();
              expect(tasks.resume(at.id, now)).toEqual(model.fill());
            } else if (op.type === "cancel") {
              if (!over(at)) at.status = "cancelled";
              model.settle();
              expect(tasks.cancel(at.id, now)).toEqual(model.fill());
            } else if (op.type === "complete") {
              const complete = (): unknown => tasks.complete(at.id, now, { success: op.success });
              if (at.status === "running") {
                at.status = op.success ? "completed" : "failed";
                model.settle();
                expect(complete()).toEqual(model.fill());
              } else expect(complete).toThrow(SafeguardsError);
            } else if (op.type === "depend") {
              const on = model.tasks[op.on % model.tasks.length];
              if (on === undefined) continue;
              const known = at.dependsOn.includes(on);
              const closes = model.reaches(on, at);
              if (known || (!closes && !over(at) && at.status !== "running")) {
                tasks.addDependency(at.id, on.id);
                if (!known) at.dependsOn.push(on);
                model.settle();
              } else {
                expect(() => tasks.addDependency(at.id, on.id)).toThrow(
                  closes ? "wait for each other" : "another dependency",
                );
              }
            }
          }
          expect(tasks.running()).toEqual(model.running().map((task) => task.id));
          expect(model.tasks.map((task) => tasks.status(task.id))).toEqual(model.tasks.map((task) => task.status));
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

test("of two tasks that do not change, one may displace the other, but never each the other in turn", () => {
  const call = fc.record({ type: fc.constantFrom("start", "startReady", "pause", "resume"), at: fc.nat(5) });
  const registered = fc.record({ wait: fc.nat(9), priority: fc.integer({ min: 0, max: 3 }) });
  fc.assert(
    fc.property(
      fc.constantFrom(Number.POSITIVE_INFINITY, 3, 0),
      fc.array(registered, { minLength: 2, maxLength: 6 }),
      fc.array(call, { maxLength: 40, size: "max" }),
      (agingMs, specs, calls) => {
        const tasks = new TaskArbitrator({ maxConcurrent: 1, agingMs });
        let now = 0;
        specs.forEach(({ wait, priority }, i) => {
          now += wait;
          tasks.register({ id: `${i}`, priority }, now);
        });
        const displaced = new Set<string>();
        for (const { type, at } of calls) {
          const id = `${at % specs.length}`;
          const [before] = tasks.running();
          if (type === "start") tasks.start(id, now);
          else if (type === "pause") tasks.pause(id, now);
          else if (type === "resume") tasks.resume(id, now);
          else tasks.startReady(now);
          const [after] = tasks.running();
          if (before === undefined || after === undefined || before === after) continue;
          if (type === "pause" && id === before) continue;
          displaced.add(`${after} over ${before}`);
          expect(displaced).not.toContain(`${before} over ${after}`);
        }
      },
    ),
    { numRuns: 500 },
  );
});
