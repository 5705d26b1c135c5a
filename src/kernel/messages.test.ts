import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../coordination/structures/types.ts";
import type { Command } from "./commands.ts";
import { Kernel } from "./kernel.ts";
import { limits } from "./limits.ts";
import { Mailroom } from "./mailroom.ts";
import { Story } from "./story.fixture.ts";

/** Tasks a and b run on ann and bob; cy has nothing to do. */
function team(): Story {
  const story = new Story({ concurrency: 9 });
  for (const name of ["ann", "bob", "cy"]) story.agent(name, { capacity: 9 });
  story.submit({ id: "a", agent: "ann" }, { id: "b", agent: "bob" });
  return story;
}

function send(story: Story, id: string, to: string, body: Json = "hi"): Command {
  return { type: "message.send", ...story.from(id), to, body };
}

function publish(story: Story, id: string, topic: string, body: Json = "hi"): Command {
  return { type: "message.send", ...story.from(id), topic, body };
}

function read(story: Story, id: string, ...ids: string[]): Command {
  return { type: "message.read", ...story.from(id), ids };
}

/** What the agent would be handed, one after the other. */
function unread(kernel: Kernel, agent: string, topic?: string): string[] {
  const ids = new Set<string>();
  for (let next = kernel.nextMessage(agent, topic, ids); next; next = kernel.nextMessage(agent, topic, ids))
    ids.add(next.id);
  return [...ids];
}

describe("a message to an agent", () => {
  test("waits, in the order of sending, until that agent has read it; nobody else is handed it", () => {
    const story = team();
    const events = story.do(send(story, "a", "bob", { n: 1 }), send(story, "b", "bob"), send(story, "a", "cy"));
    expect(events).toMatchObject([
      { type: "message.sent", messageId: "m1", from: "ann", to: "bob", body: { n: 1 }, size: 7, taskId: "a" },
      { messageId: "m2", from: "bob", to: "bob" },
      { messageId: "m3", to: "cy" },
    ]);
    expect(unread(story.kernel, "bob")).toEqual(["m1", "m2"]);
    expect(unread(story.kernel, "ann")).toEqual([]);
    expect(story.do(read(story, "b", "m1"))).toMatchObject([{ type: "message.read", agent: "bob", ids: ["m1"] }]);
    expect(unread(story.kernel, "bob")).toEqual(["m2"]);
  });

  test("is handed to another while the first is in hand", () => {
    const story = team();
    story.do(send(story, "a", "bob"), send(story, "a", "bob"));
    expect(story.kernel.nextMessage("bob", undefined, new Set(["m1"]))?.id).toBe("m2");
    expect(story.kernel.nextMessage("bob", undefined, new Set(["m1", "m2"]))).toBeUndefined();
  });

  test("reading twice, or what is another's, changes nothing and leaves no trace", () => {
    const story = team();
    story.do(send(story, "a", "bob"), send(story, "a", "cy"));
    expect(story.do(read(story, "b", "m1", "m2", "m9"))).toMatchObject([{ ids: ["m1"] }]);
    expect(story.do(read(story, "b", "m1", "m2"))).toEqual([]);
    expect(unread(story.kernel, "cy")).toEqual(["m2"]);
  });

  test("is read with the completion of the attempt that has it in hand, and not with its failure", () => {
    const story = team();
    story.do(send(story, "a", "bob"), send(story, "a", "bob"));
    const { taskId, token } = story.from("b");
    story.fail("b", { retryable: false });
    expect(unread(story.kernel, "bob")).toEqual(["m1", "m2"]);
    expect(story.refusal({ type: "message.read", taskId, token, ids: ["m1"] }).code).toBe("FENCED");
    story.submit({ id: "c", agent: "bob" });
    const events = story.do({ type: "attempt.complete", ...story.from("c"), output: null, read: ["m1"] });
    expect(events.map(({ type }) => type)).toEqual(["message.read", "task.completed"]);
    expect(unread(story.kernel, "bob")).toEqual(["m2"]);
  });

  test("a plan that is taken reads what was in hand, too; an output that comes too late reads nothing", () => {
    const story = team();
    story.manager("boss", ["ann"], { skills: ["lead"] });
    story.submit({ id: "m", skills: ["lead"] });
    story.do(send(story, "a", "boss"), send(story, "a", "bob"));
    expect(
      story.do({ type: "attempt.plan", ...story.from("m"), tasks: [], read: ["m1"] }).map(({ type }) => type),
    ).toContain("message.read");
    const from = story.from("b");
    story.do({ type: "task.cancel", taskId: "b" });
    story.do({ type: "attempt.complete", ...from, output: 1, read: ["m2"] });
    expect(unread(story.kernel, "bob")).toEqual(["m2"]);
  });

  test("a crash loses none that was not read, and brings back none that was", () => {
    const story = team();
    story.do(...["x", "y", "z"].map((body) => send(story, "a", "bob", body)));
    story.do(read(story, "b", "m1", "m3"));
    story.crash(10);
    expect(unread(story.kernel, "bob")).toEqual(["m2"]);
    expect(unread(Kernel.restore([...story.kernel.snapshot()]), "bob")).toEqual(["m2"]);
  });

  test("sending again with the id of the command changes nothing, and tells the same id", () => {
    const story = team();
    const envelope = { id: "c1", command: send(story, "a", "bob") };
    expect(story.send(envelope).answers).toEqual([{ ok: true, ids: ["m1"] }]);
    expect(story.send(envelope)).toEqual({ events: [], answers: [{ ok: true, ids: ["m1"] }] });
  });
});

