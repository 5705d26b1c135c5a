/** Stories of tasks that wait for what others have, or have set aside. */
import { limits } from "./limits.ts";
import type { Story } from "./story.fixture.ts";
import { firm, type Waiting, world } from "./waiting.fixture.ts";

export const concurrency: readonly Waiting[] = [
  {
    what: "how many slots there are and who has them; who awaits others has none",
    story: () => {
      const story = world({ concurrency: 2 });
      story.submit({ id: "a" }, { id: "b" });
      story.spawn("a", { id: "0", ...firm });
      story.await("a", "a/0");
      story.submit({ id: "c" });
      return story;
    },
    id: "c",
    reasons: [{ code: "concurrency", need: 1, have: 0, who: ["b", "a/0"], text: "all 2 slots are taken" }],
  },
  {
    what: "that there is only one",
    story: () => {
      const story = world({ concurrency: 1 });
      story.submit({ id: "a" }, { id: "b" });
      return story;
    },
    id: "b",
    reasons: [{ code: "concurrency", need: 1, have: 0, who: ["a"], text: "the only slot is taken" }],
  },
  {
    what: "to whom the slots are promised",
    story: () => {
      const story = world({ concurrency: 2 });
      story.submit({ id: "a", priority: 1 }, { id: "b", priority: 1 });
      story.submit({ id: "high", priority: 8 }, { id: "higher", priority: 9 }, { id: "c" });
      return story;
    },
    id: "c",
    reasons: [
      {
        code: "concurrency",
        need: 1,
        have: 0,
        who: ["a", "b"],
        text: "all 2 slots are taken or promised to high and higher",
      },
    ],
  },
];

export const resource: readonly Waiting[] = [
  {
    what: "that code which was abandoned keeps it",
    story: () => {
      const story = world({ strict: true });
      story.submit({ id: "deaf", resources: { disk: 2 }, timeoutMs: 100, graceMs: 0, retry: { maxAttempts: 1 } });
      story.submit({ id: "a", resources: { disk: 2 } });
      story.after(100);
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "resource",
        need: { resource: "disk", amount: 2 },
        have: { resource: "disk", amount: 1 },
        who: ["deaf"],
        text: "2 of disk is needed, 1 is free (kept by an abandoned attempt at deaf)",
      },
    ],
  },
  {
    what: "how much is needed, how much is there and who holds it, to the last decimal",
    story: () => {
      const story = world();
      story.submit({ id: "a", resources: { disk: 0.7 }, ...firm }, { id: "b" }, { id: "other" });
      story.ask("b", { disk: 2.1 });
      story.submit({ id: "c", resources: { disk: 0.3 } });
      return story;
    },
    id: "c",
    reasons: [
      {
        code: "resource",
        need: { resource: "disk", amount: 0.3 },
        have: { resource: "disk", amount: 0.2 },
        who: ["a", "b"],
        text: "0.3 of disk is needed, 0.2 is free (held by a and b)",
      },
    ],
  },
  {
    what: "to whom it is promised",
    story: () => {
      const story = world();
      story.submit({ id: "low", resources: { disk: 1 }, priority: 1 });
      story.submit({ id: "high", resources: { disk: 3 }, priority: 9 });
      story.submit({ id: "a", resources: { disk: 1 } });
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "resource",
        need: { resource: "disk", amount: 1 },
        have: { resource: "disk", amount: 0 },
        who: ["low"],
        text: "1 of disk is needed, 0 is free (held by low; promised to high)",
      },
    ],
  },
  {
    what: "of a rate, when there are enough tokens; those are held by nobody",
    story: () => {
      const story = world();
      story.resource("calls", 4, { kind: "api_call", per: 1_000 });
      story.submit({ id: "a", resources: { calls: 3 } });
      story.after(100);
      story.submit({ id: "b", resources: { calls: 2.5 } });
      return story;
    },
    id: "b",
    reasons: [
      {
        code: "resource",
        need: { resource: "calls", amount: 2.5 },
        have: { resource: "calls", amount: 1.4 },
        who: [],
        text: "2.5 of calls is needed, 1.4 is free (enough in 275 ms)",
      },
    ],
  },
  {
    what: "that tokens are promised to nobody",
    story: () => {
      const story = world();
      story.resource("calls", 4, { kind: "api_call", per: 1_000 });
      story.submit({ id: "low", load: 9, priority: 1, resources: { calls: 3 } });
      story.submit({ id: "high", load: 9, priority: 9, resources: { calls: 1 } });
      story.submit({ id: "a", load: 0.5, resources: { calls: 2 } });
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "room",
        need: 0.5,
        have: 0,
        who: ["ann"],
        text: "room for 0.5 is needed; free is 0 of 9 on ann (promised to high)",
      },
      {
        code: "resource",
        need: { resource: "calls", amount: 2 },
        have: { resource: "calls", amount: 1 },
        who: [],
        text: "2 of calls is needed, 1 is free (enough in 250 ms)",
      },
    ],
  },
  {
    what: "each that is short, and none that is not",
    story: () => {
      const story = world();
      story.resource("net", 2);
      story.resource("tape", 1);
      story.submit({ id: "a", resources: { disk: 3, tape: 1 }, ...firm });
      story.submit({ id: "b", resources: { tape: 1, disk: 1, net: 2 } });
      return story;
    },
    id: "b",
    reasons: ["disk", "tape"].map((id) => ({
      code: "resource",
      need: { resource: id, amount: 1 },
      have: { resource: id, amount: 0 },
      who: ["a"],
      text: `1 of ${id} is needed, 0 is free (held by a)`,
    })),
  },
  {
    what: "that nobody holds what was taken away by lowering the capacity",
    story: () => {
      const story = world();
      story.resource("calls", 4, { kind: "api_call", per: 1_000 });
      story.submit({ id: "a", resources: { disk: 1 }, ...firm });
      story.submit({ id: "b" });
      story.ask("b", { disk: 2 });
      story.submit({ id: "c", resources: { disk: 2 } });
      story.resource("disk", 2);
      story.complete("b");
      return story;
    },
    id: "c",
    reasons: [
      {
        code: "resource",
        need: { resource: "disk", amount: 2 },
        have: { resource: "disk", amount: 1 },
        who: ["a"],
        text: "2 of disk is needed, 1 is free (held by a)",
      },
    ],
  },
  {
    what: "what a running attempt asked for on top",
    story: () => {
      const story = world();
      story.submit({ id: "b", resources: { disk: 2 }, ...firm }, { id: "a" });
      story.ask("a", { disk: 1 });
      story.ask("a", { disk: 2 }, { wait: true });
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "resource",
        need: { resource: "disk", amount: 2 },
        have: { resource: "disk", amount: 0 },
        who: ["b", "a"],
        text: "2 of disk is needed, 0 is free (held by b and a)",
      },
    ],
  },
];

