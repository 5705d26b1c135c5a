/** Asking for an approval. Who answers, and what follows, stands in `approvals.ts`. */
import type { Json } from "../../coordination/structures/types.ts";
import { hashOf, isByBallot } from "../approvals.ts";
import type { Substitute } from "../events/tasks.ts";
import type { Task } from "../task.ts";
import type { Desk } from "./desk.ts";

/** An output that does not count yet: of an attempt, or of what takes its place. */
export interface GivenOutput {
  readonly output: Json;
  readonly token?: number;
  readonly via?: Substitute;
  /** The task of the same `cacheKey` that gave it. */
  readonly from?: string;
  /** Who made that, where there are any. */
  readonly givers?: readonly string[];
}

/** Asks for the approval of the task's run, or of the output that was given. */
export function ask(desk: Desk, task: Task, given?: GivenOutput): void {
  const before = given === undefined ? "run" : "output";
  const { expiresMs } = task.spec.approval ?? {};
  // A ballot's time begins when it is opened.
  const expires = expiresMs !== undefined && !isByBallot(task);
  const { output, token, via, from } = given ?? {};
  desk.emit({
    type: "approval.asked",
    v: 1,
    taskId: task.id,
    before,
    hash: hashOf(task, { before, seq: desk.state.seq + 1, output, token, via, from }, desk.digest),
    ...given,
    ...(expires ? { expiresAt: desk.now + expiresMs } : {}),
  });
}