describe("a topic", () => {
  test("is read by every agent for itself, from the oldest message that is kept", () => {
    const story = team();
    story.do(publish(story, "a", "news"), publish(story, "b", "news"), publish(story, "b", "other/news"));
    expect(unread(story.kernel, "ann", "news")).toEqual(["m1", "m2"]);
    expect(unread(story.kernel, "ann", "other/news")).toEqual(["m3"]);
    story.do(read(story, "a", "m1"));
    expect(unread(story.kernel, "ann", "news")).toEqual(["m2"]);
    expect(unread(story.kernel, "bob", "news")).toEqual(["m1", "m2"]);
    expect(unread(story.kernel, "ann")).toEqual([]);
  });

  test("what is read out of order is not handed again, and what was skipped is", () => {
    const story = team();
    story.do(...Array.from({ length: 5 }, () => publish(story, "a", "news")));
    story.do(read(story, "b", "m2", "m4"));
    expect(unread(story.kernel, "bob", "news")).toEqual(["m1", "m3", "m5"]);
    story.crash(10);
    expect(unread(Kernel.restore([...story.kernel.snapshot()]), "bob", "news")).toEqual(["m1", "m3", "m5"]);
  });

  test("keeps its latest messages, whoever has read them", () => {
    const story = team();
    story.do(publish(story, "a", "news"), publish(story, "a", "news"));
    story.do(read(story, "b", "m2"));
    story.do(...Array.from({ length: limits.messagesPerTopic - 1 }, () => publish(story, "a", "news")));
    expect(unread(story.kernel, "ann", "news")).toHaveLength(limits.messagesPerTopic);
    expect(unread(story.kernel, "ann", "news")[0]).toBe("m2");
    expect(unread(story.kernel, "bob", "news")[0]).toBe("m3");
  });
});

/** A mailroom on its own, with as many messages as it takes. */
function filled(topics: readonly string[], size: number): { readonly mail: Mailroom; publish(topic: string): void } {
  const mail = new Mailroom();
  const publish = (topic: string): void => {
    const number = mail.lastNumber + 1;
    mail.keep({ id: `m${number}`, number, from: "ann", topic, at: 0, body: null, size });
  };
  for (const topic of topics) publish(topic);
  return { mail, publish };
}

function topicsIn(mail: Mailroom): string[] {
  return [...new Set([...mail.messages()].map(({ topic }) => topic ?? ""))];
}

describe("topics take only so much", () => {
  test("beyond as many as there may be, the one that was quiet for longest goes", () => {
    const { mail, publish } = filled(
      Array.from({ length: limits.topics }, (_, i) => `t${i}`),
      4,
    );
    publish("t0");
    publish("new");
    const kept = topicsIn(mail);
    expect(kept).toHaveLength(limits.topics);
    expect(kept).not.toContain("t1");
    expect(kept).toContain("t0");
  });

  test("beyond as many characters, the quietest lose their oldest messages", () => {
    const { mail, publish } = filled(["quiet", "quiet", "loud"], limits.allTopicCharacters / 4);
    publish("loud");
    expect(mail.next("bob", "quiet", new Set())?.id).toBe("m1");
    publish("loud");
    expect(mail.next("bob", "quiet", new Set())?.id).toBe("m2");
    publish("loud");
    expect(mail.next("bob", "quiet", new Set())).toBeUndefined();
    expect(mail.next("bob", "loud", new Set())?.id).toBe("m3");
  });

  test("of readers beyond as many, who has not read for longest begins anew", () => {
    const { mail } = filled(["news"], 4);
    for (let i = 0; i < limits.readersPerTopic; i++) mail.read(`r${i}`, "m1");
    mail.read("r0", "m1");
    mail.read("one more", "m1");
    expect(mail.next("r0", "news", new Set())).toBeUndefined();
    expect(mail.next("r1", "news", new Set())?.id).toBe("m1");
    expect([...mail.readings()]).toHaveLength(limits.readersPerTopic);
  });
});

