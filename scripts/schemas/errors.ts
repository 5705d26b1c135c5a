/** Error codes: what each says. */
import * as z from "zod";
import type { ErrorCode } from "../../src/errors.ts";

export const ERRORS: Readonly<Record<ErrorCode, string>> = {
  INVALID_ARGUMENT: "A value is not as described; the message names it and says what is allowed.",
  DUPLICATE_ID: "The id is taken by something else.",
  UNKNOWN_AGENT: "No agent of that name was ever registered.",
  UNKNOWN_TASK: "There never was a task with that id.",
  UNKNOWN_RESOURCE: "There is no resource with that id.",
  UNKNOWN_BUDGET: "There is no budget with that id.",
  UNKNOWN_BALLOT: "There never was a ballot with that id.",
  UNKNOWN_ALLOCATION: "There never was an allocation with that id.",
  DEPENDENCY_CYCLE: "Tasks would wait for one another in a circle; `details.cycle` names it.",
  DEPENDENCY_FAILED: "What the task depends on did not succeed.",
  TEAM_CYCLE: "Managers would manage one another in a circle.",
  CAPACITY_EXCEEDED: "More is asked for than there is, or than is free now.",
  BUDGET_EXCEEDED: "The budget does not have so much left.",
  NO_QUALIFIED_AGENT: "Nobody who can do it was registered for as long as a task waits for that.",
  QUEUE_FULL: "A limit is reached; the message says which.",
  GUARDRAIL_BLOCKED: "A guardrail blocks the input, the output or the action.",
  INVALID_STATE: "It cannot be done as things stand; the details say how they stand.",
  TASK_FAILED: "The agent's code threw; `details.cause` or `cause` says what.",
  WOULD_DEADLOCK: "Waiting for it could never end.",
  FENCED: "The token is old: the attempt, the lease or the writer is not the present one any more.",
  JOURNAL_FAILED: "The journal could not be written; `details.outcome` says whether it may be written all the same.",
  JOURNAL_CORRUPT: "The journal is damaged; the message names the record.",
  JOURNAL_LOCKED: "Another process writes the journal.",
  SEQ_COMPACTED: "Events before that seq were dropped.",
  TIMEOUT: "It took longer than it may.",
  CANCELLED: "It was cancelled, or told to stop.",
  CLOSED: "The coordinator is closed.",
  UNAUTHORIZED: "Whoever asks may not do that.",
};

/** A code, and no other text. */
export const code = z.enum(Object.keys(ERRORS) as ErrorCode[]);
