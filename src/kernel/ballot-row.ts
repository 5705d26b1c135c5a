/** A closed ballot as one line of JSON text, from which it can be counted again. */
import type { Json } from "../coordination/structures/types.ts";
import type { BallotOpenedEvent } from "./events.ts";
import type { Ballot } from "./state.ts";

interface Row {
  readonly opened: BallotOpenedEvent;
  readonly at: number;
  /** Who abstained stands alone. */
  readonly votes: readonly (readonly [string] | readonly [string, Json])[];
}

export function ballotRow({ opened, at, votes }: Ballot): string {
  const row: Row = {
    opened,
    at,
    votes: [...votes].map(([voter, vote]) => (vote === undefined ? [voter] : [voter, vote])),
  };
  return JSON.stringify(row);
}

export function ballotIn(row: string): Ballot {
  const { opened, at, votes }: Row = JSON.parse(row);
  return {
    id: opened.ballotId,
    opened,
    at,
    votes: new Map(votes.map((entry): [string, Json | undefined] => [entry[0], entry[1]])),
    open: false,
  };
}
