/** What guardrails said. */
import type { Json } from "../../coordination/structures/types.ts";
import type { LayoutsOf } from "./layout.ts";

/** What a guardrail looks at. */
export type GuardedPoint = "input" | "output" | "action";

/** Names of the guardrails that look at each of these, in the order in which they are asked; absent: none does. */
export type GuardrailNames = Readonly<Partial<Record<GuardedPoint, readonly string[]>>>;

/** What a guardrail said. */
export interface GivenVerdict {
  readonly guardrail: string;
  readonly verdict: "allow" | "block" | "change";
  /** Why it blocks. */
  readonly reason?: string;
}

/** A guardrail has looked at a task's input, at an output, or at an action that an attempt is about to take. */
export interface GuardrailJudgedEvent extends GivenVerdict {
  readonly type: "guardrail.judged";
  readonly v: 1;
  readonly taskId: string;
  readonly on: GuardedPoint;
  /** Of an output and an action: the attempt's, and whose it is. */
  readonly token?: number;
  readonly agent?: string;
  /** The name of the action. */
  readonly action?: string;
}

/** All guardrails let the task's input pass: from now on it may be given to an agent. */
export interface InputAcceptedEvent {
  readonly type: "input.accepted";
  readonly v: 1;
  readonly taskId: string;
  /** What agents are given instead of what was submitted; absent: that itself. */
  readonly input?: Json;
}

export type GuardrailEvent = GuardrailJudgedEvent | InputAcceptedEvent;

export const GUARDRAIL_EVENTS: LayoutsOf<GuardrailEvent> = {
  "guardrail.judged": {
    code: 47,
    v: 1,
    fields: ["taskId", "guardrail", "on", "verdict", "reason", "token", "agent", "action"],
  },
  "input.accepted": { code: 48, v: 1, fields: ["taskId", "input"] },
};
