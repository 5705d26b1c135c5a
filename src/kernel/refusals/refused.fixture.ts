/** A command that is refused, and what exactly is said then. */
import type { ErrorCode } from "../../errors.ts";
import { Story } from "../story.fixture.ts";

export interface Refused {
  /** Prepares the story and gives the command; its shape may be wrong. */
  readonly ask: (story: Story) => unknown;
  /** Who asks. */
  readonly by?: string;
  readonly code: ErrorCode;
  readonly says: string;
  readonly details?: { readonly [key: string]: unknown };
}

/** Where the refusals below are asked for: `ann` can do x, `disk` is 3, `calls` is a rate. */
export function world(): Story {
  const story = new Story({ concurrency: 99 });
  story.agent("ann", { skills: ["x"], capacity: 99, votes: true });
  story.resource("disk", 3);
  story.resource("calls", 4, { kind: "api_call", per: 1_000 });
  return story;
}

/** A refusal of a value that is not what it must be. */
export function invalid(says: string, ask: unknown): Refused {
  return { ask: () => ask, code: "INVALID_ARGUMENT", says };
}

/** What is said of a value that must be an id. */
export function noId(what: string, value: string): string {
  return `${what} is ${value}; it must be a string of 1 to 256 characters without "/"`;
}