describe("what is read makes room", () => {
  /** As many messages of that size to that agent as there is room for. */
  function fill(mail: Mailroom, to: string, size: number): void {
    for (let count = 0; count <= limits.messagesPerMailbox && mail.fullFor(to, size) === undefined; count++) {
      const number = mail.lastNumber + 1;
      mail.keep({ id: `m${number}`, number, from: "ann", to, at: 0, body: null, size });
    }
  }

  test("in a mailbox, and nothing is left of one that is empty", () => {
    const mail = new Mailroom();
    fill(mail, "bob", limits.mailboxCharacters / 2);
    expect(mail.fullFor("bob", 1)).toEqual({ characters: limits.mailboxCharacters, of: "mailbox" });
    mail.read("bob", "m1");
    expect(mail.fullFor("bob", limits.mailboxCharacters / 2)).toBeUndefined();
    expect(mail.fullFor("bob", limits.mailboxCharacters / 2 + 1)).toEqual({
      characters: limits.mailboxCharacters,
      of: "mailbox",
    });
    mail.read("bob", "m2");
    expect(mail.fullFor("bob", limits.mailboxCharacters)).toBeUndefined();
    expect([...mail.messages()]).toEqual([]);
  });

  test("in all of them", () => {
    const mail = new Mailroom();
    for (let n = 0; n < limits.allMailboxCharacters / limits.mailboxCharacters; n++)
      fill(mail, `r${n}`, limits.mailboxCharacters);
    expect(mail.fullFor("bob", 1)).toEqual({ characters: limits.allMailboxCharacters, of: "all" });
    mail.read("r0", "m1");
    expect(mail.fullFor("bob", limits.mailboxCharacters)).toBeUndefined();
  });
});

describe("how far a topic is read is told in few words", () => {
  function reading(mail: Mailroom): unknown {
    const [only] = mail.readings();
    return only && { upTo: only.upTo, beyond: only.beyond };
  }

  test("in order, or once a gap is closed", () => {
    const { mail } = filled(["t", "t", "t", "t"], 4);
    mail.read("bob", "m1");
    expect(reading(mail)).toEqual({ upTo: 1, beyond: [] });
    mail.read("bob", "m3");
    mail.read("bob", "m3");
    expect(reading(mail)).toEqual({ upTo: 1, beyond: [3] });
    mail.read("bob", "m2");
    expect(reading(mail)).toEqual({ upTo: 3, beyond: [] });
    mail.read("bob", "m1");
    expect(reading(mail)).toEqual({ upTo: 3, beyond: [] });
    expect(mail.isUnread("bob", "m3")).toBe(false);
    expect(mail.isUnread("bob", "m4")).toBe(true);
  });

  test("though what came before is gone, and other topics have numbers in between", () => {
    const { mail, publish } = filled(["t", "t", "other", "t"], 4);
    mail.read("bob", "m2");
    for (let n = 0; n < limits.messagesPerTopic - 1; n++) publish("t");
    mail.read("bob", "m4");
    expect(reading(mail)).toEqual({ upTo: 4, beyond: [] });
    publish("t");
    mail.read("bob", "m9");
    expect(reading(mail)).toEqual({ upTo: 4, beyond: [9] });
  });
});

test("whatever is sent, read and restored in between, each agent is handed each message once, in order", () => {
  const act = fc.record({
    from: fc.constantFrom("a", "b"),
    where: fc.constantFrom("to", "topic", "read", "restore"),
    which: fc.nat({ max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const story = team();
      /** Of each agent and place, what it has still to be handed. */
      const model = new Map<string, string[]>(["ann:", "bob:", "ann:news", "bob:news"].map((key) => [key, []]));
      let sent = 0;
      for (const { from, where, which } of acts) {
        const agent = from === "a" ? "ann" : "bob";
        if (where === "restore")
          story.kernel = Kernel.restore(JSON.parse(JSON.stringify([...story.kernel.snapshot()])));
        else if (where === "read") {
          const place = which % 2 === 0 ? undefined : "news";
          const waiting = model.get(`${agent}:${place ?? ""}`) ?? [];
          const [id] = waiting.splice(which % Math.max(1, waiting.length), 1);
          if (id !== undefined) story.do(read(story, from, id));
        } else if (where === "to") {
          story.do(send(story, from, which % 2 === 0 ? "ann" : "bob"));
          model.get(`${which % 2 === 0 ? "ann" : "bob"}:`)?.push(`m${++sent}`);
        } else {
          story.do(publish(story, from, "news"));
          sent += 1;
          for (const reader of ["ann", "bob"]) model.get(`${reader}:news`)?.push(`m${sent}`);
        }
        for (const [key, waiting] of model) {
          const [reader = "", topic = ""] = key.split(":");
          expect(unread(story.kernel, reader, topic === "" ? undefined : topic), key).toEqual(waiting);
        }
      }
    }),
  );
});
