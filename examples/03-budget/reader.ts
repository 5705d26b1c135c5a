/** An agent that sums up a text and pays for every paragraph that it reads, as one pays a model by the token. */
import { type Agent, defineAgent, isSafeguardsError } from "../../src/index.ts";

export interface Summary {
  readonly sentence: string;
  readonly read: number;
  readonly of: number;
}

/** In millionths. */
const PRICE_OF_A_TOKEN = 150;

/** What it costs to read this, as a decimal; a token is about four letters. Whole numbers, so that nothing is rounded twice. */
export function priceOf(text: string): string {
  const millionths = Math.ceil(text.length / 4) * PRICE_OF_A_TOKEN;
  return `0.${String(millionths).padStart(6, "0")}`;
}

export const reader: Agent = defineAgent<readonly string[], Summary & { [key: string]: string | number }>({
  name: "reader",
  skills: ["read"],
  run: async ({ input: paragraphs }, { budget }) => {
    const sentences: string[] = [];
    let read = 0;
    for (const [index, paragraph] of paragraphs.entries()) {
      try {
        // Before it is read: what is refused here has cost nothing.
        await budget.spend(priceOf(paragraph), `paragraph ${index + 1}`);
      } catch (error) {
        if (isSafeguardsError(error, "BUDGET_EXCEEDED")) break;
        throw error;
      }
      sentences.push(...paragraph.split(/(?<=[.]) /));
      read += 1;
    }
    return { sentence: mostTelling(sentences), read, of: paragraphs.length };
  },
});

/** The sentence whose longer words come most often in the whole, the first of those. */
function mostTelling(sentences: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of sentences.flatMap(wordsOf)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const weigh = (sentence: string): number =>
    wordsOf(sentence).reduce((sum, word) => sum + (counts.get(word) ?? 0), 0) / Math.max(1, wordsOf(sentence).length);
  return sentences.reduce((best, sentence) => (weigh(sentence) > weigh(best) ? sentence : best), sentences[0] ?? "");
}

function wordsOf(sentence: string): string[] {
  return sentence.toLowerCase().match(/[a-z]{4,}/g) ?? [];
}
