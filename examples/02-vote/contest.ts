/** Puts sentences to the vote of the detectors, and counts how often each way of deciding was right. */
import { dawidSkene } from "../../src/coordination-entry.ts";
import { Coordinator } from "../../src/index.ts";
import { detectors } from "./detectors.ts";
import { type Language, languages, sentences } from "./sentences.ts";

interface Sentence {
  readonly text: string;
  readonly language: Language;
}

/** What was decided on a sentence; undefined: nothing was. */
interface Verdict {
  readonly by: string;
  readonly sentence: Sentence;
  readonly decided: string | undefined;
}

export interface Row {
  readonly by: string;
  /** Right answers by language. */
  readonly right: Readonly<Record<Language, number>>;
  readonly wrong: number;
  /** Sentences on which nothing was decided. */
  readonly undecided: number;
}

const METHODS = [
  { by: "majority", method: "majority" },
  { by: "weighted, as guessed", method: "weighted" },
  { by: "weighted, as learned", method: "weighted", weights: "reputation" },
] as const;

/**
 * Every sentence is judged, and no weight was learned from a sentence that it judges: one crew learns from the first, third,
 * fifth … sentences of each language and judges the others, a second crew does the opposite.
 */
export async function contest(): Promise<readonly Row[]> {
  const [odd, even] = [half(0), half(1)];
  const verdicts = [...(await learnAndJudge(odd, even)), ...(await learnAndJudge(even, odd))];
  const without = withoutTruth(verdicts);
  const by = [...detectors.map(({ name }) => name), ...METHODS.map((method) => method.by), "Dawid-Skene"];
  return by.map((one) =>
    rowOf(
      one,
      [...verdicts, ...without].filter((verdict) => verdict.by === one),
    ),
  );
}

function half(which: 0 | 1): readonly Sentence[] {
  return languages.flatMap((language) =>
    sentences[language].filter((_, i) => i % 2 === which).map((text) => ({ text, language })),
  );
}

async function learnAndJudge(known: readonly Sentence[], unknown: readonly Sentence[]): Promise<readonly Verdict[]> {
  await using coordinator = await Coordinator.open();
  for (const { agent } of detectors) await coordinator.register(agent);
  for (const { text, language } of known) {
    const { ballotId } = await coordinator.decide({ question: text, options: languages });
    await coordinator.reveal(ballotId, language);
  }
  const verdicts: Verdict[] = [];
  for (const sentence of unknown) {
    for (const { by, ...method } of METHODS) {
      const { decision, votes } = await coordinator.decide({ question: sentence.text, options: languages, ...method });
      verdicts.push({ by, sentence, decided: decision });
      if (by !== "majority") continue;
      for (const { name } of detectors) verdicts.push({ by: name, sentence, decided: votes[name]?.toString() });
    }
  }
  return verdicts;
}

/** The same votes once more, judged all at once by who agrees with whom: no truth is revealed. */
function withoutTruth(verdicts: readonly Verdict[]): readonly Verdict[] {
  const votes = verdicts.flatMap(({ by, sentence, decided }) =>
    decided !== undefined && detectors.some(({ name }) => name === by) ? [{ by, sentence, decided }] : [],
  );
  const labels = votes.map(({ by, sentence, decided }) => ({ item: sentence.text, worker: by, label: decided }));
  const { truth } = dawidSkene(labels, { model: "one-coin" });
  return [...half(0), ...half(1)].map((sentence) => ({
    by: "Dawid-Skene",
    sentence,
    decided: truth.get(sentence.text),
  }));
}

function rowOf(by: string, verdicts: readonly Verdict[]): Row {
  const isRight = ({ sentence, decided }: Verdict): boolean => decided === sentence.language;
  const right = Object.fromEntries(
    languages.map((language) => [
      language,
      verdicts.filter((verdict) => verdict.sentence.language === language && isRight(verdict)).length,
    ]),
  ) as Record<Language, number>;
  const undecided = verdicts.filter(({ decided }) => decided === undefined).length;
  return { by, right, wrong: verdicts.filter((verdict) => !isRight(verdict)).length - undecided, undecided };
}
