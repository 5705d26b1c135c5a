import { fromZero, invalid, noId, positive, type Refused, wrong } from "./refused.fixture.ts";

const share = "it must be a number above 0 and at most 1";

export const skillRouter: readonly Refused[] = [
  invalid(noId("agent id", '"a/b"'), ({ router }) => router.register("a/b", [])),
  invalid(noId("agent id", '""'), ({ router }) => router.unregister("")),
  invalid(noId("skill", "7"), ({ router }) => router.register("bob", ["x", wrong(7)])),
  invalid("skills is 7; it must be an object or a Map", ({ router }) => router.register("bob", wrong(7))),
  invalid(`level of "y" is 0; ${share}`, ({ router }) => router.register("bob", { y: 0 })),
  invalid(noId("skill", '""'), ({ router }) => router.agentsWith("")),
  invalid("least level is 1.5; it must be a number from 0 to 1", ({ router }) => router.agentsWith("x", 1.5)),
  invalid('task has the unknown key "name"; allowed: id, skills, load', ({ router }) =>
    router.route(wrong({ id: "t", skills: [], name: "n" })),
  ),
  invalid(noId("task id", "undefined"), ({ router }) => router.route(wrong({ skills: [] }))),
  invalid(`load is -1; ${positive}`, ({ router }) => router.route({ id: "t", skills: ["x"], load: -1 })),
  invalid("balancer is {}; it must be a WorkloadBalancer", ({ router }) =>
    router.route({ id: "t", skills: ["x"] }, wrong({})),
  ),
  invalid('required skills is "x"; it must be a list of skills', ({ router }) =>
    router.route({ id: "t", skills: wrong("x") }),
  ),
  invalid(noId("required skill", '"a/b"'), ({ router }) => router.route({ id: "t", skills: ["a/b"] })),
  invalid('required skill has the unknown key "least"; allowed: skill, level', ({ router }) =>
    router.route({ id: "t", skills: [wrong({ skill: "x", least: 1 })] }),
  ),
  invalid(noId("required skill", "null"), ({ router }) =>
    router.route({ id: "t", skills: [{ skill: wrong(null), level: 1 }] }),
  ),
  invalid(`level of "x" is 1.5; ${share}`, ({ router }) =>
    router.route({ id: "t", skills: [{ skill: "x", level: 1.5 }] }),
  ),
];

export const workloadBalancer: readonly Refused[] = [
  invalid(noId("agent id", '"a/b"'), ({ balancer }) => balancer.register("a/b", 1)),
  invalid(noId("agent id", "null"), ({ balancer }) => balancer.unregister(wrong(null))),
  invalid(noId("agent id", '""'), ({ balancer }) => balancer.loadOf("")),
  invalid(`capacity is -1; ${fromZero}`, ({ balancer }) => balancer.register("bob", -1)),
  invalid(noId("task id", '""'), ({ balancer }) => balancer.assign("")),
  invalid(noId("task id", "7"), ({ balancer }) => balancer.complete(wrong(7))),
  invalid(noId("task id", '"a/b"'), ({ balancer }) => balancer.agentOf("a/b")),
  invalid(`load is 0; ${positive}`, ({ balancer }) => balancer.assign("t2", 0)),
  {
    call:
      ({ balancer }) =>
      () =>
        balancer.assign("t1"),
    code: "DUPLICATE_ID",
    says: 'task "t1" is assigned already',
    details: { taskId: "t1" },
  },
  invalid(`actual load is NaN; ${positive}`, ({ balancer }) => balancer.complete("t1", Number.NaN)),
  {
    call:
      ({ balancer }) =>
      () =>
        balancer.loadOf("eve"),
    code: "UNKNOWN_AGENT",
    says: 'agent "eve" is not registered',
    details: { agentId: "eve" },
  },
  invalid(noId("kind", '""'), ({ balancer }) => balancer.estimate("")),
  invalid(noId("kind", "7"), ({ balancer }) => balancer.assign("t2", 1, { kind: wrong(7) })),
  invalid('options has the unknown key "most"; allowed: maxMoves', ({ balancer }) =>
    balancer.rebalance(wrong({ most: 1 })),
  ),
  invalid("maxMoves is -1; it must be an integer from 0 to 9007199254740991", ({ balancer }) =>
    balancer.rebalance({ maxMoves: -1 }),
  ),
  invalid(
    'load is 9007199254740991; it must be small enough for the load of "ann" to stay below 2^53',
    ({ balancer }) => balancer.assign("t2", Number.MAX_SAFE_INTEGER, { overcommit: true }),
  ),
  invalid('options has the unknown key "force"; allowed: among, overcommit, kind', ({ balancer }) =>
    balancer.assign("t2", 1, wrong({ force: true })),
  ),
  invalid("overcommit is 1; it must be true or false", ({ balancer }) =>
    balancer.assign("t2", 1, { overcommit: wrong(1) }),
  ),
  invalid("among is 7; it must be a list or set of agent ids", ({ balancer }) =>
    balancer.assign("t2", 1, { among: wrong(7) }),
  ),
  invalid(noId("an agent id of among", '"a/b"'), ({ balancer }) => balancer.assign("t2", 1, { among: ["a/b"] })),
];
