/** Stories of tasks that wait for somebody who can do them. */
import { Story } from "./story.fixture.ts";
import { firm, type Waiting, world } from "./waiting.fixture.ts";

const breaker = { failureThreshold: 1, resetMs: 1_000 };

export const skills: readonly Waiting[] = [
  {
    what: "that there is nobody at all",
    story: () => {
      const story = new Story();
      story.submit({ id: "a" });
      return story;
    },
    id: "a",
    reasons: [{ code: "skills", need: [], have: [], text: "nobody is registered" }],
  },
  {
    what: "the skill that nobody has, not those that somebody has",
    story: () => {
      const story = world();
      story.agent("bob", { skills: ["x"] });
      story.submit({ id: "a", skills: ["x", "y"] });
      return story;
    },
    id: "a",
    reasons: [{ code: "skills", need: ["x", "y"], have: [], text: "nobody registered can do y" }],
  },
  {
    what: "the level that nobody reaches, and what level there is",
    story: () => {
      const story = world();
      story.agent("bob", { skills: { x: 0.5, y: 0.25 } });
      story.agent("cy", { skills: { y: 0.3 } });
      story.submit({
        id: "a",
        skills: [
          { skill: "x", level: 0.5 },
          { skill: "y", level: 0.8 },
          { skill: "z", level: 0.1 },
        ],
      });
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "skills",
        need: ["x at 0.5", "y at 0.8", "z at 0.1"],
        have: ["y at 0.3"],
        text: "nobody registered can do y at 0.8 and z at 0.1 (at the most y at 0.3)",
      },
    ],
  },
  {
    what: "that nobody has all of them",
    story: () => {
      const story = world();
      story.agent("bob", { skills: ["x"] });
      story.agent("cy", { skills: ["y"] });
      story.submit({ id: "a", skills: ["x", "y"] });
      return story;
    },
    id: "a",
    reasons: [
      { code: "skills", need: ["x", "y"], have: ["x", "y"], text: "nobody registered can do x and y together" },
    ],
  },
  {
    what: "what the one to whom it is pinned cannot do",
    story: () => {
      const story = world();
      story.agent("bob", { skills: { x: 0.2 } });
      story.submit({ id: "a", agent: "bob", skills: [{ skill: "x", level: 0.9 }, "y"] });
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "skills",
        need: ["x at 0.9", "y"],
        have: ["x at 0.2"],
        text: "bob cannot do x at 0.9 and y (at the most x at 0.2)",
      },
    ],
  },
  {
    what: "that nobody on the team can do it, whoever else can",
    story: () => {
      const story = teamStory(["ann"]);
      story.plan("m", { id: "s", skills: ["x"] });
      return story;
    },
    id: "m/s",
    reasons: [{ code: "skills", need: ["x"], have: [], text: "nobody on the team of boss can do x" }],
  },
  {
    what: "that nobody is on the team",
    story: () => {
      const story = teamStory([]);
      story.plan("m", { id: "s", skills: ["x"] });
      return story;
    },
    id: "m/s",
    reasons: [{ code: "skills", need: ["x"], have: [], text: "nobody on the team of boss is registered" }],
  },
  {
    what: "that the one to whom it is pinned has left the team",
    story: () => {
      const story = teamStory(["bob"]);
      story.submit({ id: "busy", agent: "bob", ...firm });
      story.plan("m", { id: "s", agent: "bob" });
      story.do({ type: "team.set", manager: "boss", team: [] });
      return story;
    },
    id: "m/s",
    reasons: [{ code: "skills", need: [], have: [], text: "bob is not on the team of boss" }],
  },
];

/** `m` is with the manager `boss`; `bob` can do x. */
function teamStory(team: readonly string[]): Story {
  const story = world();
  story.agent("bob", { skills: ["x"] });
  story.manager("boss", team, { skills: ["lead"] });
  story.submit({ id: "m", skills: ["lead"] });
  return story;
}

export const room: readonly Waiting[] = [
  {
    what: "how much is needed and who has how much, to the last decimal",
    story: () => {
      const story = world();
      story.agent("bob", { capacity: 0.3 });
      story.agent("cy", { capacity: 0.1 });
      story.submit({ id: "a", agent: "ann", load: 8.9, ...firm }, { id: "b", agent: "bob", load: 0.1, ...firm });
      story.submit({ id: "c", load: 0.25 });
      return story;
    },
    id: "c",
    reasons: [
      {
        code: "room",
        need: 0.25,
        have: 0.2,
        who: ["cy", "bob", "ann"],
        text: "room for 0.25 is needed; free is 0.1 of 0.1 on cy, 0.2 of 0.3 on bob and 0.1 of 9 on ann",
      },
    ],
  },
  {
    what: "that nobody is large enough, however long it waits",
    story: () => {
      const story = world();
      story.submit({ id: "a", load: 9.5 });
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "room",
        need: 9.5,
        have: 9,
        who: ["ann"],
        text: "room for 9.5 is needed; free is 9 of 9 on ann (nobody who could do it is that large)",
      },
    ],
  },
  {
    what: "who failed it and has room, but is kept aside for another",
    story: () => {
      const story = world();
      story.agent("bob", { skills: ["x"], capacity: 2 });
      story.agent("cy", { skills: ["x"], capacity: 2 });
      story.submit({ id: "b", agent: "bob", load: 1.5, ...firm });
      story.submit({ id: "a", skills: ["x"], retry: { initialMs: 0 } });
      story.fail("a");
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "room",
        need: 1,
        have: 0.5,
        who: ["bob"],
        text: "room for 1 is needed; free is 0.5 of 2 on bob (cy aside, where it failed)",
      },
    ],
  },
  {
    what: "to whom the room is promised",
    story: () => {
      const story = world();
      story.submit({ id: "low", load: 5, priority: 1 });
      story.submit({ id: "high", load: 8, priority: 9 });
      story.submit({ id: "a", load: 2 });
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "room",
        need: 2,
        have: 1,
        who: ["ann"],
        text: "room for 2 is needed; free is 1 of 9 on ann (promised to high)",
      },
    ],
  },
  {
    what: "the agent where an attempt wants its place back, whatever others have and though it is not online",
    story: () => {
      const story = new Story({ concurrency: 9 });
      story.agent("cy");
      story.agent("bob", { capacity: 9 });
      story.submit({ id: "a", agent: "cy" });
      story.spawn("a", { id: "0", agent: "bob" }, { id: "1", agent: "bob" });
      story.await("a", "a/0");
      story.submit({ id: "other", agent: "cy", ...firm });
      story.complete("a/0");
      story.do({ type: "agent.unregister", agent: "cy" });
      return story;
    },
    id: "a",
    reasons: [{ code: "room", need: 1, have: 0, who: ["cy"], text: "room for 1 is needed; free is 0 of 1 on cy" }],
  },
];

