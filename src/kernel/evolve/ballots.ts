/** Ballots open, are voted in, close, and turn out to have been right or wrong. */
import { ballotRow } from "../ballot-row.ts";
import type {
  BallotCastEvent,
  BallotDecidedEvent,
  BallotExtendedEvent,
  BallotOpenedEvent,
  BallotRevealedEvent,
} from "../events/ballots.ts";
import type { EventHead } from "../events.ts";
import { limits } from "../limits.ts";
import { known, taskOf } from "../named.ts";
import type { StateObserver } from "../observer.ts";
import type { Ballot, State } from "../state.ts";
import { askedOf, type Task } from "../task.ts";

export function ballotOpened(
  state: State,
  event: BallotOpenedEvent & EventHead,
  observer: StateObserver | undefined,
): void {
  const { ballotId: id, at } = event;
  const ballot: Ballot = { id, opened: event, at, votes: new Map(), open: true, truth: undefined, counted: undefined };
  state.lastBallotNumber += 1;
  state.openBallots += 1;
  state.ballots.set(ballot.id, ballot);
  if (event.approves !== undefined) votedOn(taskOf(state, event.approves), event, observer);
  observer?.ballot(ballot);
}

/** A task that waits to be approved has a ballot that decides, and until when. */
function votedOn(task: Task, { ballotId, deadlineAt }: BallotOpenedEvent, observer: StateObserver | undefined): void {
  const asked = askedOf(task);
  if (asked !== undefined) task.approval = { ...asked, ballotId, expiresAt: deadlineAt };
  observer?.task(task);
}

export function ballotCast(state: State, event: BallotCastEvent): void {
  const ballot = known(state.ballots.get(event.ballotId), "ballot", event.ballotId);
  ballot.votes.set(event.voter, event.vote);
  ballot.counted = undefined;
}

export function ballotExtended(state: State, event: BallotExtendedEvent, observer: StateObserver | undefined): void {
  const ballot = known(state.ballots.get(event.ballotId), "ballot", event.ballotId);
  ballot.opened = { ...ballot.opened, deadlineAt: event.deadlineAt };
  const task = state.tasks.get(ballot.opened.approves ?? "");
  if (task !== undefined && askedOf(task)?.ballotId === ballot.id) votedOn(task, ballot.opened, observer);
  observer?.ballot(ballot);
}

export function ballotDecided(state: State, event: BallotDecidedEvent, observer: StateObserver | undefined): void {
  const ballot = known(state.ballots.get(event.ballotId), "ballot", event.ballotId);
  ballot.open = false;
  state.openBallots -= 1;
  observer?.ballot(ballot);
  if (state.ballots.size - state.openBallots > limits.keptBallots) putOldestAway(state, ballot);
}

/** The oldest closed ballot leaves memory; not one that was closed just now on a task, which is told of it first. */
function putOldestAway(state: State, closed: Ballot): void {
  for (const [id, ballot] of state.ballots) {
    if (ballot.open || (ballot === closed && closed.opened.approves !== undefined)) continue;
    state.ballots.delete(id);
    state.outbox.add({ kind: "ballot", id, row: ballotRow(ballot) });
    return;
  }
}

export function ballotRevealed(state: State, event: BallotRevealedEvent): void {
  for (const [name, standing] of Object.entries(event.learned))
    known(state.agents.get(name), "agent", name).standing = standing;
  // One that has left memory keeps it in the archive.
  const ballot = state.ballots.get(event.ballotId);
  if (ballot !== undefined) ballot.truth = event.truth;
}
