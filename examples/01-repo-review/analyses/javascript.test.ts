import { describe, expect, it } from "vitest";
import { javascript } from "./javascript.ts";
import { tell } from "./tree.fixture.ts";

const decisions = (count: number): string => "if (x) y();\n".repeat(count);

describe("syntax", () => {
  it.each([
    ["a.js", "let x = 1;\nlet x = 2;", "a.js:2 javascript/syntax Identifier 'x' has already been declared."],
    ["a.ts", "const x: = 1;", "a.ts:1 javascript/syntax Unexpected token"],
    ["a.jsx", "\n\nconst x = <b></i>;", "a.jsx:3 javascript/syntax Expected corresponding JSX closing tag for <b>."],
  ])("tells an error in %s with its line", async (path, text, told) => {
    expect(await tell(javascript, { [path]: text })).toEqual([told]);
  });

  it("tells the first error of a file, as whoever runs it would", async () => {
    expect(await tell(javascript, { "a.js": "let x;\nlet x;\n\nlet y; let y;" })).toHaveLength(1);
  });

  it.each([
    ["a.cjs", "return require('x');"],
    ["a.js", "#!/usr/bin/env node\nwith (x) y;"],
    ["a.mjs", "await import('x', { with: { type: 'json' } }); using y = z;"],
    ["a.js", "const x = <A b={1} {...c} />;"],
    ["a.js", "// @flow\ntype A = {| b: ?number |};"],
    ["a.tsx", "const f = <T,>(x: T) => <b>{x satisfies T}</b>;"],
    ["a.cts", "import x = require('x'); export = x;"],
    ["a.ts", "@d class A { @e accessor f = 1 } enum B { C } namespace D { }"],
    ["a.d.ts", "import * as x from 'x'; declare global { var x: 1 }"],
    ["a.d.ts", "declare var debug: debug.Debug; declare namespace debug { type Debug = 1 } export = debug;"],
  ])("accepts what %s may hold: %s", async (path, text) => {
    expect(await tell(javascript, { [path]: text })).toEqual([]);
  });
});

describe("complexity", () => {
  it("counts decisions, and one for the function", async () => {
    expect(await tell(javascript, { "a.js": `function f() {\n${decisions(19)}}` })).toEqual([]);
    expect(await tell(javascript, { "a.js": `\nfunction f() {\n${decisions(20)}}` })).toEqual([
      "a.js:2 javascript/complexity f has a cyclomatic complexity of 21 (at most 20)",
    ]);
  });

  it.each([
    "if (x) y;",
    "x ? y : z;",
    "for (;;) x;",
    "for (x in y) z;",
    "for (x of y) z;",
    "while (x) y;",
    "do x; while (y);",
    "switch (x) { case 1: default: }",
    "try {} catch {}",
    "x && y;",
    "x || y;",
    "x ?? y;",
    "x ??= y;",
  ])("counts %s once", async (decision) => {
    const [told] = await tell(javascript, { "a.js": `() => {${`${decision}\n`.repeat(30)}}` });
    expect(told).toContain("complexity of 31");
  });

  it("does not count what a function inside does", async () => {
    const inner = `function inner() {\n${decisions(15)}}`;
    expect(await tell(javascript, { "a.js": `function outer() {\n${decisions(15)}${inner}}` })).toEqual([]);
  });

  it.each([
    ["const name = () => {", "};", "name"],
    ["class A { name() {", "}}", "name"],
    ["class A { #name() {", "}}", "#name"],
    ["x = { name() {", "}}", "name"],
    ["x = { name: async function () {", "}}", "name"],
    ["module.exports.name = function () {", "}", "name"],
    ["export default () => {", "}", "an anonymous function"],
    ["class A { [x]() {", "}}", "a computed method"],
  ])("names the function of %s", async (before, after, name) => {
    const [told] = await tell(javascript, { "a.js": `${before}\n${decisions(20)}${after}` });
    expect(told).toContain(` ${name} has a `);
  });

  it("leaves alone what a minifier squeezed", async () => {
    const text = `function f(){${"if(x)y();".repeat(100)}}`;
    expect(await tell(javascript, { "a.js": text, "b.min.js": text.replaceAll(";", ";\n") })).toEqual([]);
  });
});
