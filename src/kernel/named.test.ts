import { expect, test } from "vitest";
import type { EventBody } from "./events.ts";
import { Kernel } from "./kernel.ts";

const started = { type: "task.started", v: 1, taskId: "t", agent: "ann", token: 7, attempt: 1, phase: "run" } as const;

/** A log in which only task t and agent ann were ever made. */
function replayed(...bodies: readonly EventBody[]): Kernel {
  const kernel = new Kernel();
  const made: readonly EventBody[] = [
    { type: "coordinator.opened", v: 1, concurrency: 1, unroutableMs: 1_000 },
    { type: "agent.registered", v: 1, agent: "ann", kind: "agent", skills: {}, capacity: 1, weight: 1 },
    { type: "task.submitted", v: 1, taskId: "t" },
  ];
  [...made, ...bodies].forEach((body, i) => {
    kernel.replay({ seq: i + 1, at: 1_000, ...body });
  });
  return kernel;
}

test.each<readonly [name: string, body: EventBody]>([
  ["agent bob", { type: "agent.unregistered", v: 1, agent: "bob" }],
  ["agent bob", { type: "team.changed", v: 1, agent: "bob", team: [] }],
  ["agent bob", { ...started, agent: "bob" }],
  ["agent bob", { type: "task.promised", v: 1, taskId: "t", agent: "bob", victims: [] }],
  ["attempt 8", { type: "task.promised", v: 1, taskId: "t", agent: "ann", victims: [8] }],
  ["task x", { ...started, taskId: "x" }],
  ["task x", { type: "task.paused", v: 1, taskId: "x" }],
  ["attempt 8", { type: "attempt.regained", v: 1, taskId: "t", token: 8 }],
  ["allocation a1", { type: "resource.released", v: 1, allocationId: "a1", why: "released" }],
  ["resource disk", { type: "task.submitted", v: 1, taskId: "u", resources: { disk: 1 } }],
  ["ballot b1", { type: "ballot.cast", v: 1, ballotId: "b1", voter: "ann" }],
  ["ballot b1", { type: "ballot.decided", v: 1, ballotId: "b1", outcome: "no_quorum" }],
])("a log that names %s, which it never made, is not guessed around", (name, body) => {
  expect(() => replayed(body)).toThrow(new RangeError(`the journal names ${name}, which it never made`));
});

test("nor is one that holds what is no amount", () => {
  const body = { type: "resource.set", v: 1, resource: "disk", kind: "compute", capacity: 1e-12 } as const;
  expect(() => replayed(body)).toThrow(new RangeError("the journal holds 1e-12, which is no amount"));
});

test("what it made is found", () => {
  expect(replayed(started).task("t")?.status).toBe("running");
});
