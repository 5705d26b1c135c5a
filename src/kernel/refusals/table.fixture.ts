/** Everything that the kernel refuses, by the file that does. */
import { agents } from "./agents.fixture.ts";
import { approvals } from "./approvals.fixture.ts";
import { attempts } from "./attempts.fixture.ts";
import { ballots } from "./ballots.fixture.ts";
import { budgets } from "./budgets.fixture.ts";
import { control } from "./control.fixture.ts";
import { guardrails } from "./guardrails.fixture.ts";
import { messages } from "./messages.fixture.ts";
import { desk, kernel, lifecycle } from "./opening.fixture.ts";
import type { Refused } from "./refused.fixture.ts";
import { resources } from "./resources.fixture.ts";
import { shapes } from "./shapes.fixture.ts";
import { sharing } from "./sharing.fixture.ts";
import { submission, taskIds } from "./submission.fixture.ts";
import { sharedState } from "./versioned-state.fixture.ts";

export const kernelRefusals: Readonly<Record<string, readonly Refused[]>> = {
  "src/kernel/kernel.ts": kernel,
  "src/kernel/decide/agents.ts": agents,
  "src/kernel/decide/approvals.ts": approvals,
  "src/kernel/decide/attempts.ts": attempts,
  "src/kernel/decide/ballots.ts": ballots,
  "src/kernel/decide/budgets.ts": budgets,
  "src/kernel/decide/control.ts": control,
  "src/kernel/decide/desk.ts": desk,
  "src/kernel/decide/guardrails.ts": guardrails,
  "src/kernel/decide/lifecycle.ts": lifecycle,
  "src/kernel/decide/messages.ts": messages,
  "src/kernel/decide/resources.ts": resources,
  "src/kernel/decide/shapes.ts": shapes,
  "src/kernel/decide/versioned-state.ts": sharedState,
  "src/kernel/decide/sharing.ts": sharing,
  "src/kernel/decide/submission.ts": submission,
  "src/kernel/decide/task-ids.ts": taskIds,
};
