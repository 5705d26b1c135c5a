/** The state that agents share: set and deleted, on request only as long as nobody else has been there meanwhile. */
import { checkInteger, checkKeys, invalid } from "../../coordination/structures/arguments.ts";
import type { LiveAttempt } from "../attempt.ts";
import type { Answer, Command } from "../commands.ts";
import { limits } from "../limits.ts";
import type { VersionedState } from "../versioned-state.ts";
import { type Desk, DONE, refused, speaker } from "./desk.ts";
import { sizeOf } from "./messages.ts";

type CommandOf<T extends Command["type"]> = Extract<Command, { type: T }>;

/** Keys below it belong to the agent that is named next. */
const OWN = "agent/";

export function setState(desk: Desk, command: CommandOf<"state.set">): Answer {
  checkKeys(command, ["type", "taskId", "token", "key", "value", "expectedVersion"], "state");
  const { key, value } = command;
  checkKey(key);
  const expected = checkVersion(command.expectedVersion);
  const size = sizeOf(value) + key.length;
  const live = speaker(desk.state, command);
  checkOwner(live, key);
  const { shared } = desk.state;
  compare(shared, key, expected);
  const before = shared.get(key);
  if (before === undefined && shared.keys >= limits.stateKeys)
    throw refused("QUEUE_FULL", `the shared state has ${limits.stateKeys} keys: that is the most`, { key });
  if (shared.size - (before?.size ?? 0) + size > limits.stateCharacters)
    throw refused("QUEUE_FULL", `the shared state would hold more than ${limits.stateCharacters} characters`, { key });
  const version = shared.nextVersionOf(key);
  desk.emit({ type: "state.set", v: 1, key, value, version, size, taskId: live.task.id, token: live.token });
  return { ok: true, ids: [], version };
}

export function deleteState(desk: Desk, command: CommandOf<"state.delete">): Answer {
  checkKeys(command, ["type", "taskId", "token", "key", "expectedVersion"], "state");
  const { key } = command;
  checkKey(key);
  const expected = checkVersion(command.expectedVersion);
  const live = speaker(desk.state, command);
  checkOwner(live, key);
  const { shared } = desk.state;
  compare(shared, key, expected);
  const version = shared.versionOf(key);
  if (version > 0) desk.emit({ type: "state.deleted", v: 1, key, version, taskId: live.task.id, token: live.token });
  return DONE;
}

function checkKey(key: unknown): void {
  if (typeof key === "string" && key.length > 0 && key.length <= limits.stateKeyLength) return;
  throw invalid("key", key, `a string of 1 to ${limits.stateKeyLength} characters`);
}

function checkVersion(expected: unknown): number | undefined {
  return expected === undefined ? undefined : checkInteger(expected, "expectedVersion", 0, Number.MAX_SAFE_INTEGER);
}

function checkOwner({ agent: { name } }: LiveAttempt, key: string): void {
  const own = `${OWN}${name}/`;
  if (!key.startsWith(OWN) || (key.startsWith(own) && key.length > own.length)) return;
  throw refused(
    "UNAUTHORIZED",
    `agent ${name} may not write ${JSON.stringify(key)}: of keys under ${OWN} an agent writes only those under ${own}`,
    { agent: name, key },
  );
}

/** 0: it must not be there. */
function compare(shared: VersionedState, key: string, expectedVersion: number | undefined): void {
  const version = shared.versionOf(key);
  if (expectedVersion === undefined || expectedVersion === version) return;
  const is = version === 0 ? "is not there" : `has version ${version}`;
  throw refused("INVALID_STATE", `${JSON.stringify(key)} ${is}, not the expected version ${expectedVersion}`, {
    key,
    version,
    expectedVersion,
  });
}
