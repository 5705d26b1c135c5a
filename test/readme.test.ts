/** The README and the other pages say what is true: the example runs, and what they name is there. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import * as alone from "../src/coordination-entry.ts";
import * as whole from "../src/index.ts";
import { readText, root } from "./tidy/source.ts";

const GUIDES = readdirSync(join(root, "docs"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `docs/${name}`);
const PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", ...GUIDES];
const pages = new Map(PAGES.map((page) => [page, readText(page)]));
const readme = readText("README.md");
const manifest: { scripts: Record<string, string> } = JSON.parse(readText("package.json"));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "safeguards-readme-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What stands in the first fence of that language after a heading. */
function fence(heading: string, language: string): string {
  const [, section = ""] = readme.split(`## ${heading}\n`);
  const [, code] = new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, "s").exec(section) ?? [];
  if (code === undefined) throw new Error(`no ${language} under ${heading}`);
  return code;
}

/** Runs Node in the folder, where `safeguards` is this repository's own. */
function node(...argv: readonly string[]): string {
  const hooks = new URL("../src/agents/own-modules.ts", import.meta.url).href;
  const register = `data:text/javascript,import { shareOwnModules } from ${JSON.stringify(hooks)}; shareOwnModules();`;
  return execFileSync(process.execPath, ["--import", register, ...argv], { cwd: folder, encoding: "utf8" });
}

function safeguards(...argv: readonly string[]): string {
  return node(join(root, "src/surfaces/cli/main.ts"), ...argv);
}

test("the example prints what the README says, again and again, and does nothing twice", () => {
  const example = fence("In code", "ts");
  expect(example.trim().split("\n").length).toBeLessThanOrEqual(36);
  writeFileSync(join(folder, "example.ts"), example);
  const printed = fence("In code", "text");
  expect(node("example.ts")).toBe(printed);
  expect(node("example.ts")).toBe(printed);
  const completed = safeguards("events", "--journal", "sqlite:paper.db", "--json")
    .trim()
    .split("\n")
    .map((line): { type: string; taskId: string } => JSON.parse(line))
    .filter(({ type }) => type === "task.completed");
  expect(completed.map(({ taskId }) => taskId).toSorted()).toEqual(["paper", "paper/0", "paper/1", "paper/2"]);
});

test("the crew in YAML runs", () => {
  const crew = fence("What each part is", "yaml");
  expect(parse(crew)).toMatchObject({ name: "sums" });
  writeFileSync(join(folder, "crew.yaml"), crew);
  writeFileSync(
    join(folder, "add.mjs"),
    'import { readFileSync } from "node:fs";\nconst { input } = JSON.parse(readFileSync(0, "utf8"));\nconsole.log(input.a + input.b);\n',
  );
  expect(JSON.parse(safeguards("run", "crew.yaml", "--json"))).toMatchObject({ output: { add: 3 } });
});

/** Programs that are followed by what they print, with nothing but words in between. */
function shown(page: string): { readonly code: string; readonly printed: string }[] {
  const fences = Array.from((pages.get(page) ?? "").matchAll(/```(\w+)\n(.*?)```/gs), ([, language, code = ""]) => ({
    language,
    code,
  }));
  return fences.flatMap(({ language, code }, i) => {
    const next = fences[i + 1];
    return language === "ts" && next?.language === "text" ? [{ code, printed: next.code }] : [];
  });
}

test.each(GUIDES)("%s: every example prints what the page says", (page) => {
  const examples = shown(page);
  expect(examples.length).toBeGreaterThan(0);
  for (const { code, printed } of examples) {
    writeFileSync(join(folder, "guide.ts"), code);
    expect(node("guide.ts")).toBe(printed);
  }
});

test.each(PAGES)("%s: every link that stays in the repository leads somewhere", (page) => {
  const links = Array.from((pages.get(page) ?? "").matchAll(/\]\(([^)#]+)[^)]*\)/g), ([, link = ""]) => link);
  const inside = links.filter((link) => !/^\w+:/.test(link));
  expect(inside.filter((link) => !existsSync(join(root, dirname(page), link)))).toEqual([]);
});

test.each(PAGES)("%s: every file and folder that it names is there", (page) => {
  const named = (pages.get(page) ?? "").matchAll(/`((?:src|test|scripts|examples|schemas|docs|\.ci)\/[\w./-]*)`/g);
  const missing = Array.from(named, ([, path = ""]) => path).filter((path) => !existsSync(join(root, path)));
  // What one is told to add is not there yet.
  expect(missing.filter((path) => !path.includes("NAME"))).toEqual([]);
});

test.each(PAGES)("%s: every script that it names is there", (page) => {
  const named = (pages.get(page) ?? "").matchAll(/npm (?:run )?(start|test|(?<=run )[\w:-]+)/g);
  expect(Array.from(named, ([, script = ""]) => script).filter((script) => !(script in manifest.scripts))).toEqual([]);
});

test("every name of the public API in the tables is there", () => {
  const classes = { ...alone, ...whole };
  const missing = Array.from(readme.matchAll(/`([A-Z]\w+)\.(\w+)`/g))
    .filter(([, owner = ""]) => owner in classes)
    .filter(([, owner = "", member = ""]) => {
      const owning: unknown = Reflect.get(classes, owner);
      return typeof owning !== "function" || !(member in owning.prototype);
    })
    .map(([name]) => name);
  expect(missing).toEqual([]);
  for (const name of ["defineManager", "FederatedDecisions", "tally", "SkillRouter", "ResourceManager", "command"]) {
    expect(classes).toHaveProperty(name);
    expect(readme).toContain(`\`${name}\``);
  }
});

test("every command of the command line that the README names is one", () => {
  const [, row = ""] = /the command line: (.*?);/.exec(readme) ?? [];
  const named = Array.from(row.matchAll(/`(\w+)`/g), ([, command = ""]) => command);
  expect(named.length).toBeGreaterThan(3);
  const help = safeguards("--help");
  expect(named.filter((command) => !new RegExp(`^ {2}${command} `, "m").test(help))).toEqual([]);
});

test("what lands is checked with the very commands of the README", () => {
  const checked = readText(".ci/run");
  for (const command of ["npm ci && npm test", "npm start"]) {
    expect(readme).toContain(command);
    expect(checked).toContain(command);
  }
});
