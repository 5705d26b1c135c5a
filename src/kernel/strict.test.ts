import { describe, expect, test } from "vitest";
import { Kernel } from "./kernel.ts";
import { Story, told } from "./story.fixture.ts";

/** `deaf` was told to stop and is abandoned: it held 2 of 3. `next` needs 2. */
function abandoned(settings: object): Story {
  const story = new Story({ concurrency: 1, ...settings });
  story.agent("ann");
  story.resource("disk", 3);
  story.submit({
    id: "deaf",
    resources: { disk: 2 },
    timeoutMs: 100,
    graceMs: 50,
    retry: { maxAttempts: 1 },
    preemptible: false,
  });
  story.submit({ id: "next", resources: { disk: 2 } }, { id: "small", resources: { disk: 1 } });
  story.after(149);
  return story;
}

function allocated(story: Story): number | undefined {
  return story.kernel.resources(story.now)[0]?.allocated;
}

describe("an attempt that is abandoned", () => {
  test("gives its resources back at once by default", () => {
    const story = abandoned({});
    expect(told(story.after(1))).toEqual(["deaf attempt abandoned", "deaf failed: TIMEOUT", "next starts on ann"]);
  });

  test("keeps them where the coordinator is strict, until its code has ended; slot and room are free", () => {
    const story = abandoned({ strict: true });
    const gone = { type: "attempt.gone", ...story.from("deaf") } as const;
    expect(told(story.after(1))).toEqual(["deaf attempt abandoned", "deaf failed: TIMEOUT", "small starts on ann"]);
    expect(story.kernel.resources(story.now)[0]).toMatchObject({
      allocated: 3,
      holders: [
        { holder: "small", amount: 1 },
        { holder: "deaf", amount: 2, token: gone.token },
      ],
    });
    expect(told(story.complete("small"))).toEqual(["small completed"]);
    expect(story.kernel.idle()).toBe(false);
    expect(told(story.do(gone))).toEqual(["deaf gives back what it kept", "next starts on ann"]);
    expect(allocated(story)).toBe(2);
    expect(story.do(gone)).toEqual([]);
  });

  test("keeps what it asked for besides until its lease is over, and no tokens of a rate", () => {
    const story = new Story({ strict: true });
    story.agent("ann");
    story.resource("disk", 3);
    story.resource("calls", 3, { per: 1_000 });
    story.submit({ id: "a", resources: { calls: 1, disk: 1 }, graceMs: 0 });
    story.ask("a", { disk: 1 }, { leaseMs: 10 });
    const gone = { type: "attempt.gone", ...story.from("a") } as const;
    expect(told(story.do({ type: "task.cancel", taskId: "a" })).slice(-2)).toEqual([
      "a attempt abandoned",
      "a cancelled",
    ]);
    expect(allocated(story)).toBe(2);
    expect(story.kernel.resources(story.now)[0]?.holders).toMatchObject([
      { holder: "a", amount: 1 },
      { holder: "a", amount: 1, expiresAt: story.now + 10 },
    ]);
    expect(story.after(9)).toEqual([]);
    expect(told(story.after(1))).toEqual(["a1 expired"]);
    expect(allocated(story)).toBe(1);
    expect(told(story.do(gone))).toEqual(["a gives back what it kept"]);
    expect(allocated(story)).toBe(0);
  });

  test("that kept nothing but what it had for a time keeps nothing when that is over", () => {
    const story = new Story({ strict: true });
    story.agent("ann");
    story.resource("disk", 3);
    story.submit({ id: "a", graceMs: 0 });
    story.ask("a", { disk: 1 }, { leaseMs: 10 });
    story.ask("a", { disk: 2 }, { leaseMs: 20 });
    const gone = { type: "attempt.gone", ...story.from("a") } as const;
    story.do({ type: "task.cancel", taskId: "a" });
    const rows = JSON.parse(JSON.stringify([...story.kernel.snapshot()]));
    story.kernel = Kernel.restore(rows);
    expect(JSON.parse(JSON.stringify([...story.kernel.snapshot()]))).toEqual(rows);
    story.submit({ id: "b", resources: { disk: 3 } });
    expect(told(story.after(20))).toEqual(["a1 expired", "a2 expired", "b starts on ann"]);
    expect(story.do(gone)).toEqual([]);
  });

  test("gives back what it had for a time with the end of its code, if that comes first", () => {
    const story = new Story({ strict: true });
    story.agent("ann");
    story.resource("disk", 3);
    story.submit({ id: "a", graceMs: 0 });
    story.ask("a", { disk: 1 }, { leaseMs: 10 });
    const gone = { type: "attempt.gone", ...story.from("a") } as const;
    story.do({ type: "task.cancel", taskId: "a" });
    expect(told(story.do(gone))).toEqual(["a gives back what it kept"]);
    expect(story.after(10)).toEqual([]);
  });

  test("that held nothing keeps nothing", () => {
    const story = new Story({ strict: true });
    story.agent("ann");
    story.submit({ id: "a", graceMs: 0 });
    const gone = { type: "attempt.gone", ...story.from("a") } as const;
    story.do({ type: "task.cancel", taskId: "a" });
    story.after(0);
    expect(story.do(gone)).toEqual([]);
  });

  test("with its process keeps nothing any more", () => {
    const story = abandoned({ strict: true });
    story.after(1);
    expect(told(story.crash(10, { strict: true })).slice(0, 2)).toEqual([
      "deaf gives back what it kept",
      "small attempt lost",
    ]);
    expect(allocated(story)).toBe(0);
  });

  test("keeps it over a snapshot", () => {
    const story = abandoned({ strict: true });
    story.after(1);
    const rows = [...story.kernel.snapshot()];
    const restored = Kernel.restore(rows);
    expect([...restored.snapshot()]).toEqual(rows);
    expect(restored.resources(story.now)[0]?.allocated).toBe(3);
  });

  test("when a coordinator that closes has waited for it in vain keeps it until the next opens", () => {
    const story = abandoned({ strict: true });
    expect(told(story.do({ type: "coordinator.close" }))).toEqual(["deaf attempt abandoned", "deaf failed: TIMEOUT"]);
    expect(allocated(story)).toBe(2);
    expect(told(story.do({ type: "coordinator.open" }))).toEqual(["deaf gives back what it kept"]);
  });
});
