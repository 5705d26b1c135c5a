import { expect, test } from "vitest";
import { Slots, type Slotted } from "./slots.ts";

interface Job extends Slotted<Job> {
  readonly name: string;
  priority: number;
}

/** Slots, what they told, and jobs by name: those queued, in this order. */
function slots(count: number, jobs: Record<string, number>, preempt = true) {
  const told: string[] = [];
  const made = new Slots<Job>(
    { count, agingMs: Number.POSITIVE_INFINITY, preempt },
    {
      priority: (job) => job.priority,
      started: (job) => told.push(`+${job.name}`),
      stopped: (job) => told.push(`-${job.name}`),
    },
  );
  let seq = 0;
  const queue = (name: string, priority: number): Job => {
    const rest = { arrivalMs: 0, preemptible: true, preemptions: 0, ready: undefined, stoppable: undefined };
    const job: Job = { name, priority, seq: seq++, ...rest };
    made.queue(job);
    return job;
  };
  for (const [name, priority] of Object.entries(jobs)) queue(name, priority);
  return { made, queue, told: () => told.splice(0), running: () => Array.from(made.running, (job) => job.name) };
}

test("filling gives free slots in order, then those of lower priority, and tells each stop and start", () => {
  const { made, queue, told, running } = slots(2, { a: 1, b: 2, c: 1 });
  expect(made.fill().map((job) => job.name)).toEqual(["b", "a"]);
  queue("urgent", 3);
  queue("equal", 2);
  expect(made.fill().map((job) => job.name)).toEqual(["urgent"]);
  expect(told()).toEqual(["+b", "+a", "-a", "+urgent"]);
  expect(running()).toEqual(["b", "urgent"]);
});

test("a priority that changes moves a job, ready or running", () => {
  const { made, queue, running } = slots(1, { a: 5 });
  made.fill();
  const low = queue("low", 1);
  expect(made.fill()).toEqual([]);
  low.priority = 9;
  made.reorder(low);
  made.fill();
  expect(running()).toEqual(["low"]);
  low.priority = 1;
  made.reorder(low);
  made.fill();
  expect(running()).toEqual(["a"]);
});

test("without preemption nobody is stopped", () => {
  const { made, queue, running } = slots(1, { a: 1 }, false);
  made.fill();
  const urgent = queue("urgent", 9);
  expect(made.stopFor(urgent)).toBeUndefined();
  made.fill();
  expect(running()).toEqual(["a"]);
});
