/** Five programs that tell languages apart, each on its own, as agents with a vote. */
import { eld } from "eld/small";
import { franc } from "franc";
import lande from "lande";
import LanguageDetect from "languagedetect";
import { detect } from "tinyld";
import { type Agent, defineAgent } from "../../src/index.ts";

/** What a detector makes of a sentence when only these languages can be meant; undefined: it cannot tell. */
type Detect = (sentence: string, languages: readonly string[]) => string | undefined;

export interface Detector {
  readonly name: string;
  /** What somebody who has read what they say of themselves would have its vote weigh. */
  readonly weight: number;
  readonly agent: Agent;
}

/** Two of them name languages by three letters. */
const THREE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    da: "dan",
    no: "nob",
    sv: "swe",
    nl: "nld",
    de: "deu",
    en: "eng",
    es: "spa",
    pt: "por",
    ca: "cat",
    it: "ita",
  }),
);
const TWO: ReadonlyMap<string, string> = new Map(Array.from(THREE, ([two, three]) => [three, two]));

const classic = new LanguageDetect();
classic.setLanguageType("iso2");

export const detectors: readonly Detector[] = [
  // Trigrams of the Universal Declaration of Human Rights; for texts longer than these, as it says.
  detector("franc", 1, (sentence, languages) =>
    TWO.get(franc(sentence, { only: languages.flatMap((language) => THREE.get(language) ?? []), minLength: 3 })),
  ),
  // Groups of letters that are particular to a language.
  detector("tinyld", 2, (sentence, languages) => detect(sentence, { only: [...languages] })),
  // Groups of letters in words, in a large table.
  detector("eld", 3, (sentence, languages) => firstOf(languages, ranked(eld.detect(sentence).getScores()))),
  // Trigrams again, the oldest of the five.
  detector("languagedetect", 1, (sentence, languages) => firstOf(languages, classic.detect(sentence))),
  // A small neural network.
  detector("lande", 2, (sentence, languages) =>
    firstOf(
      languages,
      lande(sentence).map(([language, probability]) => [TWO.get(language) ?? language, probability]),
    ),
  ),
];

function detector(name: string, weight: number, detect: Detect): Detector {
  const agent = defineAgent({
    name,
    weight,
    vote: ({ question, options }) => offered(detect(question, options), options),
  });
  return { name, weight, agent };
}

/** What it cannot tell, or tells as none of these, is no vote. */
function offered(language: string | undefined, options: readonly string[]): string | undefined {
  return language !== undefined && options.includes(language) ? language : undefined;
}

type Ranking = readonly (readonly [language: string, score: number])[];

function ranked(scores: Readonly<Record<string, number>>): Ranking {
  return Object.entries(scores).sort(([, a], [, b]) => b - a);
}

/** The likeliest among these languages, where a detector ranks others too. */
function firstOf(languages: readonly string[], ranking: Ranking): string | undefined {
  return ranking.find(([language]) => languages.includes(language))?.[0];
}
