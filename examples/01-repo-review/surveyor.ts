import { z } from "zod";
import { defineAgent } from "../../src/index.ts";
import { assignment } from "./inspect.ts";
import { folderOf, treeOnDisk } from "./tree.ts";

const counts = z.record(z.string(), z.number());

/** What there is to review: files and lines by folder, and how much was left out, by reason. */
export const survey = z.object({
  kind: z.literal("survey"),
  folders: z.array(z.object({ folder: z.string(), files: z.number(), lines: z.number() })),
  skipped: counts,
});
export type Survey = z.infer<typeof survey>;

/** Counts lines. What the lead has left out it passes on, so that what is told of the whole comes from one place. */
export const surveyor = defineAgent({
  name: "surveyor",
  skills: ["survey"],
  input: z.object({ ...assignment.shape, skipped: counts }),
  output: survey,
  async run({ input: { root, files, skipped } }, ctx): Promise<Survey> {
    const tree = treeOnDisk(root);
    const folders = new Map<string, { folder: string; files: number; lines: number }>();
    for (const [index, path] of files.entries()) {
      ctx.signal.throwIfAborted();
      ctx.progress(index / files.length, path);
      const folder = folderOf(path);
      const before = folders.get(folder) ?? { folder, files: 0, lines: 0 };
      const lines = (await tree.read(path))?.split("\n").length ?? 0;
      folders.set(folder, { folder, files: before.files + 1, lines: before.lines + lines });
    }
    return { kind: "survey", folders: [...folders.values()], skipped };
  },
});

/** Of several surveys one: a folder may be in more than one of them. */
export function combine(surveys: readonly Survey[]): Survey {
  const byFolder = Map.groupBy(
    surveys.flatMap(({ folders }) => folders),
    ({ folder }) => folder,
  );
  const folders = [...byFolder].map(([folder, parts]) => ({
    folder,
    files: parts.reduce((sum, { files }) => sum + files, 0),
    lines: parts.reduce((sum, { lines }) => sum + lines, 0),
  }));
  return { kind: "survey", folders, skipped: Object.assign({}, ...surveys.map(({ skipped }) => skipped)) };
}
