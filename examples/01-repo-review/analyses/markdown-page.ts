import GithubSlugger from "github-slugger";
import { Parser } from "htmlparser2";
import type { Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { frontmatterFromMarkdown } from "mdast-util-frontmatter";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { toString as textOf } from "mdast-util-to-string";
import { frontmatter } from "micromark-extension-frontmatter";
import { gfm } from "micromark-extension-gfm";

export interface Link {
  readonly url: string;
  readonly line: number;
}

/** What a Markdown page points to, and the places in it that others can point to. */
export interface MarkdownPage {
  readonly links: readonly Link[];
  /** As GitHub names its headings, and what HTML gives an id or a name. */
  readonly anchors: ReadonlySet<string>;
}

export function isMarkdown(path: string): boolean {
  return /\.(?:md|markdown)$/i.test(path);
}

/** More than this between two blank lines takes the parser minutes, and was written by no person. */
const MAX_BLOCK = 50_000;
const MAX_EMPHASIS = 5_000;

/** Reads GitHub's Markdown, with the HTML in it; `undefined` for what no parser could read in time. */
export function readMarkdown(text: string): MarkdownPage | undefined {
  for (const block of text.split(/\n[ \t>]*\r?\n/)) {
    if (block.length > MAX_BLOCK || block.replace(/[^*_~]/g, "").length > MAX_EMPHASIS) return undefined;
  }
  try {
    return pageOf(parse(text));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function pageOf(root: Nodes): MarkdownPage {
  const links: Link[] = [];
  const anchors = new Set<string>();
  const slugger = new GithubSlugger();

  // One parser for all the HTML of a page: an element, a heading too, may be closed in another node than it was opened in.
  let heading: string | undefined;
  let piece = { value: "", line: 1, offset: 0 };
  const html = new Parser({
    onopentag(name, attributes) {
      for (const anchor of [attributes.id, attributes.name]) if (anchor) anchors.add(anchor.toLowerCase());
      const url = name === "a" ? attributes.href : name === "img" ? attributes.src : undefined;
      const before = piece.value.slice(0, Math.max(0, html.startIndex - piece.offset));
      if (url) links.push({ url, line: piece.line + before.split("\n").length - 1 });
      if (isHeading(name)) heading = "";
    },
    ontext(content) {
      if (heading !== undefined) heading += content;
    },
    onclosetag(name) {
      if (heading === undefined || !isHeading(name)) return;
      anchors.add(slugger.slug(heading.trim()));
      heading = undefined;
    },
  });

  visit(root, (node) => {
    const line = node.position?.start.line ?? 1;
    if (node.type === "html") {
      piece = { value: node.value, line, offset: piece.offset + piece.value.length };
      html.write(node.value);
    } else if (node.type === "heading") {
      anchors.add(slugger.slug(textOf(node, { includeHtml: false })));
    } else if ("url" in node) {
      links.push({ url: node.url, line });
    } else if (heading !== undefined && "value" in node) {
      heading += node.value;
    }
  });
  return { links, anchors };
}

function isHeading(element: string): boolean {
  return /^h[1-6]$/.test(element);
}

function parse(text: string): Nodes {
  return fromMarkdown(text, {
    extensions: [gfm(), frontmatter(["yaml", "toml"])],
    mdastExtensions: [gfmFromMarkdown(), frontmatterFromMarkdown(["yaml", "toml"])],
  });
}

/** In the order of the text, with its own stack: quotations nest more deeply than calls can. */
function visit(root: Nodes, enter: (node: Nodes) => void): void {
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    enter(node);
    if ("children" in node) for (const child of node.children.toReversed()) stack.push(child);
  }
}
