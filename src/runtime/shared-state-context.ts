/** The state that agents share, as an attempt's code sees it. */
import type { AgentContext } from "../agents/agent.ts";
import { invalid } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import type { Command } from "../kernel/commands.ts";
import { limits } from "../kernel/limits.ts";
import type { Entry } from "../kernel/versioned-state.ts";
import type { Accepted } from "./backend.ts";
import { admit, copyOf } from "./json.ts";
import { runtimeLimits } from "./limits.ts";
import type { RunningAttempt } from "./running-attempt.ts";

type Shared = AgentContext["state"];

export interface SharedStateParts {
  /** What is there when all that was asked for before is decided, told when that is durable. */
  entry(key: string): Promise<Entry | undefined>;
  send(command: Command, bytes: number): Promise<Accepted>;
}

/** Members work when they are taken out of the object. */
export function sharedStateOf(attempt: RunningAttempt, { entry, send }: SharedStateParts): Shared {
  const { taskId, token } = attempt;
  return {
    get: async (key) => {
      checkKey(key);
      if (attempt.isOver)
        throw new SafeguardsError("FENCED", `this attempt at task ${taskId} is over`, { details: { taskId } });
      const found = await entry(key);
      return found === undefined ? undefined : { value: copyOf(found.value), version: found.version };
    },
    set: async (key: string, value: Json, expectedVersion?: number) => {
      const { json, bytes } = admit(value, "the value", runtimeLimits.inputBytes);
      const expected = expectedVersion === undefined ? {} : { expectedVersion };
      const { version = 0 } = await send({ type: "state.set", taskId, token, key, value: json, ...expected }, bytes);
      return version;
    },
    delete: async (key: string, expectedVersion?: number) => {
      const expected = expectedVersion === undefined ? {} : { expectedVersion };
      await send({ type: "state.delete", taskId, token, key, ...expected }, 0);
    },
  };
}

function checkKey(key: unknown): void {
  if (typeof key === "string" && key.length > 0 && key.length <= limits.stateKeyLength) return;
  throw invalid("key", key, `a string of 1 to ${limits.stateKeyLength} characters`);
}