export const reserved: readonly Waiting[] = [
  {
    what: "who has the reservation and what it sets aside",
    story: () => reservedStory(),
    id: "small",
    reasons: [
      {
        code: "reserved",
        who: ["big"],
        text: "what is free is set aside for big, which comes before it and has waited long: 3 of disk, a slot and room for 2 on ann",
      },
    ],
  },
  {
    what: "that it is its own, beside what it lacks, and when by the estimates it can start",
    story: () => reservedStory({ estimatedMs: 2_500 }),
    id: "big",
    reasons: [
      {
        code: "resource",
        need: { resource: "disk", amount: 3 },
        have: { resource: "disk", amount: 1 },
        who: ["held"],
        text: "3 of disk is needed, 1 is free (held by held)",
      },
      {
        code: "reserved",
        who: ["big"],
        text: "of those that have waited long it comes first, and has set aside 3 of disk, a slot and room for 2 on ann; by the estimates of what runs that is there in 1500 ms",
      },
    ],
  },
  {
    what: "that a running attempt has it, which needs neither a slot nor room",
    story: () => {
      const story = world({ protectAfterMs: 1_000 });
      story.submit({ id: "held", resources: { disk: 2 }, ...firm }, { id: "asks", ...firm });
      story.ask("asks", { disk: 2 }, { wait: true });
      story.after(1_000);
      story.submit({ id: "small", resources: { disk: 1 } });
      return story;
    },
    id: "small",
    reasons: [
      {
        code: "reserved",
        who: ["asks"],
        text: "what is free is set aside for asks, which comes before it and has waited long: 2 of disk",
      },
    ],
  },
];

/** `big` has waited for a second for 3 of disk, of which `held` has 2. */
export function reservedStory(heldMore = {}): Story {
  const story = world({ protectAfterMs: 1_000 });
  story.submit({ id: "held", resources: { disk: 2 }, ...firm, ...heldMore });
  story.submit({ id: "big", load: 2, resources: { disk: 3 } });
  story.after(1_000);
  story.submit({ id: "small", resources: { disk: 1 } });
  return story;
}

export const beyond: readonly Waiting[] = [
  {
    what: "how many are looked at",
    story: () => {
      const story = world();
      story.submit({ id: "held", load: 5, resources: { disk: 2 }, ...firm });
      // Those with room ask for too much of the disk, and the others for too much room: none can be told to be in vain unseen.
      const tasks = Array.from({ length: 6 * limits.backfillDepth }, (_, i) =>
        i % 2 === 0 ? { load: 5, resources: { disk: 1 } } : { load: 4, resources: { disk: 2 } },
      );
      story.submit(...tasks, { id: "last", load: 4, resources: { disk: 1 } });
      return story;
    },
    id: "last",
    reasons: [
      {
        code: "beyond-backfill-depth",
        need: 1_000,
        text: "it is too far behind others of its kind that cannot start: 1000 are looked at",
      },
    ],
  },
];
