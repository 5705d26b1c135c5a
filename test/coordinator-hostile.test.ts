/** Whatever the code of an agent does, only its own attempt suffers. Isolated agents: `coordinator-isolated.test.ts`. */
import { describe, expect, it, onTestFinished } from "vitest";
import { type AgentContext, defineAgent, SafeguardsError, type Task } from "../src/index.ts";
import { opened } from "./coordinator.fixture.ts";

type Run = (task: Task, ctx: AgentContext) => unknown;
/** What becomes of its attempt, and of its task. */
interface End {
  readonly end: string;
  readonly status: string;
  readonly says?: RegExp;
  readonly output?: unknown;
}

const failed = (says?: RegExp): End => ({ end: "failed", status: "failed", ...(says === undefined ? {} : { says }) });
const completed = (output: unknown): End => ({ end: "completed", status: "completed", output });
const abandoned: End = { end: "abandoned", status: "failed", says: /no result within/ };

const never: Promise<never> = new Promise(() => undefined);
const cycle: Record<string, unknown> = {};
cycle.self = cycle;
const throwing = {
  get output(): never {
    throw new Error("no output");
  },
};
const traps = new Proxy(
  {},
  {
    get() {
      throw new Error("trapped");
    },
    getPrototypeOf() {
      throw new Error("trapped");
    },
  },
);

function thenable(then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void): object {
  return { then };
}

function throws(thrown: unknown): Run {
  return () => {
    throw thrown;
  };
}

const TABLE: readonly (readonly [what: string, run: Run, ends: End])[] = [
  ["throws an error", throws(new Error("boom")), failed(/boom/)],
  ["throws undefined", throws(undefined), failed()],
  ["throws null", throws(null), failed()],
  ["throws a symbol", throws(Symbol("s")), failed()],
  ["throws a function", throws(() => 1), failed()],
  ["throws a proxy", throws(traps), failed()],
  [
    "throws what throws when asked",
    throws({
      get message() {
        throw new Error("no message");
      },
    }),
    failed(),
  ],
  [
    "throws a revoked proxy",
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      throw proxy;
    },
    failed(),
  ],
  [
    "throws an error with itself as its cause",
    () => {
      const e = new Error("mine");
      e.cause = e;
      throw e;
    },
    failed(/mine/),
  ],
  [
    "throws an error of ours that says what cannot be written down",
    throws(Object.defineProperty(new SafeguardsError("FENCED", "mine"), "retryable", { value: 1n })),
    failed(/mine/),
  ],
  [
    "throws an error of ours with a code that there is not",
    throws(Object.defineProperty(new SafeguardsError("FENCED", "mine"), "code", { value: "BOGUS" })),
    failed(/mine/),
  ],
  ["rejects", () => Promise.reject(new Error("later")), failed(/later/)],
  ["hangs", () => never, abandoned],
  [
    "ignores that it is to stop",
    (_, { signal }) => {
      signal.addEventListener("abort", () => undefined);
      return never;
    },
    abandoned,
  ],
  [
    "throws as it is told to stop",
    (_, { signal }) => {
      signal.addEventListener("abort", () => {
        throw new Error("in a listener");
      });
      signal.onabort = async () => {
        throw new Error("in another");
      };
      return never;
    },
    abandoned,
  ],
  [
    "answers after it was told to stop",
    (_, { signal }) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve(1));
      }),
    { end: "timeout", status: "failed" },
  ],
  ["answers with nothing", () => undefined, completed(null)],
  ["answers with a cycle", () => cycle, failed(/cycles/)],
  ["answers with a BigInt", () => ({ n: 1n }), failed(/1n/)],
  ["answers with a function", () => () => 1, failed(/not JSON/)],
  ["answers with a symbol", () => Symbol("s"), failed(/not JSON/)],
  ["answers with NaN", () => [Number.NaN], failed(/finite/)],
  ["answers with a date", () => new Date(0), failed(/instance of Date/)],
  ["answers with 100 MB", () => "x".repeat(100_000_000), failed(/larger than 16000000 bytes/)],
  [
    "answers with a list that says it has 4 thousand million entries",
    () => {
      const list: unknown[] = [];
      list.length = 2 ** 32 - 1;
      return list;
    },
    failed(/hole/),
  ],
  ["answers with a getter that throws", () => throwing, failed(/threw/)],
  ["answers with a proxy that throws", () => traps, failed()],
  ["answers with toJSON", () => ({ toJSON: () => "other" }), failed(/not JSON/)],
  [
    "answers with __proto__",
    () => JSON.parse('{"__proto__":{"polluted":1}}'),
    completed(JSON.parse('{"__proto__":{"polluted":1}}')),
  ],
  ["answers with a thenable that never settles", () => thenable(() => undefined), abandoned],
  [
    "answers with a thenable that throws",
    () =>
      thenable(() => {
        throw new Error("then");
      }),
    failed(/then/),
  ],
  [
    "answers with a thenable whose then throws when asked",
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: that is what the table is about
      get then() {
        throw new Error("no then");
      },
    }),
    failed(/no then/),
  ],
  [
    "answers twice",
    () =>
      thenable((resolve) => {
        resolve("first");
        resolve("second");
      }),
    completed("first"),
  ],
  [
    "answers and then fails",
    () =>
      thenable((resolve, reject) => {
        resolve("first");
        reject(new Error("second"));
      }),
    completed("first"),
  ],
  [
    "answers and then throws",
    () =>
      thenable((resolve) => {
        resolve("first");
        throw new Error("second");
      }),
    completed("first"),
  ],
  [
    "answers with a thenable that gives itself",
    () => {
      const self: object = thenable((resolve) => resolve(self));
      return new Promise((resolve) => resolve(thenable((settle) => settle(thenable(() => undefined)))));
    },
    abandoned,
  ],
  [
    "changes what it was given",
    (task) => {
      Object.assign(task, { id: "other" });
      Object.assign(Object(task.input), { list: [9] });
      return "done";
    },
    completed("done"),
  ],
  [
    "changes the prototypes of what it can reach",
    (_, ctx) => {
      Object.setPrototypeOf(ctx.dependencies, { forged: 1 });
      return "done";
    },
    completed("done"),
  ],
  [
    "speaks with the token of another",
    async (_, ctx) => {
      const code = await ctx
        .release({ id: "a1", token: 999, holder: "y", amounts: {} })
        .catch((error: { code: string }) => error.code);
      return code;
    },
    completed("UNKNOWN_ALLOCATION"),
  ],
  [
    "asks for nonsense",
    async (_, ctx) => {
      const refused = await Promise.allSettled([
        ctx.checkpoint(cycle as never),
        ctx.request(traps as never),
        ctx.submit(traps as never),
        ctx.release(null as never),
      ]);
      return refused.filter(({ status }) => status === "rejected").length;
    },
    completed(4),
  ],
];

