/** The state that agents share. */
import type { Json } from "../../coordination/structures/types.ts";
import type { LayoutsOf } from "./layout.ts";

/** A key of the shared state has another value. */
export interface StateSetEvent {
  readonly type: "state.set";
  readonly v: 1;
  readonly key: string;
  readonly value: Json;
  /** Higher than any that the key ever had. */
  readonly version: number;
  /** Characters of key and value as JSON. */
  readonly size: number;
  readonly taskId: string;
  readonly token: number;
}

/** A key of the shared state is gone. */
export interface StateDeletedEvent {
  readonly type: "state.deleted";
  readonly v: 1;
  readonly key: string;
  /** The version that it had. */
  readonly version: number;
  readonly taskId: string;
  readonly token: number;
}

export type StateEvent = StateSetEvent | StateDeletedEvent;

export const STATE_EVENTS: LayoutsOf<StateEvent> = {
  "state.set": { code: 65, v: 1, fields: ["key", "value", "version", "size", "taskId", "token"] },
  "state.deleted": { code: 66, v: 1, fields: ["key", "version", "taskId", "token"] },
};
