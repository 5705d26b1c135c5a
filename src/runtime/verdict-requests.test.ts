import { describe, expect, onTestFinished, test } from "vitest";
import { defineAgent } from "../agents/function.ts";
import { type Guardrail, namesOf, type Verdict } from "../guardrails/guardrail.ts";
import { MemoryJournal } from "../journal/memory.ts";
import type { Command } from "../kernel/commands.ts";
import { Story } from "../kernel/story.fixture.ts";
import { VirtualClock, VirtualTime } from "../testing/virtual-time.ts";
import { SystemClock } from "./clock.ts";
import { Judges } from "./judges.ts";
import { runtimeLimits } from "./limits.ts";
import { LocalBackend } from "./local-backend.ts";
import { VerdictRequests, verdictsOn } from "./verdict-requests.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** A coordinator on a clock that never waits, with agent `ann`. */
async function opened(time: VirtualTime, guardrails: readonly Guardrail[], logger = silent): Promise<LocalBackend> {
  const clock = new VirtualClock(time);
  const opening = LocalBackend.open({
    journal: new MemoryJournal(),
    logger,
    settings: { guardrails: namesOf(guardrails) ?? {} },
    resources: [],
    guardrails,
    clock: (notBefore) => {
      clock.start(notBefore);
      return clock;
    },
  });
  await time.run();
  const backend = await opening;
  await during(
    time,
    backend.register(defineAgent({ name: "ann", run: (task) => task.input }), () => undefined),
  );
  return backend;
}

async function during<T>(time: VirtualTime, promise: Promise<T>): Promise<T> {
  await time.run();
  return promise;
}

const hangs = (on: Guardrail["on"]): Guardrail => ({
  name: "hangs",
  on,
  check: () => new Promise<Verdict>(() => undefined),
});

test.each(["input", "output"] as const)(
  "one that never answers about an %s blocks it when its time is over",
  async (on) => {
    const time = new VirtualTime();
    const backend = await opened(time, [hangs(on)]);
    const began = time.elapsed;
    await during(time, backend.command({ type: "task.submit", tasks: [{ id: "a" }] }));
    expect(await during(time, backend.outcome("a"))).toMatchObject({
      status: "failed",
      error: {
        code: "GUARDRAIL_BLOCKED",
        message: `guardrail hangs blocked its ${on}: it gave no verdict within 30000 ms`,
      },
    });
    expect(time.elapsed - began).toBe(runtimeLimits.guardrailMs);
  },
);

test("nobody waits for one that is still asked when the coordinator closes", async () => {
  const time = new VirtualTime();
  const closed = Promise.withResolvers<void>();
  const closes: Guardrail = {
    name: "closes",
    on: "input",
    check: () => {
      backend.close().then(closed.resolve, closed.reject);
      return new Promise<Verdict>(() => undefined);
    },
  };
  const backend = await opened(time, [closes]);
  const began = time.elapsed;
  await during(time, backend.command({ type: "task.submit", tasks: [{ id: "a" }] }));
  await during(time, closed.promise);
  expect(time.elapsed).toBe(began);
});

describe("inputs that wait", () => {
  /** Looks at tasks that all wait; whoever is asked answers when told to, and what is said is decided at once. */
  function checks() {
    const answers: ((verdict?: Verdict) => void)[] = [];
    const decided: string[] = [];
    const slow: Guardrail = {
      name: "slow",
      on: "input",
      check: () => new Promise((resolve) => answers.push((verdict = { allow: true }) => resolve(verdict))),
    };
    const story = new Story({ guardrails: { input: ["slow"] } });
    /** What is decided at the same instant as the next verdict, after it. */
    const besides: Command[] = [];
    const judges = new Judges([slow], new SystemClock(0), silent);
    onTestFinished(() => judges.stop());
    const inputs = new VerdictRequests({
      asked: (view) => verdictsOn(judges, view),
      task: (id) => story.kernel.task(id),
      post: (command, _, answered) => {
        if (command.type === "task.judge") decided.push(command.taskId);
        const { answers } = story.try(command, ...besides.splice(0));
        if (answers[0] !== undefined) answered?.(answers[0]);
      },
      pause: () => new Promise((resolve) => setImmediate(resolve)),
    });
    const add = (count: number): void => {
      const ids = Array.from({ length: count }, (_, i) => `a${i}`);
      story.submit(...ids.map((id) => ({ id })));
      for (const id of ids) inputs.add(id);
    };
    const asked = async (count: number): Promise<void> => {
      while (answers.length < count) await new Promise((resolve) => setImmediate(resolve));
    };
    return { answers, decided, besides, inputs, add, asked };
  }
  const most = runtimeLimits.verdictsAtOnce;

  test("are looked at only so many at one time, each once, and in their order", async () => {
    const { answers, decided, inputs, add, asked } = checks();
    add(most + 2);
    inputs.add("a0");
    await asked(most);
    expect(answers).toHaveLength(most);
    answers.shift()?.();
    await asked(most);
    expect(decided).toEqual(["a0"]);
    while (decided.length < most + 2) {
      answers.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(decided).toEqual(Array.from({ length: most + 2 }, (_, i) => `a${i}`));
  });

  test("are looked at again when the task was tried again at the very instant at which its input was blocked", async () => {
    const { answers, decided, besides, add, asked } = checks();
    add(1);
    await asked(1);
    besides.push({ type: "task.retry", taskId: "a0" });
    answers[0]?.({ allow: false, reason: "no" });
    await asked(2);
    expect(decided).toEqual(["a0"]);
  });

  test("are not looked at once that is stopped, and what is said by then is dropped", async () => {
    const { answers, decided, inputs, add, asked } = checks();
    add(most + 1);
    await asked(most);
    inputs.stop();
    inputs.add("a0");
    for (const answer of answers) answer();
    await new Promise((resolve) => setImmediate(resolve));
    expect(answers).toHaveLength(most);
    expect(decided).toEqual([]);
  });
});
