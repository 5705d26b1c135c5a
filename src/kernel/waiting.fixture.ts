/** What a reason to wait is told for: a world in which tasks wait, and what is told then. */
import { Story } from "./story.fixture.ts";
import type { Reason } from "./views.ts";

/** A story, told up to where the task of this id waits. */
export interface Waiting {
  readonly what: string;
  readonly story: () => Story;
  readonly id: string;
  readonly reasons: readonly Reason[];
}

/** `ann` has room for 9, `disk` is 3; more as the story needs it. */
export function world(settings = {}): Story {
  const story = new Story({ concurrency: 9, ...settings });
  story.agent("ann", { capacity: 9 });
  story.resource("disk", 3);
  return story;
}

export const firm = { preemptible: false } as const;
