/** Votes counted: many ballots over many options, and a plain majority beside a Python class that a page has. */
import { FederatedDecisions, tally } from "../src/coordination-entry.ts";
import type { Benchmark, Figure } from "./measure.ts";
import { numbers, perSecond, perSecondAsync } from "./measure.ts";
import { timePage } from "./page.ts";

interface Work {
  readonly runs: number;
  readonly decide: { readonly voters: number; readonly calls: number };
  readonly rank: { readonly options: number; readonly ballots: number };
}

const FULL: Work = { runs: 7, decide: { voters: 1000, calls: 1000 }, rank: { options: 50, ballots: 10_000 } };
const BRIEF: Work = { runs: 1, decide: { voters: 50, calls: 5 }, rank: { options: 10, ballots: 50 } };
const OPTIONS = ["a", "b", "c"] as const;

export const voting: Benchmark = {
  work: "majority of 1000 voters over 3 options; rankings of 50 options in 10 000 ballots",
  async run({ brief, argument }) {
    const work = brief ? BRIEF : FULL;
    return [...(argument === undefined ? [] : await majorities(argument, work)), ...rankings(work)];
  },
};

/** In turn, so that what slows the machine down slows both. What is still interpreted does not count. */
async function majorities(page: string, { runs, decide }: Work): Promise<readonly Figure[]> {
  await measureOurs(decide);
  const all: { theirs: number; counted: number; asked: number }[] = [];
  for (let run = 0; run < runs; run++) {
    const { decide: theirs } = timePage<{ readonly decide: number }>(page, { decide });
    all.push({ theirs, ...(await measureOurs(decide)) });
  }
  const peer = { what: "Python make_decision", runs: all.map(({ theirs }) => theirs) };
  return [
    {
      what: `tally, ${decide.voters} voters`,
      unit: "calls/s",
      runs: all.map(({ counted }) => counted),
      peer,
      goal: { of: "ratio", better: "more", must: 2, aim: 10 },
    },
    {
      what: `FederatedDecisions.decide, ${decide.voters} voters`,
      unit: "calls/s",
      runs: all.map(({ asked }) => asked),
      peer,
    },
  ];
}

async function measureOurs({ voters, calls }: Work["decide"]): Promise<{ counted: number; asked: number }> {
  const answers = new Map(
    Array.from({ length: voters }, (_, i) => [`a${String(i).padStart(4, "0")}`, OPTIONS[i % 3] ?? "a"]),
  );
  const votes = Object.fromEntries(answers);
  const board = new FederatedDecisions();
  for (const [voter, answer] of answers) board.register(voter, () => answer);
  return {
    counted: perSecond(calls, () => {
      for (let call = 0; call < calls; call++) tally({ options: OPTIONS, votes, method: "majority" });
    }),
    asked: await perSecondAsync(calls, async () => {
      for (let call = 0; call < calls; call++) await board.decide("which?", OPTIONS);
    }),
  };
}

/** How long one count takes. */
function rankings({ runs, rank }: Work): readonly Figure[] {
  const options = Array.from({ length: rank.options }, (_, i) => `option ${i}`);
  const votes = new Map(shuffles(options, rank.ballots).map((ranking, i) => [`v${i}`, ranking]));
  return (["schulze", "ranked-pairs", "instant-runoff", "borda"] as const).map((method) => {
    const count = () => 1000 / perSecond(1, () => tally({ options, votes, method }));
    count();
    return {
      what: `${method}, ${rank.options} options, ${rank.ballots} ballots`,
      unit: "ms",
      runs: Array.from({ length: runs }, count),
      ...(method === "schulze" ? { goal: { of: "figure", better: "less", must: 150, aim: 50 } } : {}),
    };
  });
}

/** The same rankings each time, each as likely as any other (Fisher & Yates). */
function shuffles(options: readonly string[], count: number): readonly (readonly string[])[] {
  const below = numbers();
  return Array.from({ length: count }, () => {
    const ranking = [...options];
    for (let last = ranking.length - 1; last > 0; last--) {
      const other = below(last + 1);
      const moved = ranking[last] ?? "";
      ranking[last] = ranking[other] ?? "";
      ranking[other] = moved;
    }
    return ranking;
  });
}
