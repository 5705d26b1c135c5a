/** Tasks that share one output. */
import type { Json } from "../../coordination/structures/types.ts";
import type { LayoutsOf } from "./layout.ts";

/** Of the tasks of its `cacheKey` it is the one that is to give the output; `alone`: for itself, since others wait for it. */
export interface FlightLedEvent {
  readonly type: "flight.led";
  readonly v: 1;
  readonly taskId: string;
  readonly alone?: true;
}

/** It waits for the output that another of its `cacheKey` is to give. */
export interface FlightJoinedEvent {
  readonly type: "flight.joined";
  readonly v: 1;
  readonly taskId: string;
  readonly leader: string;
}

/** This output is to answer the task once the guardrails on outputs have let it pass for it too. */
export interface OutputOfferedEvent {
  readonly type: "output.offered";
  readonly v: 1;
  readonly taskId: string;
  /** The task that gave it. */
  readonly from: string;
  readonly output: Json;
  /** The agents that made it, where the output has to be approved: none of them approves it. Absent: none. */
  readonly givers?: readonly string[];
}

export type SharingEvent = FlightLedEvent | FlightJoinedEvent | OutputOfferedEvent;

export const SHARING_EVENTS: LayoutsOf<SharingEvent> = {
  "flight.led": { code: 54, v: 1, fields: ["taskId", "alone"] },
  "flight.joined": { code: 55, v: 1, fields: ["taskId", "leader"] },
  "output.offered": { code: 56, v: 1, fields: ["taskId", "from", "output", "givers"] },
};
