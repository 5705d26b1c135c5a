import { describe, expect, it } from "vitest";
import { security } from "./security.ts";
import { tell } from "./tree.fixture.ts";

// In two pieces each, so that nobody who searches this repository for secrets finds one.
const AWS = `AKIA${"FAKE".repeat(4)}`;
const GITHUB = `ghp_${"Fake".repeat(9)}`;
const KEY = `-----BEGIN RSA ${"PRIVATE"} KEY-----`;
const RANDOM = "f4k3Qz81" + "9xLm2vTb7Yp0";

async function rulesIn(text: string, path = "a.js"): Promise<string[]> {
  return (await tell(security, { [path]: text })).map((line) => line.split(" ").slice(0, 2).join(" "));
}

describe("secrets", () => {
  it.each([
    ["a.md", `x\n\nkey ${AWS} here`, "a.md:3"],
    ["a.txt", `https://user:${GITHUB}@example.com`, "a.txt:1"],
    ["a.pem", `${KEY}\nRkFLRSBGQUtFIEZBS0Ug`, "a.pem:1"],
    ["a.js", `const pem = "${KEY}\\n" +\n  "RkFLRSBGQUtFIEZBS0Ug";`, "a.js:1"],
    ["a.js", `const apiKey = "${RANDOM}";`, "a.js:1"],
    ["a.json", `{\n "db_password": "${RANDOM}"\n}`, "a.json:2"],
    [".env", `A=1\nexport AUTH_TOKEN=${RANDOM}\n`, ".env:2"],
    ["a.yaml", `db:\n  password: ${RANDOM}\n`, "a.yaml:2"],
  ])("tells the one in %s: %s", async (path, text, place) => {
    expect(await rulesIn(text, path)).toEqual([`${place} security/secret`]);
  });

  it("tells one secret once, and never the whole of it", async () => {
    const key = `AKIA1${"2QX3KE4FA5WE6FZ"}`;
    const told = await tell(security, { "a.js": `const accessKey = "${key}";` });
    expect(told).toHaveLength(1);
    expect(told[0]).not.toContain(key.slice(0, 6));
  });

  it.each([
    ["a name in words", 'const tokenName = "the-name-of-the-first-token";'],
    ["what repeats itself", 'const token = "aaaa-1111-aaaa-1111-aaaa";'],
    ["a place", 'const tokenUrl = "https://a1b2.c3d4/e5f6/token7890";'],
    ["a placeholder", 'const password = "xxxx-1234-5678-abcd-efgh";'],
    ["a template", "const token = `${a1}-b2c3d4-e5f6g7h8`;"],
    ["the header that a program looks for", `if (text.includes("${KEY}")) return;`],
    ["the key that the documentation shows", `const key = "AKIA${"IOSFODNN7"}EXAMPLE";`],
    ["something in a longer word", `const x = "abc${AWS}def";`],
    ["another name", `const checksum = "${RANDOM}";`],
  ])("does not take %s for one", async (_what, text) => {
    expect(await rulesIn(text)).toEqual([]);
  });

  it("does not read lock files, which are full of checksums", () => {
    expect(["package-lock.json", "a/yarn.lock", "pnpm-lock.yaml", "Cargo.lock"].filter(security.reads)).toEqual([]);
    expect(["package.json", "clock.js", "a/lock.yaml"].every(security.reads)).toBe(true);
  });
});

describe("dangerous calls", () => {
  it.each([
    ["eval(x)", "eval"],
    ["(0, window.eval)(x)", undefined],
    ["globalThis['eval'](x)", "eval"],
    ["new Function('a', x)", "new-function"],
    ["Function(x)()", "new-function"],
    ["el.innerHTML = x", "inner-html"],
    ["el.outerHTML += `<b>${x}`", "inner-html"],
    ["<b dangerouslySetInnerHTML={{ __html: x }} />", "inner-html"],
    ["setTimeout('x()', 1)", "string-timer"],
    ["window.setInterval(`x(${y})`, 1)", "string-timer"],
    ["setTimeout('x(' + y + ')')", "string-timer"],
    ["import { exec } from 'node:child_process'; exec(x)", "exec"],
    ["import { execSync as run } from 'child_process'; run(`ls ${x}`)", "exec"],
    ["import * as cp from 'child_process'; cp.exec(x)", "exec"],
    ["import cp from 'child_process'; cp.spawn(x, { shell: true })", "exec"],
    ["const { exec: run } = require('child_process'); run('ls ' + x)", "exec"],
    ["require('child_process').execSync(x)", "exec"],
    ["const cp = await import('node:child_process'); cp.exec(x)", "exec"],
    ["const run = util.promisify(require('child_process').exec); run(x)", "exec"],
  ])("judges %s", async (text, kind) => {
    expect(await rulesIn(`\n${text}`)).toEqual(kind === undefined ? [] : [`a.js:2 security/${kind}`]);
  });

  it.each([
    "/x/.exec(y); pattern.exec(y); exec(y)",
    "import { exec } from 'node:child_process'; exec('ls'); exec(`ls`); exec('l' + 's')",
    "import { spawn, execFile } from 'node:child_process'; spawn(x, [y]); execFile(x); spawn(x, { shell: false })",
    "el.innerHTML = ''; el.innerHTML = `<b>` + '</b>'; el.textContent = x; x = el.innerHTML",
    "setTimeout(x, 1); setTimeout(() => x, 1); obj.setTimeout('x')",
    "obj.eval(x); const s = 'eval(x)'; // eval(x)",
    "x instanceof Function; new obj.Function(x)",
  ])("leaves %s alone", async (text) => {
    expect(await rulesIn(text)).toEqual([]);
  });

  it("reads TypeScript too, and says nothing of what it cannot parse", async () => {
    expect(await rulesIn("const x: string = eval(y as string);", "a.ts")).toEqual(["a.ts:1 security/eval"]);
    expect(await rulesIn("eval(x) const", "a.js")).toEqual([]);
    expect(await rulesIn("eval(x)", "a.md")).toEqual([]);
  });
});
