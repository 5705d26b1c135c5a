/**
 * What an event does to the state. Decision and replay run this very code.
 *
 * 1. Total on valid logs and without choice: nothing here asks for time, sorts without a total key, or computes what another
 *    machine could compute otherwise.
 * 2. Whatever an attempt holds is taken when it starts (or is granted) and given back once, when it ends or waits.
 * 3. What an event changes, the observer is told of; during replay there is none.
 *
 * What each event does is in `evolve/`, parted as `events/` is, which describes them.
 */
import { sumIn } from "../coordination/structures/money.ts";
import { dropClaim } from "./claims.ts";
import type { KernelEvent } from "./events.ts";
import { agentRegistered, agentUnregistered, teamChanged } from "./evolve/agents.ts";
import { approvalAsked, approvalGiven, approvalRejected } from "./evolve/approvals.ts";
import { attemptEnded, attemptRegained, attemptStopping, attemptWaiting, started } from "./evolve/attempts.ts";
import { ballotCast, ballotDecided, ballotExtended, ballotOpened, ballotRevealed } from "./evolve/ballots.ts";
import { opened } from "./evolve/coordinator.ts";
import { inputAccepted } from "./evolve/guardrails.ts";
import { messageSent } from "./evolve/messages.ts";
import { reservationMade, taskPromised } from "./evolve/promises.ts";
import { remember } from "./evolve/remembered.ts";
import {
  resourceGranted,
  resourceRefused,
  resourceReleased,
  resourceRequested,
  resourceSet,
} from "./evolve/resources.ts";
import { flightJoined, flightLed, outputOffered } from "./evolve/sharing.ts";
import { submitted } from "./evolve/submission.ts";
import {
  fellBack,
  retried,
  taskCancelled,
  taskCompleted,
  taskEnding,
  taskFailed,
  taskPaused,
  taskPlanned,
  taskPrioritized,
  taskResumed,
  taskSkipped,
} from "./evolve/tasks.ts";
import { dropKept } from "./holdings.ts";
import { liveOf, taskOf } from "./named.ts";
import type { StateObserver } from "./observer.ts";
import { budgetSet, spend } from "./spending.ts";
import type { State } from "./state.ts";

/** Applies one event; `observer` is absent during replay. */
export function evolve(state: State, event: KernelEvent, observer: StateObserver | undefined): void {
  switch (event.type) {
    case "coordinator.opened":
      opened(state, event, observer);
      break;
    case "coordinator.closed":
      state.open = false;
      break;
    case "agent.registered":
      agentRegistered(state, event, observer);
      break;
    case "agent.unregistered":
      agentUnregistered(state, event, observer);
      break;
    case "team.changed":
      teamChanged(state, event, observer);
      break;
    case "resource.set":
      resourceSet(state, event, observer);
      break;
    case "budget.set":
      budgetSet(state, event, observer);
      break;
    case "budget.spent":
      spend(liveOf(state, event.token), sumIn(event.amount), observer);
      break;
    case "budget.overrun":
      // It says what follows from what was spent before.
      break;
    case "task.submitted":
      submitted(state, event, observer);
      if (event.key !== undefined) remember(state.keys, event.key, event);
      break;
    case "task.started":
      started(state, event, observer);
      break;
    case "attempt.ended":
      attemptEnded(state, event, observer);
      break;
    case "task.completed":
      taskCompleted(state, event, observer);
      break;
    case "task.fell-back":
      if (event.to === "agents") fellBack(state, taskOf(state, event.taskId), event.at, observer);
      break;
    case "task.failed":
      taskFailed(state, event, observer);
      break;
    case "task.skipped":
      taskSkipped(state, event, observer);
      break;
    case "task.cancelled":
      taskCancelled(state, event, observer);
      break;
    case "task.ending":
      taskEnding(state, event, observer);
      break;
    case "attempt.stopping":
      attemptStopping(state, event, observer);
      break;
    case "task.promised":
      taskPromised(state, event, observer);
      break;
    case "promise.dropped":
      dropClaim(state, taskOf(state, event.taskId), observer);
      break;
    case "reservation.made":
      reservationMade(state, event);
      break;
    case "reservation.dropped":
      state.reserved = undefined;
      break;
    case "task.paused":
      taskPaused(state, event, observer);
      break;
    case "task.resumed":
      taskResumed(state, event, observer);
      break;
    case "flight.led":
      flightLed(state, event, observer);
      break;
    case "flight.joined":
      flightJoined(state, event, observer);
      break;
    case "output.offered":
      outputOffered(state, event, observer);
      break;
    case "task.prioritized":
      taskPrioritized(state, event, observer);
      break;
    case "task.retried":
      retried(state, event.taskId, event.at, observer);
      break;
    case "approval.asked":
      approvalAsked(state, event, observer);
      break;
    case "approval.given":
      approvalGiven(state, event, observer);
      break;
    case "approval.rejected":
      approvalRejected(state, event, observer);
      break;
    case "attempt.checkpointed":
      liveOf(state, event.token).task.checkpoint = event.state;
      break;
    case "task.planned":
      taskPlanned(state, event, observer);
      break;
    case "attempt.waiting":
      attemptWaiting(state, event, observer);
      break;
    case "attempt.regained":
      attemptRegained(state, event, observer);
      break;
    case "resource.requested":
      resourceRequested(state, event, observer);
      break;
    case "resource.granted":
      resourceGranted(state, event, observer);
      break;
    case "resource.released":
      resourceReleased(state, event, observer);
      break;
    case "resource.refused":
      resourceRefused(state, event, observer);
      break;
    case "attempt.gone":
      dropKept(state, event.token, observer);
      break;
    case "message.sent":
      messageSent(state, event);
      break;
    case "message.read":
      for (const id of event.ids) state.mail.read(event.agent, id);
      break;
    case "state.set":
      state.shared.set(event.key, { value: event.value, version: event.version, size: event.size });
      break;
    case "state.deleted":
      state.shared.delete(event.key);
      break;
    case "ballot.opened":
      ballotOpened(state, event, observer);
      break;
    case "ballot.cast":
      ballotCast(state, event);
      break;
    case "ballot.extended":
      ballotExtended(state, event, observer);
      break;
    case "ballot.decided":
      ballotDecided(state, event, observer);
      break;
    case "ballot.revealed":
      ballotRevealed(state, event);
      break;
    case "input.accepted":
      inputAccepted(state, event, observer);
      break;
    // Told for those who watch: no state hangs on it.
    case "breaker.changed":
    case "resource.breaker-changed":
    case "guardrail.judged":
      break;
    default: {
      const never: never = event;
      throw new RangeError(`unknown event ${String(never)}`);
    }
  }
  state.seq = event.seq;
  state.at = event.at;
  if (event.commandId !== undefined) remember(state.commands, event.commandId, event);
}
