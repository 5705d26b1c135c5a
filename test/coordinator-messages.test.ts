import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type AgentContext, type Coordinator, defineAgent, type Guardrail, type Message } from "../src/index.ts";
import { limits } from "../src/kernel/limits.ts";
import { runtimeLimits } from "../src/runtime/limits.ts";
import { eventsOf, gate, MortalJournal, opened, rejection } from "./coordinator.fixture.ts";

/** An agent whose code is what its task's input names. */
async function register(
  coordinator: Coordinator,
  name: string,
  code: Readonly<Record<string, (ctx: AgentContext) => Promise<unknown>>>,
): Promise<void> {
  await coordinator.register(
    defineAgent({
      name,
      capacity: 99,
      run: async ({ input }, ctx) => ((await code[String(input)]?.(ctx)) ?? null) as never,
    }),
  );
}

async function run(coordinator: Coordinator, agent: string, input: string): Promise<unknown> {
  return (await coordinator.submit({ agent, input, retry: { initialMs: 0 } })).result();
}

/** The bodies of so many messages. */
async function take(messages: AsyncIterable<Message>, count: number): Promise<unknown[]> {
  const bodies: unknown[] = [];
  for await (const { body } of messages) {
    bodies.push(body);
    if (bodies.length === count) break;
  }
  return bodies;
}

async function all(messages: AsyncIterable<Message>): Promise<Message[]> {
  const got: Message[] = [];
  for await (const message of messages) got.push(message);
  return got;
}

