/** A ballot as plain data, from which it can be counted again; a closed one as one line of JSON text. */
import type { Json } from "../coordination/structures/types.ts";
import type { BallotOpenedEvent } from "./events/ballots.ts";
import type { Ballot } from "./state.ts";

/** What was asked, when, what was voted by whom, and what was true, if that is known; who abstained stands alone. */
export interface Cast {
  readonly opened: BallotOpenedEvent;
  readonly at: number;
  readonly votes: readonly (readonly [string] | readonly [string, Json])[];
  readonly truth?: string;
}

export function castIn({ opened, at, votes, truth }: Ballot): Cast {
  return {
    opened,
    at,
    votes: [...votes].map(([voter, vote]) => (vote === undefined ? [voter] : [voter, vote])),
    ...(truth === undefined ? {} : { truth }),
  };
}

export function ballotOf({ opened, at, votes, truth }: Cast, open: boolean): Ballot {
  const cast = new Map(votes.map((entry): [string, Json | undefined] => [entry[0], entry[1]]));
  return { id: opened.ballotId, opened, at, votes: cast, open, truth, counted: undefined };
}

export function ballotRow(ballot: Ballot): string {
  return JSON.stringify(castIn(ballot));
}

export function ballotIn(row: string): Ballot {
  return ballotOf(JSON.parse(row), false);
}
