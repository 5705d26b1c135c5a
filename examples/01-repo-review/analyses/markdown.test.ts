import { describe, expect, it } from "vitest";
import { markdown } from "./markdown.ts";
import { tell } from "./tree.fixture.ts";

const others = { "docs/other.md": "# Some `code` & more\n\n## Twice\n\n## Twice\n", "src/a.ts": "", "logo.png": "" };

async function tellPage(text: string): Promise<string[]> {
  return tell(markdown, { ...others, "docs/page.md": text });
}

describe("links", () => {
  it.each([
    ["[x](missing.md)", "./missing.md".slice(2)],
    ["![x](../missing.png)", "../missing.png"],
    ["[x][y]\n\n[y]: missing.md", "missing.md"],
    ['<a href="missing.md">x</a>', "missing.md"],
    ['<img src="missing.png">', "missing.png"],
    ["[x](<missing file.md>)", "missing file.md"],
    ["[x](missing%20file.md?raw=1#part)", "missing file.md"],
  ])("tells that %s leads nowhere", async (text, target) => {
    const told = await tellPage(text);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(`markdown/broken-link Nothing is at ${target}`);
  });

  it("tells the line of the link, also inside HTML", async () => {
    const told = await tellPage('---\ntitle: x\n---\n\n[x](a.md)\n\n<p>\n  <img src="b.png">\n</p>\n');
    expect(told.map((line) => line.split(" ")[0])).toEqual(["docs/page.md:5", "docs/page.md:8"]);
  });

  it.each([
    "[x](other.md) [x](./other.md) [x](../docs/other.md) [x](../src) [x](../src/a.ts#L3) [x](other) [x](other.html)",
    "[x](https://example.com/a.md) [x](mailto:a@example.com) [x](//example.com) [x](/any/where) [x](../../outside.md)",
    "`[x](missing.md)`\n\n```md\n[x](missing.md)\n```\n\n<!-- [x](missing.md) -->",
    "[x]({{ base }}/a.md) [x](<${base}/a.md>)",
    "![x](../logo.png) [x]() \\[x](missing.md)",
  ])("accepts %s", async (text) => {
    expect(await tellPage(text)).toEqual([]);
  });
});

describe("anchors", () => {
  it.each([
    ["[x](#nothing)", "No heading or anchor in this page is #nothing"],
    ["[x](other.md#nothing)", "No heading or anchor in other.md is #nothing"],
    ["[x](other.md#twice-2)", "No heading or anchor in other.md is #twice-2"],
    ["```\n# Code\n```\n[x](#code)", "No heading or anchor in this page is #code"],
  ])("tells that %s leads nowhere", async (text, message) => {
    expect((await tellPage(text)).map((line) => line.split(" ").slice(2).join(" "))).toEqual([message]);
  });

  it.each([
    "# Über uns!\n[x](#über-uns) [x](#%C3%BCber-uns) [x](#Über-uns) [x](#) [x](#top)",
    "[x](other.md#some-code--more) [x](other.md#twice) [x](other.md#twice-1)",
    'Set\n===\n[x](#set)\n\n<a name="Mark"></a> <b id=bold>x</b> [x](#mark) [x](#bold)',
    "<h2>In <em>HTML</em></h2>\n\n<h3>\n\nOver **several**\n\n</h3>\n\n[x](#in-html) [x](#over-several)",
    "## [A link](other.md) and ![](../logo.png)\n[x](#a-link-and-)",
  ])("finds what %s leads to", async (text) => {
    expect(await tellPage(text)).toEqual([]);
  });
});
