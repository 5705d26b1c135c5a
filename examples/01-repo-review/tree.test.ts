import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { folderOf, treeOnDisk } from "./tree.ts";

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "review-"));
});
afterEach(() => rm(root, { recursive: true }));

async function write(path: string, content: string | Uint8Array = "x"): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

it("lists files in the order of their paths, at any depth", async () => {
  for (const path of ["b.ts", "a/z.ts", "a/b/c.ts", "B.ts", "a.ts", "é.ts"]) await write(path);
  const { files } = await treeOnDisk(root).list("");
  expect(files).toEqual(["B.ts", "a.ts", "a/b/c.ts", "a/z.ts", "b.ts", "é.ts"]);
  expect((await treeOnDisk(root).list("a")).files).toEqual(["a/b/c.ts", "a/z.ts"]);
});

it("leaves out what nobody here wrote, what is too large and what is no text, and says how many", async () => {
  await write("node_modules/x/a.js");
  await write("a/node_modules/x/a.js");
  await write("dist/a.js");
  await write(".git/HEAD");
  await write(".safeguards/a.db");
  await write("large.json", "1".repeat(1_000_001));
  await write("picture.png", new Uint8Array([137, 80, 78, 71, 0]));
  await write("kept.json", "1".repeat(1_000_000));
  expect(await treeOnDisk(root).list("")).toEqual({
    files: ["kept.json"],
    skipped: { binary: 1, "folders named dist": 1, "folders named node_modules": 2, "larger than 1 MB": 1 },
  });
});

it("looks at everything that is installed when asked for what is installed", async () => {
  await write("node_modules/x/dist/a.js");
  await write("node_modules/x/node_modules/y/b.js");
  const tree = treeOnDisk(join(root, "node_modules"));
  expect(tree.installed).toBe(true);
  expect((await tree.list("")).files).toEqual(["x/dist/a.js", "x/node_modules/y/b.js"]);
});

it("follows no link, so that a loop of them ends", async () => {
  await write("a/b.ts");
  await symlink("..", join(root, "a/loop"));
  await symlink("nowhere", join(root, "gone"));
  expect(await treeOnDisk(root).list("")).toEqual({ files: ["a/b.ts"], skipped: { "symbolic links": 2 } });
});

it("reads any bytes as text: without a byte order mark, line ends as they are, the rest replaced", async () => {
  await write("a", new Uint8Array([0xef, 0xbb, 0xbf, 0x61, 0x0d, 0x0a, 0xff, 0x62]));
  expect(await treeOnDisk(root).read("a")).toBe("a\r\n\ufffdb");
});

it("says that what is not there cannot be read", async () => {
  const tree = treeOnDisk(root);
  await write("a/b");
  expect(await tree.read("gone")).toBeUndefined();
  expect(await tree.read("a")).toBeUndefined();
  expect(await tree.exists("a")).toBe(true);
  expect(await tree.exists("a/../a/b")).toBe(true);
  expect(await tree.exists("a\0b")).toBe(false);
  expect(await treeOnDisk(join(root, "gone")).list("")).toEqual({ files: [], skipped: { unreadable: 1 } });
});

it("names the folder of a path", () => {
  expect(["a.ts", "a/b.ts", "a/b/c.ts"].map(folderOf)).toEqual(["", "a", "a/b"]);
});