export const offline: readonly Waiting[] = [
  {
    what: "who could do it but is not there: one",
    story: () => {
      const story = world();
      story.do({ type: "agent.unregister", agent: "ann" });
      story.submit({ id: "a" });
      return story;
    },
    id: "a",
    reasons: [{ code: "offline", who: ["ann"], text: "ann could do it but is not online" }],
  },
  {
    what: "who could do it but is not there: several, in the order of their registration",
    story: () => {
      const story = world();
      for (const name of ["bob", "cy"]) story.agent(name);
      for (const name of ["dan", "cy"]) story.agent(name, { skills: ["x"] });
      for (const agent of ["dan", "ann", "cy"]) story.do({ type: "agent.unregister", agent });
      story.submit({ id: "a", skills: ["x"] });
      return story;
    },
    id: "a",
    reasons: [{ code: "offline", who: ["cy", "dan"], text: "cy and dan could do it but are not online" }],
  },
  {
    what: "that the coordinator is closed",
    story: () => {
      const story = world();
      story.submit({ id: "a" });
      story.do({ type: "coordinator.close" });
      return story;
    },
    id: "a",
    reasons: [{ code: "offline", text: "no coordinator is open" }],
  },
  {
    what: "that the coordinator drains",
    story: () => {
      const story = world();
      story.do({ type: "coordinator.drain" });
      story.submit({ id: "a" });
      return story;
    },
    id: "a",
    reasons: [{ code: "offline", text: "the coordinator drains: it starts nothing more" }],
  },
];

export const broken: readonly Waiting[] = [
  {
    what: "whose breaker is open, and until when",
    story: () => {
      const story = brokenStory("bob");
      story.after(400);
      story.submit({ id: "a", agent: "bob" });
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "breaker",
        need: 1_001_000,
        have: 1_000_400,
        who: ["bob"],
        text: "no breaker lets it through yet: that of bob for 600 ms",
      },
    ],
  },
  {
    what: "of several the first that will be tried, beside those that are not there",
    story: () => {
      const story = brokenStory("bob", "cy");
      story.agent("dan", { skills: ["x"] });
      story.do({ type: "agent.unregister", agent: "dan" });
      story.submit({ id: "a", skills: ["x"] });
      return story;
    },
    id: "a",
    reasons: [
      { code: "offline", who: ["dan"], text: "dan could do it but is not online" },
      {
        code: "breaker",
        need: 1_001_000,
        have: 1_000_100,
        who: ["bob", "cy"],
        text: "no breaker lets it through yet: that of bob for 900 ms and that of cy for 1000 ms",
      },
    ],
  },
  {
    what: "until when the probe of one that is half-open has its place",
    story: () => {
      const story = brokenStory("bob");
      story.submit({ id: "probe", agent: "bob" }, { id: "a", agent: "bob" });
      story.after(1_300);
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "breaker",
        need: 1_002_000,
        have: 1_001_300,
        who: ["bob"],
        text: "no breaker lets it through yet: that of bob for 700 ms",
      },
    ],
  },
  {
    what: "that the breaker of a resource gives nobody any, and until when",
    story: () => {
      const story = world();
      story.resource("shaky", 3, { breaker });
      story.submit({ id: "b", resources: { shaky: 1 }, retry: { maxAttempts: 1 } });
      story.fail("b");
      story.after(400);
      story.submit({ id: "a", resources: { shaky: 3 } });
      return story;
    },
    id: "a",
    reasons: [
      {
        code: "breaker",
        need: 1_001_000,
        have: 1_000_400,
        who: ["shaky"],
        text: "the breaker of shaky gives nobody any for 600 ms",
      },
    ],
  },
];

/** These can do x, and their breakers have opened, 100 milliseconds one after the other. */
function brokenStory(...agents: readonly string[]): Story {
  const story = world();
  for (const [i, agent] of agents.entries()) {
    if (i > 0) story.after(100);
    story.agent(agent, { skills: ["x"], capacity: 9, breaker });
    story.submit({ id: `broken-${agent}`, agent, retry: { maxAttempts: 1 } });
    story.fail(`broken-${agent}`);
  }
  return story;
}