describe("messages to an agent", () => {
  it("are handed over in the order of sending, to one that waits for them or comes later", async () => {
    const coordinator = await opened();
    await register(coordinator, "ann", {
      greet: async (ctx) => {
        await ctx.send("bob", "one");
        await ctx.send("bob", { two: 2 });
      },
      more: (ctx) => ctx.send("bob", ["three"]),
    });
    await register(coordinator, "bob", { listen: (ctx) => take(ctx.messages(), 3) });
    await run(coordinator, "ann", "greet");
    const listening = run(coordinator, "bob", "listen");
    await run(coordinator, "ann", "more");
    expect(await listening).toEqual(["one", { two: 2 }, ["three"]]);
  });

  it("say who sent them to whom and when, and are a copy of their own", async () => {
    const coordinator = await opened();
    await register(coordinator, "ann", { greet: (ctx) => ctx.send("bob", { n: 1 }) });
    await register(coordinator, "bob", {
      listen: async (ctx) => {
        const [message] = await all(ctx.messages({ timeoutMs: 0 }));
        Object.assign(Object(message?.body), { n: 2 });
        return { ...message };
      },
    });
    await run(coordinator, "ann", "greet");
    const sent = (await eventsOf(coordinator)).find(({ type }) => type === "message.sent");
    expect(await run(coordinator, "bob", "listen")).toEqual({
      id: "m1",
      from: "ann",
      to: "bob",
      at: sent?.at,
      body: { n: 2 },
    });
    expect(sent).toMatchObject({ body: { n: 1 }, by: "ann" });
  });

  it("are refused for a name that nobody knows, and wait for one that is offline", async () => {
    const coordinator = await opened();
    await register(coordinator, "ann", {
      eve: async (ctx) => Reflect.get(Object(await rejection(ctx.send("eve", 1))), "code"),
      bob: (ctx) => ctx.send("bob", 1),
    });
    await register(coordinator, "bob", { listen: (ctx) => take(ctx.messages(), 1) });
    await coordinator.unregister("bob");
    expect(await run(coordinator, "ann", "eve")).toBe("UNKNOWN_AGENT");
    await run(coordinator, "ann", "bob");
    await register(coordinator, "bob", { listen: (ctx) => take(ctx.messages(), 1) });
    expect(await run(coordinator, "bob", "listen")).toEqual([1]);
  });

  it("that an attempt had in hand when it failed come again, with the same id; what it had read does not", async () => {
    const coordinator = await opened();
    const seen: string[] = [];
    await register(coordinator, "ann", {
      greet: async (ctx) => {
        for (const body of ["one", "two", "three"]) await ctx.send("bob", body);
      },
    });
    await register(coordinator, "bob", {
      listen: async (ctx) => {
        for await (const { id, body } of ctx.messages({ timeoutMs: 0 })) {
          seen.push(`${id} ${body}`);
          if (body === "two" && ctx.attempt === 1) throw new Error("no");
        }
      },
    });
    await run(coordinator, "ann", "greet");
    await run(coordinator, "bob", "listen");
    expect(seen).toEqual(["m1 one", "m2 two", "m2 two", "m3 three"]);
    expect(await run(coordinator, "bob", "listen")).toBeNull();
    expect(seen).toHaveLength(4);
  });

  it("are read with the output of an attempt that does not ask for another one", async () => {
    const coordinator = await opened();
    await register(coordinator, "ann", {
      greet: async (ctx) => {
        for (const body of ["one", "two"]) await ctx.send("ann", body);
      },
      listen: (ctx) => take(ctx.messages(), 1),
    });
    await run(coordinator, "ann", "greet");
    expect(await run(coordinator, "ann", "listen")).toEqual(["one"]);
    expect(await run(coordinator, "ann", "listen")).toEqual(["two"]);
  });

  it("that its code picks up after it has given its output are there for the next attempt", async () => {
    const verdict = gate<{ readonly allow: true }>();
    let isSlow = true;
    const guardrail: Guardrail = {
      name: "slow",
      on: "output",
      check: ({ agent }) => (agent === "ann" && isSlow ? verdict.promise : { allow: true }),
    };
    const coordinator = await opened({ guardrails: [guardrail] });
    const [left, picked] = [gate(), gate<readonly unknown[]>()];
    await register(coordinator, "ann", {
      leave: async (ctx) => {
        take(ctx.messages(), 1).then(picked.resolve, picked.reject);
        left.resolve();
        return null;
      },
      listen: (ctx) => take(ctx.messages(), 1),
    });
    await register(coordinator, "bob", { greet: (ctx) => ctx.send("ann", "one") });
    const leaving = run(coordinator, "ann", "leave");
    await left.promise;
    await run(coordinator, "bob", "greet");
    expect(await picked.promise).toEqual(["one"]);
    isSlow = false;
    verdict.resolve({ allow: true });
    await leaving;
    expect(await run(coordinator, "ann", "listen")).toEqual(["one"]);
  });

  it("are shared by attempts of one agent that read at the same time: each goes to one of them", async () => {
    const coordinator = await opened();
    const got: unknown[][] = [[], []];
    const release = gate();
    const listen = (index: number) => async (ctx: AgentContext) => {
      for await (const { body } of ctx.messages()) {
        got[index]?.push(body);
        if (got.flat().length === 6) release.resolve();
        if (body === "end") return;
      }
    };
    await register(coordinator, "bob", {
      first: listen(0),
      second: listen(1),
      greet: async (ctx) => {
        for (let n = 0; n < 6; n++) await ctx.send("bob", n);
        await release.promise;
        for (let n = 0; n < 2; n++) await ctx.send("bob", "end");
      },
    });
    await Promise.all(["first", "second", "greet"].map((input) => run(coordinator, "bob", input)));
    expect(
      got
        .flat()
        .filter((body) => body !== "end")
        .toSorted(),
    ).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it("survive a kill: none that was acknowledged is lost, none that was read comes again", async () => {
    const journal = new MortalJournal();
    const before = await opened({ journal });
    await register(before, "ann", {
      greet: async (ctx) => {
        for (const body of ["one", "two", "three"]) await ctx.send("ann", body);
      },
      one: (ctx) => take(ctx.messages(), 1),
      hang: async (ctx) => {
        await take(ctx.messages(), 1);
        inHand.resolve();
        await new Promise(() => undefined);
      },
    });
    const inHand = gate();
    await run(before, "ann", "greet");
    await run(before, "ann", "one");
    await before.submit({ id: "hanging", agent: "ann", input: "hang" });
    await inHand.promise;
    const after = await opened({ journal: await journal.die() });
    await register(after, "ann", {
      rest: async (ctx) => (await all(ctx.messages({ timeoutMs: 0 }))).map(({ id }) => id),
    });
    await after.idle();
    expect(await run(after, "ann", "rest")).toEqual(["m2", "m3"]);
  });
});

describe("a topic", () => {
  it("is read by each agent for itself, whenever it comes", async () => {
    const coordinator = await opened();
    const listen = async (ctx: AgentContext) =>
      (await all(ctx.messages({ topic: "news", timeoutMs: 0 }))).map(({ body }) => body);
    await register(coordinator, "ann", {
      tell: (ctx) => ctx.publish("news", "n1"),
      more: (ctx) => ctx.publish("news", "n2"),
      listen,
    });
    await register(coordinator, "bob", { listen });
    await run(coordinator, "ann", "tell");
    expect(await run(coordinator, "bob", "listen")).toEqual(["n1"]);
    await run(coordinator, "ann", "more");
    expect(await run(coordinator, "bob", "listen")).toEqual(["n2"]);
    expect(await run(coordinator, "ann", "listen")).toEqual(["n1", "n2"]);
    expect(await run(coordinator, "ann", "listen")).toEqual([]);
  });

  it("gives each a copy: what one makes of it is not what another gets", async () => {
    const coordinator = await opened();
    const listen = async (ctx: AgentContext) => {
      const [body] = await take(ctx.messages({ topic: "news" }), 1);
      const seen = JSON.stringify(body);
      Object.assign(Object(body), { n: 2 });
      return seen;
    };
    for (const name of ["ann", "bob"])
      await register(coordinator, name, { listen, tell: (ctx) => ctx.publish("news", { n: 1 }) });
    await run(coordinator, "ann", "tell");
    expect([await run(coordinator, "ann", "listen"), await run(coordinator, "bob", "listen")]).toEqual([
      '{"n":1}',
      '{"n":1}',
    ]);
  });

  it("wakes all that wait for it", async () => {
    const coordinator = await opened();
    for (const name of ["ann", "bob"])
      await register(coordinator, name, {
        listen: (ctx) => take(ctx.messages({ topic: "news" }), 1),
        tell: (ctx) => ctx.publish("news", name),
      });
    const listening = ["ann", "bob"].map((name) => run(coordinator, name, "listen"));
    await run(coordinator, "ann", "tell");
    expect(await Promise.all(listening)).toEqual([["ann"], ["ann"]]);
  });
});

describe("reading ends", () => {
  it("when the attempt is told to stop, quietly", async () => {
    const coordinator = await opened();
    const ended = gate<string>();
    await register(coordinator, "bob", {
      listen: async (ctx) => {
        for await (const message of ctx.messages()) ended.resolve(`got ${message.id}`);
        ended.resolve("ended");
      },
    });
    const handle = await coordinator.submit({ agent: "bob", input: "listen" });
    await handle.cancel();
    expect(await ended.promise).toBe("ended");
  });

  it("when the attempt is over, for code that goes on all the same; what came since is not its own", async () => {
    const coordinator = await opened();
    const ended = gate<number>();
    await register(coordinator, "bob", {
      leak: async (ctx) => {
        void all(ctx.messages()).then((got) => ended.resolve(got.length));
        // By then it has looked, found nothing, and waits.
        await ctx.checkpoint(null);
      },
      greet: (ctx) => ctx.send("bob", "late"),
      listen: (ctx) => take(ctx.messages(), 1),
    });
    await run(coordinator, "bob", "leak");
    expect(await ended.promise).toBe(0);
    await run(coordinator, "bob", "greet");
    expect(await run(coordinator, "bob", "listen")).toEqual(["late"]);
  });

  it("when the coordinator is closed", async () => {
    const coordinator = await opened();
    const ended = gate();
    await register(coordinator, "bob", { listen: async (ctx) => ended.resolve(void (await all(ctx.messages()))) });
    await coordinator.submit({ agent: "bob", input: "listen" });
    await coordinator.close();
    await ended.promise;
  });

  it("when nothing has come for as long as is waited for", async () => {
    const coordinator = await opened();
    await register(coordinator, "bob", { listen: async (ctx) => (await all(ctx.messages({ timeoutMs: 5 }))).length });
    expect(await run(coordinator, "bob", "listen")).toBe(0);
  });
});

it("an attempt waits in so many places at a time and no more", async () => {
  const coordinator = await opened();
  await register(coordinator, "bob", {
    listen: async (ctx) => {
      const waiting = Array.from({ length: runtimeLimits.readersPerAttempt }, () =>
        ctx.messages()[Symbol.asyncIterator](),
      );
      for (const one of waiting) void one.next();
      // Nobody looks at this one: that is no unhandled rejection, which would end the process.
      void ctx.messages({ topic: "t" })[Symbol.asyncIterator]().next();
      const refused = await rejection(ctx.messages({ topic: "t" })[Symbol.asyncIterator]().next());
      return Reflect.get(Object(refused), "code");
    },
  });
  expect(await run(coordinator, "bob", "listen")).toBe("QUEUE_FULL");
});

it("an attempt has so many messages in hand and no more", { timeout: 60_000 }, async () => {
  const coordinator = await opened();
  await register(coordinator, "bob", {
    listen: async (ctx) => {
      await Promise.all(Array.from({ length: limits.messagesInHand }, () => ctx.send("bob", 1)));
      await ctx.publish("news", 1);
      const taken = new Set<string>();
      for (let n = 0; n < limits.messagesInHand; n++) {
        const next = await ctx.messages()[Symbol.asyncIterator]().next();
        if (next.done !== true) taken.add(next.value.id);
      }
      const refused = await rejection(ctx.messages({ topic: "news" })[Symbol.asyncIterator]().next());
      return [taken.size, Reflect.get(Object(refused), "message")];
    },
  });
  expect(await run(coordinator, "bob", "listen")).toEqual([
    limits.messagesInHand,
    `the attempt at task t1 has ${limits.messagesInHand} messages in hand: that is the most`,
  ]);
});

it("how long messages waited is measured, also by agent and by class of task", async () => {
  const coordinator = await opened();
  await register(coordinator, "bob", {
    greet: (ctx) => ctx.send("bob", 1),
    listen: (ctx) => take(ctx.messages(), 1),
  });
  expect((await coordinator.stats()).messageMs.count).toBe(0);
  await run(coordinator, "bob", "greet");
  await run(coordinator, "bob", "listen");
  const { messageMs, agents, classes } = await coordinator.stats();
  const counts = { queueWaitMs: { count: 2 }, runMs: { count: 2 }, dispatchMs: { count: 2 }, messageMs: { count: 1 } };
  expect({ messageMs, agents, classes }).toMatchObject({
    messageMs: { count: 1 },
    agents: { bob: counts },
    classes: { "agent bob": counts },
  });
});

it("a journal in a file keeps mailboxes, topics and how far they are read, through snapshots and compaction", async () => {
  const folder = mkdtempSync(join(tmpdir(), "safeguards-messages-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const journal = `sqlite:${join(folder, "crew.db")}`;
  const code = {
    tell: async (ctx: AgentContext) => {
      await ctx.send("ann", "x");
      for (const body of ["a", "b"]) await ctx.publish("news", body);
      await ctx.state.set("k", 1);
    },
    one: (ctx: AgentContext) => take(ctx.messages({ topic: "news" }), 1),
    rest: async (ctx: AgentContext) => [
      ...(await all(ctx.messages({ timeoutMs: 0 }))).map(({ body }) => body),
      ...(await all(ctx.messages({ topic: "news", timeoutMs: 0 }))).map(({ body }) => body),
      { ...(await ctx.state.get("k")) },
    ],
  };
  const before = await opened({ journal });
  await register(before, "ann", code);
  await run(before, "ann", "tell");
  await run(before, "ann", "one");
  await before.compact();
  await before.close();
  const after = await opened({ journal });
  await register(after, "ann", code);
  expect(await run(after, "ann", "rest")).toEqual(["x", "b", { value: 1, version: 1 }]);
});
