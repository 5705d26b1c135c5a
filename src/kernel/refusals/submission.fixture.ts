import type { TaskRequest } from "../commands.ts";
import { Kernel } from "../kernel.ts";
import { State } from "../state.ts";
import type { Story } from "../story.fixture.ts";
import { payments } from "./budgets.fixture.ts";
import { invalid, type Refused } from "./refused.fixture.ts";

function submitting(...tasks: readonly TaskRequest[]): unknown {
  return { type: "task.submit", tasks };
}

/** `m` is planned by `boss`, on whose team `ann` is, and `bob` is not. */
function planning(story: Story, ...tasks: readonly TaskRequest[]): unknown {
  story.agent("bob");
  story.manager("boss", ["ann"], { skills: ["lead"] });
  story.submit({ id: "m", skills: ["lead"] });
  return { type: "attempt.plan", ...story.from("m"), tasks };
}

/** Subtasks one below the other, the first of them named by `local`, down to this depth. The id of the lowest. */
function nested(story: Story, local: string, depth: number): string {
  story.submit({ id: local });
  let id = local;
  for (let i = 1; i < depth; i++) {
    story.spawn(id, { id: local });
    id += `/${local}`;
  }
  return id;
}

export const submission: readonly Refused[] = [
  ...payments,
  invalid('submit has the unknown key "task"; allowed: type, tasks, key, from', {
    type: "task.submit",
    tasks: [],
    task: {},
  }),
  invalid('key is ""; it must be a string of 1 to 256 characters', { type: "task.submit", tasks: [], key: "" }),
  invalid("key is 7; it must be a string of 1 to 256 characters", { type: "task.submit", tasks: [], key: 7 }),
  {
    ask: (story) => {
      story.submit({ id: "a" });
      story.do({ type: "task.pause", taskId: "a" });
      return { type: "task.submit", from: story.from("a"), tasks: [{ id: "0" }] };
    },
    code: "CANCELLED",
    says: "task a was told to stop: it submits nothing more",
  },
  {
    ask: (story) => {
      story.submit({ id: "a" });
      return { type: "attempt.plan", ...story.from("a"), tasks: [] };
    },
    code: "INVALID_STATE",
    says: "ann is not a manager: it has no plan to give",
  },
  {
    ask: (story) => {
      const plan = planning(story);
      story.do({ type: "task.cancel", taskId: "m" });
      return plan;
    },
    code: "CANCELLED",
    says: "task m was told to stop: its plan comes too late",
  },
  {
    ask: (story) => {
      planning(story);
      for (let round = 1; round <= 100; round++) story.plan("m");
      return { type: "attempt.plan", ...story.from("m"), tasks: [] };
    },
    code: "INVALID_ARGUMENT",
    says: "task m asks for round 101; at most 100 are allowed",
  },
  invalid('tasks is "a"; it must be a list of at most 100000 tasks', { type: "task.submit", tasks: "a" }),
  invalid(
    "tasks is 100001; it must be a list of at most 100000 tasks",
    submitting(...Array.from({ length: 100_001 }, () => ({}))),
  ),
  invalid(
    "tasks[1]: priority is 0.5; it must be an integer from -1000000 to 1000000",
    submitting({}, { priority: 0.5 }),
  ),
  {
    ask: () => submitting({ id: "a" }, { id: "b" }, { id: "a" }),
    code: "DUPLICATE_ID",
    says: 'two tasks of this submit have the id "a"',
    details: { taskId: "a" },
  },
  {
    ask: (story) => {
      story.submit({ id: "a" });
      return submitting({ id: "a", input: 1 });
    },
    code: "DUPLICATE_ID",
    says: 'a task with the id "a" exists already, and is another',
    details: { taskId: "a" },
  },
  {
    ask: (story) => {
      story.manager("boss", ["ann"]);
      story.submit({ id: "m", agent: "boss" });
      story.spawn("m", { id: "a" });
      return { type: "attempt.plan", ...story.from("m"), tasks: [{ id: "a" }] };
    },
    code: "DUPLICATE_ID",
    says: 'a subtask with the id "m/a" exists already; a manager plans each of its subtasks once, over all rounds',
    details: { taskId: "m/a" },
  },
  {
    ask: () => submitting({ id: "a", dependsOn: ["b"] }, { id: "b", dependsOn: ["a"] }),
    code: "DEPENDENCY_CYCLE",
    says: "these tasks would wait for one another for ever: a → b → a",
    details: { cycle: ["a", "b"] },
  },
  {
    ask: (story) => {
      const id = nested(story, "a", 33);
      return { type: "task.submit", from: story.from(id), tasks: [{ id: "b" }] };
    },
    code: "INVALID_ARGUMENT",
    says: `a subtask of ${"a/".repeat(32)}a would have 33 tasks above it; at most 32 are allowed`,
  },
  {
    ask: (story) => {
      const state = new State();
      story.kernel = new Kernel(state);
      story.do({ type: "coordinator.open" });
      // As if so many were there: to submit them takes minutes.
      state.counts.pending += 1_999_999;
      story.submit({ id: "last" });
      return submitting({}, {});
    },
    code: "QUEUE_FULL",
    says: "2000000 tasks wait or run; 2 more would be over 2000000, the most that may",
    details: { open: 2_000_000, limit: 2_000_000, more: 2 },
  },
  {
    ask: () => submitting({ id: "a", agent: "eve" }),
    code: "UNKNOWN_AGENT",
    says: 'task a names the agent "eve", which was never registered',
    details: { taskId: "a", agent: "eve" },
  },
  {
    ask: (story) => planning(story, { id: "s", agent: "bob" }),
    code: "INVALID_ARGUMENT",
    says: 'task m/s names the agent "bob", which is not on the team of boss',
    details: { taskId: "m/s", agent: "bob" },
  },
  {
    ask: (story) => {
      story.agent("leaf");
      story.submit({ id: "a", approval: {} });
      story.approve("a", { by: "leaf" });
      return { type: "task.submit", from: story.from("a"), tasks: [{ id: "s", agent: "leaf" }] };
    },
    code: "INVALID_ARGUMENT",
    says: 'task a/s names the agent "leaf", which approved a, of which it is a part',
    details: { taskId: "a/s", agent: "leaf" },
  },
  {
    ask: () => submitting({ resources: { tape: 1 } }),
    code: "UNKNOWN_RESOURCE",
    says: 'task t1 asks for "tape", which is no resource',
    details: { taskId: "t1", resource: "tape" },
  },
  {
    ask: () => submitting({ id: "a", resources: { disk: 3.000000001 } }),
    code: "CAPACITY_EXCEEDED",
    says: "task a asks for 3.000000001 of disk, whose capacity is 3",
    details: { taskId: "a", resource: "disk", need: 3.000000001, capacity: 3 },
  },
  {
    ask: (story) => {
      story.submit({ id: "a", resources: { disk: 2 } });
      story.spawn("a", { id: "0" });
      story.await("a", "a/0");
      return { type: "task.submit", from: story.from("a/0"), tasks: [{ id: "x", resources: { disk: 1.5 } }] };
    },
    code: "WOULD_DEADLOCK",
    says: "task a/0/x asks for 1.5 of disk, which a holds while it waits for it",
    details: { taskId: "a/0/x", resource: "disk", holder: "a" },
  },
  {
    ask: () => submitting({ id: "a", approval: { by: { ballot: "majority", voters: ["ann", "eve"] } } }),
    code: "UNKNOWN_AGENT",
    says: 'task a is to be approved by "eve", who was never registered',
    details: { taskId: "a", agent: "eve" },
  },
  {
    ask: (story) => {
      story.agent("mute");
      return submitting({ id: "a", approval: { by: { ballot: "majority", voters: ["mute"] } } });
    },
    code: "INVALID_ARGUMENT",
    says: 'task a is to be approved by "mute", who has no voter',
    details: { taskId: "a", agent: "mute" },
  },
];

export const taskIds: readonly Refused[] = [
  {
    ask: (story) => {
      const local = "a".repeat(256);
      const id = nested(story, local, 15);
      return { type: "task.submit", from: story.from(id), tasks: [{ id: "b".repeat(242) }] };
    },
    code: "INVALID_ARGUMENT",
    says: `the id ${"a".repeat(64)}… has 4097 characters; at most 4096 are allowed`,
  },
  {
    ask: () => submitting({ id: "a", dependsOn: ["b"] }),
    code: "UNKNOWN_TASK",
    says: 'task "a" depends on "b", which does not exist',
    details: { taskId: "a", dependsOn: "b" },
  },
];
