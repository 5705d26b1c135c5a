import { TaskArbitrator } from "../task-arbitrator.ts";
import { invalid, noId, type Refused, type Systems, wrong } from "./refused.fixture.ts";

function registering(task: object): (systems: Systems) => unknown {
  return ({ arbitrator }) => arbitrator.register(wrong({ id: "c", ...task }), 100);
}

function cycle(says: string, ids: readonly string[], call: Refused["call"]): Refused {
  return { call, code: "DEPENDENCY_CYCLE", says, details: { cycle: ids } };
}

export const taskArbitrator: readonly Refused[] = [
  invalid(
    'options has the unknown key "slots"; allowed: maxConcurrent, agingMs, preempt',
    () => new TaskArbitrator(wrong({ slots: 1 })),
  ),
  invalid(
    "maxConcurrent is 0; it must be an integer from 1 to 9007199254740991",
    () => new TaskArbitrator({ maxConcurrent: 0 }),
  ),
  invalid(
    "agingMs is -1; it must be a number of milliseconds at least 0; Infinity is allowed",
    () => new TaskArbitrator({ agingMs: -1 }),
  ),
  invalid('preempt is "no"; it must be true or false', () => new TaskArbitrator({ preempt: wrong("no") })),
  invalid(
    'task has the unknown key "load"; allowed: id, agentId, priority, dependsOn, estimatedMs, preemptible',
    registering({ load: 1 }),
  ),
  invalid(noId("task.id", '"a/b"'), registering({ id: "a/b" })),
  invalid(noId("task.agentId", "7"), registering({ agentId: 7 })),
  invalid(
    "task.estimatedMs is -1; it must be a number of milliseconds at least 0 and finite",
    registering({ estimatedMs: -1 }),
  ),
  invalid("task.priority is 0.5; it must be an integer from -1000000 to 1000000", registering({ priority: 0.5 })),
  invalid("task.preemptible is 1; it must be true or false", registering({ preemptible: 1 })),
  invalid('task.dependsOn is "a"; it must be a list of ids', registering({ dependsOn: "a" })),
  invalid(noId("task.dependsOn[1]", '""'), registering({ dependsOn: ["a", ""] })),
  {
    call: (systems) => () => registering({ id: "a" })(systems),
    code: "DUPLICATE_ID",
    says: 'a task "a" is already registered',
  },
  cycle(
    'tasks would wait for each other for ever: "c" → "c"',
    ["c"],
    (systems) => () => registering({ dependsOn: ["c"] })(systems),
  ),
  {
    call: (systems) => () => registering({ dependsOn: ["z"] })(systems),
    code: "UNKNOWN_TASK",
    says: 'no task "z" is registered',
  },
  invalid(noId("dependsOn", '""'), ({ arbitrator }) => arbitrator.addDependency("b", "")),
  invalid(noId("a task's id", "7"), ({ arbitrator }) => arbitrator.cancel(wrong(7), 100)),
  cycle(
    'tasks would wait for each other for ever: "b" → "b"',
    ["b"],
    ({ arbitrator }) =>
      () =>
        arbitrator.addDependency("b", "b"),
  ),
  cycle('tasks would wait for each other for ever: "c" → "b" → "c"', ["c", "b"], ({ arbitrator }) => {
    arbitrator.register({ id: "c", dependsOn: ["b"] }, 100);
    return () => arbitrator.addDependency("b", "c");
  }),
  {
    call: ({ arbitrator }) => {
      arbitrator.register({ id: "c" }, 100);
      return () => arbitrator.addDependency("a", "c");
    },
    code: "INVALID_STATE",
    says: 'task "a" is running; only a task that neither runs nor has ended gets another dependency',
  },
  {
    call:
      ({ arbitrator }) =>
      () =>
        arbitrator.complete("b", 100),
    code: "INVALID_STATE",
    says: 'task "b" is blocked; only a running task completes',
  },
  invalid('options has the unknown key "ok"; allowed: success', ({ arbitrator }) =>
    arbitrator.complete("a", 100, wrong({ ok: true })),
  ),
  invalid('options.success is "yes"; it must be true or false', ({ arbitrator }) =>
    arbitrator.complete("a", 100, { success: wrong("yes") }),
  ),
];
