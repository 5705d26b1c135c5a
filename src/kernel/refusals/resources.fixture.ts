import { Kernel } from "../kernel.ts";
import type { Story } from "../story.fixture.ts";
import { invalid, noId, type Refused } from "./refused.fixture.ts";

const positive = "it must be a number greater than 0 and at most 2^53 - 1, with at most nine decimals";

function setting(more: object): unknown {
  return { type: "resource.set", resource: "disk", kind: "compute", capacity: 3, ...more };
}

/** `a` runs and asks for more. */
function asking(more: object, before?: (story: Story) => unknown): Refused["ask"] {
  return (story) => {
    story.submit({ id: "a" });
    before?.(story);
    return { type: "attempt.request", ...story.from("a"), amounts: { disk: 2 }, ...more };
  };
}

const asked = { type: "attempt.request", taskId: "a", token: 1 };

/** `a` holds `a1`, 1 of disk under the token 2, and gives something back. */
function releasing(more: object): Refused["ask"] {
  return (story) => {
    story.submit({ id: "a" });
    story.ask("a", { disk: 1 });
    return { type: "attempt.release", ...story.from("a"), allocationId: "a1", allocationToken: 2, ...more };
  };
}

/** `a` runs and awaits. */
function awaiting(on: unknown, before?: (story: Story) => unknown): Refused["ask"] {
  return (story) => {
    story.submit({ id: "a", resources: { disk: 2 } });
    story.spawn("a", { id: "0" }, { id: "1", resources: { disk: 2 } });
    before?.(story);
    return { type: "attempt.await", ...story.from("a"), on };
  };
}

