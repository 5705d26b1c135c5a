/** Counts the words of documents, one document after the other, and can be interrupted between any two. */
import { readFile } from "node:fs/promises";
import { type Agent, defineAgent } from "../../src/index.ts";

/** What is kept when it is interrupted: how many documents are done, and the words in them. */
interface Done {
  readonly documents: number;
  readonly words: number;
}

/** `began` is told with how many documents each attempt began. */
export function indexer(began: (documents: number) => void): Agent {
  return defineAgent<{ readonly documents: readonly string[] }, { readonly documents: number; readonly words: number }>(
    {
      name: "indexer",
      run: async (task, { resumeFrom, checkpoint, progress, signal }) => {
        let done: Done = isDone(resumeFrom) ? resumeFrom : { documents: 0, words: 0 };
        began(done.documents);
        const { documents } = task.input;
        for (const path of documents.slice(done.documents)) {
          signal.throwIfAborted();
          done = { documents: done.documents + 1, words: done.words + wordsIn(await readFile(path, "utf8")) };
          await checkpoint({ ...done });
          progress(done.documents / documents.length, path);
        }
        return { ...done };
      },
    },
  );
}

function isDone(state: unknown): state is Done {
  return typeof state === "object" && state !== null && "documents" in state && "words" in state;
}

export function wordsIn(text: string): number {
  return text.match(/[\p{L}\p{N}]+/gu)?.length ?? 0;
}
