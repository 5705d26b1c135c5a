import { z } from "zod";
import { defineAgent } from "../../src/index.ts";
import { folderOf, treeOnDisk } from "./tree.ts";

/** What there is to review: files and lines by folder, and how much was left out, by reason. */
export const survey = z.object({
  kind: z.literal("survey"),
  folders: z.array(z.object({ folder: z.string(), files: z.number(), lines: z.number() })),
  skipped: z.record(z.string(), z.number()),
});
export type Survey = z.infer<typeof survey>;

export const surveyor = defineAgent({
  name: "surveyor",
  skills: ["survey"],
  input: z.object({ root: z.string(), report: z.string() }),
  output: survey,
  async run(task, ctx): Promise<Survey> {
    const tree = treeOnDisk(task.input.root, task.input.report);
    const { files, skipped } = await tree.list("");
    const counts = new Map<string, { files: number; lines: number }>();
    for (const [index, path] of files.entries()) {
      ctx.signal.throwIfAborted();
      ctx.progress(index / files.length, path);
      const before = counts.get(folderOf(path)) ?? { files: 0, lines: 0 };
      const lines = (await tree.read(path))?.split("\n").length ?? 0;
      counts.set(folderOf(path), { files: before.files + 1, lines: before.lines + lines });
    }
    const folders = [...counts].map(([folder, count]) => ({ folder, ...count }));
    return { kind: "survey", folders, skipped };
  },
});