export const resources: readonly Refused[] = [
  invalid(
    'resource has the unknown key "size"; allowed: type, resource, kind, capacity, per, breaker',
    setting({ size: 1 }),
  ),
  invalid(noId("resource", '"a/b"'), setting({ resource: "a/b" })),
  invalid(
    'resource type is "magic"; it must be one of compute, memory, storage, api_call, data',
    setting({ kind: "magic" }),
  ),
  invalid(
    "capacity of disk is Infinity; it must be a number at least 0 and at most 2^53 - 1, with at most nine decimals",
    setting({ capacity: Number.POSITIVE_INFINITY }),
  ),
  invalid("per is 0.5; it must be an integer from 1 to 9007199254740991", setting({ per: 0.5 })),
  {
    ask: (story) => {
      for (let i = 0; i < 9_998; i++) story.resource(`r${i}`, 1);
      return setting({ resource: "new" });
    },
    code: "QUEUE_FULL",
    says: "there is no place for resource new: 10000 are the most",
    details: { resource: "new" },
  },
  {
    ask: () => setting({ per: 1_000 }),
    code: "INVALID_ARGUMENT",
    says: "resource disk is not a rate and cannot become one",
    details: { resource: "disk" },
  },
  {
    ask: () => setting({ resource: "calls" }),
    code: "INVALID_ARGUMENT",
    says: "resource calls is a rate and stays one: give per",
    details: { resource: "calls" },
  },
  invalid('request has the unknown key "forever"; allowed: type, taskId, token, amounts, wait, leaseMs', {
    ...asked,
    amounts: { disk: 1 },
    forever: true,
  }),
  invalid("amounts is {}; it must be at least one resource", { ...asked, amounts: {} }),
  invalid(`amount of disk is 0; ${positive}`, { ...asked, amounts: { disk: 0 } }),
  invalid("leaseMs is 0; it must be a number of milliseconds greater than 0 and finite", {
    ...asked,
    amounts: { disk: 1 },
    leaseMs: 0,
  }),
  {
    ask: asking({}, (story) => story.do({ type: "task.pause", taskId: "a" })),
    code: "CANCELLED",
    says: "task a was told to stop: it gets nothing more",
  },
  {
    ask: asking({ amounts: { tape: 1 } }),
    code: "UNKNOWN_RESOURCE",
    says: '"tape" is no resource',
    details: { resource: "tape" },
  },
  {
    ask: asking({ amounts: { disk: 3.5 } }),
    code: "CAPACITY_EXCEEDED",
    says: "3.5 of disk is more than its capacity of 3",
    details: { resource: "disk", need: 3.5, capacity: 3 },
  },
  {
    ask: asking({ amounts: { calls: 1, disk: 2 } }, (story) => story.submit({ id: "b", resources: { disk: 1.5 } })),
    code: "CAPACITY_EXCEEDED",
    says: "2 of disk is asked for, 1.5 is free now; ask with wait, or later",
    details: { resource: "disk", need: 2, have: 1.5 },
  },
  {
    ask: (story) => {
      story.submit({ id: "held", resources: { disk: 1 }, preemptible: false });
      story.submit({ id: "big", priority: 9, resources: { disk: 3 } });
      story.after(30_000);
      return asking({})(story);
    },
    code: "CAPACITY_EXCEEDED",
    says: "2 of disk is asked for, 0 is free now beside what is set aside for big; ask with wait, or later",
    details: { resource: "disk", need: 2, have: 0 },
  },
  {
    ask: asking({ amounts: { shaky: 2 } }, (story) => {
      story.resource("shaky", 3, { breaker: { failureThreshold: 1, resetMs: 700 } });
      story.submit({ id: "b", resources: { shaky: 1 } });
      story.fail("b");
    }),
    code: "CAPACITY_EXCEEDED",
    says: "2 of shaky is asked for, whose breaker gives nobody any for 700 ms; ask with wait, or later",
    details: { resource: "shaky", need: 2, have: 0, shutMs: 700 },
  },
  invalid(
    "failureThreshold is 0; it must be an integer from 1 to 1000000",
    setting({ breaker: { failureThreshold: 0 } }),
  ),
  {
    ask: asking({ wait: true }, (story) => {
      story.submit({ id: "b", resources: { disk: 2 } });
      story.ask("a", { disk: 2 }, { wait: true });
    }),
    code: "INVALID_STATE",
    says: "task a waits for another request already, a1",
  },
  {
    ask: (story) => {
      story.do({ type: "coordinator.close" }, { type: "coordinator.open", concurrency: 20_000 });
      story.agent("ann", { capacity: 20_000 });
      const ids = Array.from({ length: 10_000 }, (_, i) => `n${i}`);
      story.submit({ id: "a" }, { id: "held", resources: { disk: 3 } }, ...ids.map((id) => ({ id })));
      // Replayed, not asked for: each is looked at for a deadlock with all that wait before it.
      const kernel = new Kernel();
      for (const event of story.log) kernel.replay(event);
      for (const [i, taskId] of ids.entries()) {
        const asks = { requestId: `a${i + 1}`, ...story.from(taskId), amounts: { disk: 1 } };
        kernel.replay({ type: "resource.requested", v: 1, seq: kernel.seq + 1, at: story.now, ...asks });
      }
      story.kernel = kernel;
      return { type: "attempt.request", ...story.from("a"), amounts: { disk: 1 }, wait: true };
    },
    code: "QUEUE_FULL",
    says: "10000 requests wait: that is the most",
  },
  {
    ask: asking({ wait: true }, (story) => story.ask("a", { disk: 2 })),
    code: "WOULD_DEADLOCK",
    says: "task a would wait for ever: it holds what it asks for itself",
    details: { waiting: [] },
  },
  {
    ask: asking({ amounts: { disk: 1 }, wait: true }, (story) => {
      story.resource("net", 1);
      story.ask("a", { net: 1 });
      story.submit({ id: "b" });
      story.ask("b", { disk: 3 });
      story.ask("b", { net: 1 }, { wait: true });
    }),
    code: "WOULD_DEADLOCK",
    says: "task a would wait for ever: what it holds is waited for by b",
    details: { waiting: ["b"] },
  },
  invalid(noId("allocation", "7"), { type: "attempt.release", taskId: "a", token: 1, allocationId: 7 }),
  {
    ask: releasing({ allocationId: "a2" }),
    code: "UNKNOWN_ALLOCATION",
    says: "allocation a2 is not held by task a",
    details: { allocationId: "a2" },
  },
  {
    ask: (story) => {
      const release = releasing({})(story);
      story.do({ type: "attempt.release", ...story.from("a"), allocationId: "a1", allocationToken: 2 });
      return release;
    },
    code: "FENCED",
    says: "allocation a1 is not held by task a",
    details: { allocationId: "a1" },
  },
  {
    ask: releasing({ allocationToken: 1 }),
    code: "FENCED",
    says: "token 1 of allocation a1 is old",
    details: { allocationId: "a1" },
  },
  invalid('on is "a/0"; it must be a list of at most 100000 tasks\' ids', {
    type: "attempt.await",
    taskId: "a",
    token: 1,
    on: "a/0",
  }),
  {
    ask: awaiting(["a/0"], (story) => story.do({ type: "task.cancel", taskId: "a" })),
    code: "CANCELLED",
    says: "task a was told to stop: it awaits nothing more",
  },
  {
    ask: awaiting(["a/0"], (story) => story.await("a", "a/0")),
    code: "INVALID_STATE",
    says: "task a awaits others already",
  },
  {
    ask: awaiting(["a/0", "a"]),
    code: "UNKNOWN_TASK",
    says: '"a" is not a task that a submitted',
    details: { taskId: "a" },
  },
  {
    ask: awaiting(["a/0", "a/1"]),
    code: "WOULD_DEADLOCK",
    says: "task a would await a/0, a/1 for ever: what is needed there is held by what waits for it",
    details: { taskId: "a", waiting: [] },
  },
];
