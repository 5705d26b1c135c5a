/** What a command with an id, or a submit with a key, has made: for when the same is sent again. */
import type { KernelEvent } from "../events.ts";
import { limits } from "../limits.ts";
import type { Remembered } from "../state.ts";

/** Remembers what a command made, oldest dropped first. */
export function remember(memory: Map<string, Remembered>, id: string, event: KernelEvent): void {
  let remembered = memory.get(id);
  if (remembered === undefined) {
    remembered = { ids: [], type: event.type };
    memory.set(id, remembered);
    if (memory.size > limits.commandMemory) {
      for (const oldest of memory.keys()) {
        memory.delete(oldest);
        break;
      }
    }
  }
  if (event.type === "task.submitted") remembered.ids.push(event.taskId);
  else if (event.type === "ballot.opened") remembered.ids.push(event.ballotId);
  else if (event.type === "resource.granted" && event.requestId === undefined) remembered.ids.push(event.allocationId);
  else if (event.type === "resource.requested") remembered.ids.push(event.requestId);
  else if (event.type === "attempt.waiting") remembered.ids.push(...event.on);
  else if (event.type === "message.sent") remembered.ids.push(event.messageId);
  else if (event.type === "state.set") remembered.ids.push(String(event.version));
}
