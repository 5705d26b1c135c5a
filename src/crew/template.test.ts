import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "../coordination/structures/types.ts";
import { checkTemplate, fill, fillText } from "./template.ts";

const env = { HOME: "/srv/a" };
const input: Json = { path: "src", deep: { list: [1, { x: null }] }, "with-dash": true, nested: "{{ env.HOME }}" };

test("a string that is one template becomes the value itself, whatever it is", () => {
  expect(fillText("{{ input }}", { input, env })).toEqual(input);
  expect(fillText("{{input.deep.list.1}}", { input, env })).toEqual({ x: null });
  expect(fillText("{{ input.with-dash }}", { input, env })).toBe(true);
});

test("inside other text only text, numbers and flags can be put", () => {
  expect(fillText("in {{ input.path }}, {{ input.deep.list.0 }} of {{ env.HOME }}", { input, env })).toBe(
    "in src, 1 of /srv/a",
  );
  expect(() => fillText("in {{ input.deep }}", { input, env })).toThrow(
    "inside other text — text, a number, true or false",
  );
});

test("what is filled in is never filled in again", () => {
  expect(fillText("{{ input.nested }}", { input, env })).toBe("{{ env.HOME }}");
});

test("all strings of a value are filled in, its keys never", () => {
  expect(fill({ "{{ env.HOME }}": ["{{ env.HOME }}", 1, null] }, { env })).toEqual({
    "{{ env.HOME }}": ["/srv/a", 1, null],
  });
});

test("what is not there is refused by name, and nothing is inherited", () => {
  const refused = (text: string): void =>
    expect(() => fillText(text, { input, env })).toThrow(/it has no|the environment has no/);
  for (const text of [
    "{{ input.none }}",
    "{{ input.path.length }}",
    "{{ input.deep.list.length }}",
    "{{ input.deep.list.7 }}",
  ])
    refused(text);
  for (const text of ["{{ input.constructor }}", "{{ input.__proto__ }}", "{{ env.NONE }}"]) refused(text);
  expect(() => fillText("{{ input.x }}", { env })).toThrow("names an input where there is none");
});

test("no other templating is understood", () => {
  for (const text of [
    "{{ output.x }}",
    "{{ input.x | upper }}",
    "{{ input[0] }}",
    "{{}}",
    "a {{ input.x",
    "{{ {{ input.x }} }}",
    "{{ env.A.B }}",
  ]) {
    expect(() => checkTemplate(text, env)).toThrow("the template");
  }
});

test("text without templates is left as it is", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!text.includes("{{"));
      expect(fillText(text, { env })).toBe(text);
    }),
  );
});