describe("an agent", () => {
  it.each(TABLE)("that %s harms nothing but its own attempt", async (_, run, { end, status, says, output }) => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): number => unhandled.push(error);
    for (const event of ["unhandledRejection", "uncaughtException"] as const) {
      process.on(event, note);
      onTestFinished(() => void process.off(event, note));
    }
    const coordinator = await opened();
    await coordinator.register(defineAgent({ name: "hostile", run: run as never }));
    await coordinator.register(defineAgent({ name: "good", capacity: 9, run: (task) => task.input }));
    const [handle, beside] = await coordinator.submit([
      { id: "x", agent: "hostile", input: { list: [1] }, timeoutMs: 40, graceMs: 20, retry: { maxAttempts: 1 } },
      { id: "y", agent: "good", input: { list: [1] } },
    ]);
    const outcome = await handle?.outcome();
    expect(outcome).toMatchObject({ status, attempts: [{ end }] });
    if (says !== undefined) expect(outcome?.error?.message).toMatch(says);
    expect(outcome?.output).toEqual(output);
    expect(await beside?.result()).toEqual({ list: [1] });
    const after = await coordinator.submit({ agent: "good", input: "after" });
    expect(await after.result()).toBe("after");
    expect(Object.getPrototypeOf({})).not.toHaveProperty("polluted");
    expect(await coordinator.agents()).toMatchObject([{ load: 0 }, { load: 0 }]);
    expect(unhandled).toEqual([]);
  });

  it("whose answer comes after it was given up changes nothing", async () => {
    const coordinator = await opened();
    const late = Promise.withResolvers<string>();
    let attempts = 0;
    await coordinator.register(
      defineAgent({
        name: "late",
        capacity: 2,
        run: () => {
          attempts += 1;
          return attempts === 1 ? late.promise : "second";
        },
      }),
    );
    const handle = await coordinator.submit({ timeoutMs: 20, graceMs: 20, retry: { maxAttempts: 2, initialMs: 0 } });
    expect(await handle.result()).toBe("second");
    late.resolve("first");
    await late.promise;
    expect(await handle.outcome()).toMatchObject({
      output: "second",
      attempts: [{ end: "abandoned" }, { end: "completed" }],
    });
  });

  it("that votes with anything harms no ballot", async () => {
    const coordinator = await opened();
    await coordinator.register(defineAgent({ name: "good", vote: () => "yes" }));
    const votes: readonly (() => unknown)[] = [
      throws(traps) as () => unknown,
      () => never,
      () => cycle,
      () => 1n,
      () => traps,
    ];
    for (const [i, vote] of votes.entries()) {
      await coordinator.register(defineAgent({ name: `bad${i}`, vote: vote as never }));
    }
    const decision = await coordinator.decide({ question: "?", options: ["yes", "no"], deadlineMs: 100 });
    expect(decision).toMatchObject({ outcome: "decided", decision: "yes" });
  });
});
