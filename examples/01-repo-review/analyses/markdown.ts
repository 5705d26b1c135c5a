import { posix } from "node:path";
import type { Finding } from "../findings.ts";
import { folderOf, type SourceFile, type Tree } from "../tree.ts";
import type { Analysis } from "./analysis.ts";
import { isMarkdown, type MarkdownPage, readMarkdown } from "./markdown-page.ts";

/** Links to files that are not there, and to headings that are not there. */
export const markdown: Analysis = {
  reads: isMarkdown,
  async analyse(file: SourceFile, tree: Tree): Promise<Finding[]> {
    const page = readMarkdown(file.text);
    if (page === undefined) {
      const message = "A paragraph is too long, or nested too deeply, to be read";
      return [{ severity: "info", rule: "markdown/unreadable", file: file.path, line: 1, message }];
    }
    const findings: Finding[] = [];
    for (const { url, line } of page.links) {
      const fault = await judge(url, page, file.path, tree);
      if (fault !== undefined) findings.push({ severity: "warning", file: file.path, line, ...fault });
    }
    return findings;
  },
};

async function judge(
  url: string,
  page: MarkdownPage,
  from: string,
  tree: Tree,
): Promise<Pick<Finding, "rule" | "message"> | undefined> {
  if (isElsewhere(url)) return undefined;
  const [before = "", fragment = ""] = url.split("#", 2).map(decode);
  const path = before.replace(/\?.*$/, "");
  const target = posix.join(folderOf(from), path);
  if (target.startsWith("../")) return undefined;
  if (path !== "" && !(await existsAsPage(target, tree))) {
    return { rule: "markdown/broken-link", message: `Nothing is at ${path}` };
  }
  const anchors = path === "" ? page.anchors : await anchorsOf(target, tree);
  const anchor = fragment.toLowerCase().replace(/^user-content-/, "");
  if (anchor === "" || anchor === "top" || anchors === undefined || anchors.has(anchor)) return undefined;
  return { rule: "markdown/broken-anchor", message: `No heading or anchor in ${path || "this page"} is #${fragment}` };
}

/** Another place on the net, a path that only whoever serves the page can resolve, or a blank in a template. */
function isElsewhere(url: string): boolean {
  return /^(?:[a-z][a-z\d+.-]*:|\/)|[{}<>$]/i.test(url);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Some sites leave a page's ending out, or turn it into `.html`. */
async function existsAsPage(target: string, tree: Tree): Promise<boolean> {
  const page = `${target.replace(/\.html$/, "")}.md`;
  return (await tree.exists(target)) || (await tree.exists(page));
}

/** Pages that were read for their anchors: many links lead to the same few. */
const anchorsByTree = new WeakMap<Tree, Map<string, Promise<ReadonlySet<string> | undefined>>>();

/** `undefined` for what is no Markdown page. */
function anchorsOf(path: string, tree: Tree): Promise<ReadonlySet<string> | undefined> {
  const known = anchorsByTree.get(tree) ?? new Map<string, Promise<ReadonlySet<string> | undefined>>();
  anchorsByTree.set(tree, known);
  const anchors = known.get(path) ?? readAnchors(path, tree);
  known.set(path, anchors);
  return anchors;
}

async function readAnchors(path: string, tree: Tree): Promise<ReadonlySet<string> | undefined> {
  const text = isMarkdown(path) ? await tree.read(path) : undefined;
  return text === undefined ? undefined : readMarkdown(text)?.anchors;
}
