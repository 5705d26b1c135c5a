/** Every type of command as a schema, with what it asks for. The compiler holds each to its type. */
import * as z from "zod";
import type { Command } from "../../src/kernel/commands.ts";
import {
  agentDescription,
  breaker,
  byId,
  count,
  failure,
  flag,
  guardrailNames,
  json,
  list,
  money,
  ms,
  number,
  object,
  resourceKind,
  share,
  taskId,
  taskRequest,
  text,
  token,
  verdict,
} from "./parts.ts";
import { assertNothing, type Wrong } from "./same.ts";

type CommandType = Command["type"];

function command<T extends CommandType, S extends z.ZodRawShape>(type: T, description: string, shape: S) {
  return object({ type: z.literal(type), ...shape }).describe(description);
}

/** An attempt speaks for itself with its task and its token. */
const from = { taskId, token };

export const COMMAND_SCHEMAS = {
  "coordinator.open": command("coordinator.open", "Opens for what is to come; attempts that ran before are lost.", {
    concurrency: count.exactOptional(),
    agingMs: ms.exactOptional(),
    protectAfterMs: ms.exactOptional(),
    unroutableMs: ms.exactOptional(),
    keepCount: count.exactOptional(),
    keepMs: ms.exactOptional(),
    strict: flag.exactOptional(),
    guardrails: guardrailNames.exactOptional(),
  }),
  "coordinator.drain": command("coordinator.drain", "Starts nothing more; what runs goes on.", {}),
  "coordinator.close": command("coordinator.close", "Puts what runs back in the queue, and closes.", {}),
  "agent.register": command("agent.register", "Registers an agent, or binds its name anew.", {
    agent: agentDescription,
  }),
  "agent.unregister": command("agent.unregister", "Gives an agent no more tasks.", { agent: text }),
  "team.set": command("team.set", "Gives a manager another team.", { manager: text, team: list(text) }),
  "resource.set": command("resource.set", "Makes a resource, or gives it another capacity.", {
    resource: text,
    kind: resourceKind,
    capacity: number,
    per: ms.exactOptional(),
    breaker: breaker.nullable().exactOptional(),
  }),
  "budget.set": command("budget.set", "Makes a budget, or gives it another limit.", {
    budget: text,
    limit: money,
    parent: text.exactOptional(),
  }),
  "task.submit": command(
    "task.submit",
    "Submits tasks, all or none; with `from`, as subtasks of that attempt's task.",
    {
      tasks: list(taskRequest),
      key: text.exactOptional(),
      from: object(from).exactOptional(),
    },
  ),
  "task.cancel": command("task.cancel", "Cancels a task and what is left of its subtree.", {
    taskId,
    reason: text.exactOptional(),
  }),
  "task.pause": command("task.pause", "Holds a task until it is resumed.", { taskId }),
  "task.resume": command("task.resume", "Lets a task go on.", { taskId }),
  "task.prioritize": command("task.prioritize", "Gives a task another priority.", { taskId, priority: z.int() }),
  "task.retry": command("task.retry", "Has a failed task tried again.", { taskId }),
  "task.approve": command(
    "task.approve",
    "Lets a task run, or its output count; with `hash`, only if that is asked for.",
    {
      taskId,
      hash: text.exactOptional(),
    },
  ),
  "task.reject": command("task.reject", "Refuses that: the task fails.", {
    taskId,
    reason: text,
    hash: text.exactOptional(),
  }),
  "task.judge": command("task.judge", "What the guardrails on inputs said of a task's.", {
    taskId,
    verdicts: list(verdict),
    input: json.exactOptional(),
  }),
  "task.answer": command(
    "task.answer",
    "What the guardrails on outputs said of another's output that is to answer it.",
    {
      taskId,
      from: text,
      verdicts: list(verdict),
      output: json.exactOptional(),
    },
  ),
  "attempt.complete": command("attempt.complete", "Gives the output; `read`: messages that were read meanwhile.", {
    ...from,
    output: json,
    read: list(text).exactOptional(),
    verdicts: list(verdict).exactOptional(),
  }),
  "attempt.act": command("attempt.act", "What the guardrails on actions said of one that is about to be taken.", {
    ...from,
    action: text,
    verdicts: list(verdict),
  }),
  "attempt.fail": command("attempt.fail", "It threw, or stopped because it was told to.", { ...from, error: failure }),
  "attempt.lose": command("attempt.lose", "Nothing is heard any more of what ran it.", { ...from, message: text }),
  "attempt.gone": command("attempt.gone", "The code of an abandoned attempt has ended after all.", from),
  "attempt.checkpoint": command("attempt.checkpoint", "Keeps this for the next attempt.", { ...from, state: json }),
  "attempt.plan": command(
    "attempt.plan",
    "A manager's phase gives subtasks; `read`: messages that were read meanwhile.",
    {
      ...from,
      tasks: list(taskRequest),
      read: list(text).exactOptional(),
    },
  ),
  "attempt.await": command("attempt.await", "Awaits these tasks, and gives up its slot and load meanwhile.", {
    ...from,
    on: list(text),
  }),
  "attempt.request": command("attempt.request", "Asks for more resources.", {
    ...from,
    amounts: byId(number),
    wait: flag.exactOptional(),
    leaseMs: ms.exactOptional(),
  }),
  "attempt.release": command("attempt.release", "Gives back what it was granted.", {
    ...from,
    allocationId: text,
    allocationToken: z.int(),
  }),
  "attempt.spend": command("attempt.spend", "It is about to spend so much.", {
    ...from,
    amount: money,
    what: text.exactOptional(),
  }),
  "message.send": command("message.send", "Sends a message, to one agent or to a topic.", {
    ...from,
    to: text.exactOptional(),
    topic: text.exactOptional(),
    body: json,
  }),
  "message.read": command("message.read", "The attempt's agent has read these messages.", { ...from, ids: list(text) }),
  "state.set": command(
    "state.set",
    "Sets a key of the shared state; with `expectedVersion` only if it has that (0: is not there).",
    {
      ...from,
      key: text,
      value: json,
      expectedVersion: count.exactOptional(),
    },
  ),
  "state.delete": command("state.delete", "Removes a key of the shared state, on the same condition.", {
    ...from,
    key: text,
    expectedVersion: count.exactOptional(),
  }),
  "ballot.open": command("ballot.open", "Puts a question to the vote.", {
    question: text,
    options: list(text),
    voters: list(text).exactOptional(),
    method: text.exactOptional(),
    weights: z.union([byId(number), z.literal("reputation")]).exactOptional(),
    quorum: share.exactOptional(),
    threshold: share.exactOptional(),
    tieBreak: json.exactOptional(),
    deadlineMs: ms.exactOptional(),
    context: json.exactOptional(),
  }),
  "ballot.cast": command("ballot.cast", "Votes, or abstains without a vote.", {
    ballotId: text,
    voter: text,
    vote: json.exactOptional(),
  }),
  "ballot.extend": command(
    "ballot.extend",
    "A voter has kept all others from voting for so long: it closes so much later.",
    {
      ballotId: text,
      ms,
    },
  ),
  "ballot.reveal": command("ballot.reveal", "Tells what was true: those who voted learn from it.", {
    ballotId: text,
    truth: text,
  }),
  tick: command("tick", "Time has passed; nothing else.", {}),
};

assertNothing<Wrong<typeof COMMAND_SCHEMAS, { [T in CommandType]: Extract<Command, { readonly type: T }> }>>({});
