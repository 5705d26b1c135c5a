import GithubSlugger from "github-slugger";
import { Parser } from "htmlparser2";
import type { Html, Nodes } from "mdast";
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

/** Reads GitHub's Markdown, with the HTML in it. */
export function readMarkdown(text: string): MarkdownPage {
  const links: Link[] = [];
  const anchors = new Set<string>();
  const slugger = new GithubSlugger();
  /** The text so far of an HTML heading that is still open; it may reach over several Markdown nodes. */
  let htmlHeading: string | undefined;

  function readHtml({ value, position }: Html): void {
    const parser = new Parser({
      onopentag(name, attributes) {
        for (const anchor of [attributes.id, attributes.name]) if (anchor) anchors.add(anchor.toLowerCase());
        const url = name === "a" ? attributes.href : name === "img" ? attributes.src : undefined;
        const line = (position?.start.line ?? 1) + value.slice(0, parser.startIndex).split("\n").length - 1;
        if (url) links.push({ url, line });
        if (/^h[1-6]$/.test(name)) htmlHeading = "";
      },
      ontext(content) {
        if (htmlHeading !== undefined) htmlHeading += content;
      },
      onclosetag(name, implied) {
        if (implied || htmlHeading === undefined || !/^h[1-6]$/.test(name)) return;
        anchors.add(slugger.slug(htmlHeading.trim()));
        htmlHeading = undefined;
      },
    });
    parser.end(value);
  }

  visit(parse(text), (node) => {
    const line = node.position?.start.line ?? 1;
    if (node.type === "link" || node.type === "image" || node.type === "definition")
      links.push({ url: node.url, line });
    else if (node.type === "heading") anchors.add(slugger.slug(textOf(node, { includeHtml: false })));
    else if (node.type === "html") readHtml(node);
    else if (htmlHeading !== undefined && "value" in node) htmlHeading += node.value;
  });
  return { links, anchors };
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
    if ("children" in node) stack.push(...node.children.toReversed());
  }
}
