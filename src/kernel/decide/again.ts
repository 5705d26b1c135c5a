/** Answers to commands that were accepted before, rebuilt from what their events left. */

import type { ExtraAllocation } from "../attempt.ts";
import type { Answer, Command, GrantedAllocation, TaskRequest } from "../commands.ts";
import { amountsOf } from "../named.ts";
import type { Remembered, State } from "../state.ts";

/** The answer that it got then. */
export function answerAgain(state: State, command: Command, made: Remembered): Answer {
  switch (command.type) {
    case "task.submit":
      return { ok: true, ids: sameIds(command.tasks, command.from?.taskId, made.ids) };
    case "attempt.request": {
      const allocation =
        made.type === "resource.granted" ? made.ids.map((id) => state.allocations.get(id)).at(0) : undefined;
      return { ok: true, ids: made.ids, ...(allocation === undefined ? {} : { allocation: granted(allocation) }) };
    }
    case "state.set":
      return { ok: true, ids: [], version: Number(made.ids[0]) };
    default:
      return { ok: true, ids: made.ids };
  }
}

/** Ids of all tasks asked for: those that it made, and among them, by the ids that they ask for, those that existed before. */
export function sameIds(
  tasks: readonly TaskRequest[],
  parentId: string | undefined,
  made: readonly string[],
): string[] {
  const ids: string[] = [];
  let next = 0;
  for (const { id } of tasks) {
    const asked = id === undefined || parentId === undefined ? id : `${parentId}/${id}`;
    const own = made[next];
    if (own !== undefined && (asked === undefined || asked === own)) {
      ids.push(own);
      next += 1;
    } else if (asked !== undefined) ids.push(asked);
  }
  return ids;
}

function granted({ id, token, live, needs, expiresAt }: ExtraAllocation): GrantedAllocation {
  return {
    id,
    token,
    holder: live.task.id,
    amounts: amountsOf(needs),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}
