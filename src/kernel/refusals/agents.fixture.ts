import { register } from "../story.fixture.ts";
import { invalid, noId, type Refused } from "./refused.fixture.ts";

function registering(agent: object): unknown {
  return { type: "agent.register", agent: { name: "eve", kind: "agent", ...agent } };
}

const long = "x".repeat(5_000);

export const agents: readonly Refused[] = [
  {
    ask: (story) => {
      const others = Array.from({ length: 99_999 }, (_, i) => ({ command: register(`a${i}`) }));
      story.kernel.batch(others, story.now);
      return registering({});
    },
    code: "QUEUE_FULL",
    says: "there is no place for agent eve: 100000 are the most",
    details: { agent: "eve" },
  },
  invalid(
    'agent has the unknown key "color"; allowed: name, kind, description, skills, capacity, weight, team, breaker, votes, minSuccess, failFast, maxBatch',
    registering({ color: "red" }),
  ),
  invalid(noId("agent name", '"a/b"'), registering({ name: "a/b" })),
  invalid(noId("skill", '""'), registering({ skills: ["x", ""] })),
  invalid(noId("a key of skills", '"a/b"'), registering({ skills: { "a/b": 1 } })),
  invalid("skills is 7; it must be an object or a Map", registering({ skills: 7 })),
  invalid('the level of "x" is 1.5; it must be a number above 0, up to 1', registering({ skills: { x: 1.5 } })),
  invalid(
    "the number of skills is 1025; it must be at most 1024",
    registering({ skills: Array.from({ length: 1_025 }, (_, i) => `s${i}`) }),
  ),
  invalid(
    `description is "${"x".repeat(78)}…; it must be a string of at most 4096 characters`,
    registering({ description: long }),
  ),
  invalid('kind is "robot"; it must be "agent" or "manager"', registering({ kind: "robot" })),
  invalid('votes is "yes"; it must be true or false', registering({ votes: "yes" })),
  invalid("maxBatch is 1001; it must be an integer from 1 to 1000", registering({ maxBatch: 1_001 })),
  invalid(
    "maxBatch is 2; it must be left out for a manager",
    registering({ kind: "manager", team: ["ann"], maxBatch: 2 }),
  ),
  invalid("failFast is 1; it must be true or false", registering({ failFast: 1 })),
  invalid(
    'minSuccess is "most"; it must be "all", "any" or an integer from 0 to 100000',
    registering({ minSuccess: "most" }),
  ),
  invalid('minSuccess is -1; it must be "all", "any" or an integer from 0 to 100000', registering({ minSuccess: -1 })),
  invalid(
    'minSuccess is 100001; it must be "all", "any" or an integer from 0 to 100000',
    registering({ minSuccess: 100_001 }),
  ),
  invalid(
    "capacity is -1; it must be a number at least 0 and at most 2^53 - 1, with at most nine decimals",
    registering({ capacity: -1 }),
  ),
  invalid(
    "weight is 1e-10; it must be a number at least 0 and at most 2^53 - 1, with at most nine decimals",
    registering({ weight: 1e-10 }),
  ),
  invalid('team is "ann"; it must be a list of agents\' names', registering({ kind: "manager", team: "ann" })),
  invalid(noId("team member", "7"), registering({ kind: "manager", team: ["ann", 7] })),
  invalid(
    "failureThreshold is 0; it must be an integer from 1 to 1000000",
    registering({ breaker: { failureThreshold: 0 } }),
  ),
  invalid(noId("agent name", "null"), { type: "agent.unregister", agent: null }),
  invalid(noId("manager", '""'), { type: "team.set", manager: "", team: [] }),
  {
    ask: () => ({ type: "team.set", manager: "ann", team: [] }),
    code: "INVALID_ARGUMENT",
    says: "ann is not a manager: it has no team",
    details: { agent: "ann" },
  },
  {
    ask: (story) => {
      story.manager("boss", ["sub"]).manager("sub", ["low"]);
      return registering({ name: "low", kind: "manager", team: ["ann", "boss"] });
    },
    code: "TEAM_CYCLE",
    says: "managers would manage one another in a circle: low → boss → sub → low",
    details: { cycle: ["low", "boss", "sub"] },
  },
];
