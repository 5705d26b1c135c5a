import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Json } from "../coordination/structures/types.ts";
import type { AgentContext, Task } from "./agent.ts";
import { type CommandOptions, command } from "./command.ts";

const node = process.execPath;
const task: Task = { id: "m/1", input: { n: 1 }, context: ["c"], priority: 5 };

/** As much of a context as programs are given. */
function context(signal: AbortSignal = new AbortController().signal): AgentContext {
  const known: object = { signal, token: 7, attempt: 2, idempotencyKey: "m/1", dependencies: { a: 1 } };
  return known as AgentContext;
}

function script(code: string, options?: CommandOptions, signal?: AbortSignal): Promise<unknown> {
  return command([node, "--eval", code], options)(task, context(signal));
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "safeguards-command-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A process that nobody has waited for is dead all the same.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A program that starts a sleeping child, tells both pids in a file, and then does as `then` says. */
function parent(file: string, then: string): string {
  return `
    const child = require("node:child_process").spawn(process.execPath, ["--eval", "setInterval(() => 0, 1000)"], { stdio: "inherit" });
    require("node:fs").writeFileSync(${JSON.stringify(file)}, JSON.stringify([process.pid, child.pid]));
    ${then}`;
}

async function pidsIn(file: string): Promise<number[]> {
  let pids: number[] = [];
  await until(() => {
    try {
      pids = JSON.parse(readFileSync(file, "utf8"));
      return true;
    } catch {
      return false;
    }
  });
  return pids;
}

describe("a command", () => {
  it("is taken to spend what its task costs as it starts, and does not start where that is refused", async () => {
    const file = join(newFolder(), "ran");
    const run = command([node, "--eval", `require("node:fs").writeFileSync(${JSON.stringify(file)}, "")`]);
    const isThere = () => existsSync(file);
    const told: unknown[] = [];
    const spend = async (...spent: unknown[]) => {
      told.push([...spent, isThere()]);
      if (told.length === 1) throw new Error("nothing is left");
    };
    const ctx: AgentContext = { ...context(), budget: { spend } };
    await expect(run({ ...task, cost: "0.25" }, ctx)).rejects.toThrow("nothing is left");
    expect(isThere()).toBe(false);
    await run({ ...task, cost: "0.25" }, ctx);
    expect(told).toEqual(Array.from({ length: 2 }, () => ["0.25", node, false]));
    await run(task, ctx);
    expect([told.length, isThere()]).toEqual([2, true]);
  });

  it("does not start when it is stopped while its cost is spent", async () => {
    const file = join(newFolder(), "ran");
    const stop = new AbortController();
    const ctx: AgentContext = { ...context(stop.signal), budget: { spend: async () => stop.abort(new Error("stop")) } };
    const run = command([node, "--eval", `require("node:fs").writeFileSync(${JSON.stringify(file)}, "")`]);
    await expect(run({ ...task, cost: "1" }, ctx)).rejects.toThrow("stop");
    expect(existsSync(file)).toBe(false);
  });

  it("gets its task as JSON on stdin, and gives what it prints", async () => {
    const output = await script("process.stdin.pipe(process.stdout)");
    expect(output).toEqual({
      task: { id: "m/1", priority: 5 },
      input: { n: 1 },
      context: ["c"],
      dependencies: { a: 1 },
      attempt: 2,
      token: 7,
      idempotencyKey: "m/1",
    });
  });

  it("gives text when asked so, null for nothing, and fails when it prints no JSON", async () => {
    expect(await script('console.log("  héllo ")', { output: "text" })).toBe("  héllo ");
    expect(await script("")).toBeNull();
    await expect(script('console.log("oops")')).rejects.toMatchObject({
      code: "TASK_FAILED",
      retryable: false,
      message: expect.stringContaining("not JSON"),
    });
  });

  it("may ignore its stdin, however much there is", async () => {
    const large: Task = { ...task, input: "x".repeat(900_000) };
    expect(await command([node, "--eval", "console.log(1)"])(large, context())).toBe(1);
  });

  it.each([
    [
      "75 is worth another attempt",
      "console.error('busy'); process.exit(75)",
      { retryable: true, message: /exit code 75: busy$/ },
    ],
    ["1 is for good", "console.error('bad'); process.exit(1)", { retryable: false, message: /exit code 1: bad$/ }],
    [
      "a signal is for good",
      "process.kill(process.pid, 'SIGKILL')",
      { retryable: false, message: /killed by SIGKILL/ },
    ],
  ])("fails by how it ends: %s", async (_, code, expected) => {
    await expect(script(code)).rejects.toMatchObject({
      code: "TASK_FAILED",
      retryable: expected.retryable,
      message: expect.stringMatching(expected.message),
    });
  });

  it("tells the end of what it complained about", async () => {
    const error = await script("for (let i = 0; i < 5000; i++) console.error('line', i); process.exitCode = 1").catch(
      (e: unknown) => e,
    );
    const message = String(Reflect.get(Object(error), "message"));
    expect(message.endsWith("line 4999")).toBe(true);
    expect(message.length).toBeLessThan(2_500);
  });

  it("sees no more of the environment than it is allowed to", async () => {
    process.env.SAFEGUARDS_SECRET = "hush";
    process.env.LC_ALL = "C";
    const env = await script("console.log(JSON.stringify(process.env))", { env: { EXTRA: "1", TZ: "Asia/Tokyo" } });
    delete process.env.SAFEGUARDS_SECRET;
    expect(env).toMatchObject({ PATH: process.env.PATH, LC_ALL: "C", EXTRA: "1", TZ: "Asia/Tokyo" });
    const allowed = /^(PATH|HOME|LANG|LC_.*|TMPDIR|TZ|EXTRA|__CF_USER_TEXT_ENCODING)$/;
    expect(Object.keys(Object(env)).filter((name) => !allowed.test(name))).toEqual([]);
  });

  it("passes its arguments on as they are: there is no shell", async () => {
    const argv = ["$HOME", "`id`", "; echo 1", "* ?", "-x"] as const;
    const printed = await command([
      node,
      "--eval",
      "console.log(JSON.stringify(process.argv.slice(1)))",
      "--",
      ...argv,
    ])(task, context());
    expect(printed).toEqual(argv);
  });

  it("runs where it is told to", async () => {
    const cwd = newFolder();
    writeFileSync(join(cwd, "data.json"), "[1, 2]");
    expect(await script('console.log(require("node:fs").readFileSync("data.json", "utf8"))', { cwd })).toEqual([1, 2]);
  });

  it("is killed when it prints too much", async () => {
    const endless = "const x = 'x'.repeat(65536); (function more() { process.stdout.write(x, more); })()";
    await expect(script(endless, { maxOutputBytes: 100_000 })).rejects.toMatchObject({
      message: expect.stringContaining("more than 100000 bytes"),
      retryable: false,
    });
  });

  it("that is not there is named", async () => {
    await expect(command(["no-such-program-here"])(task, context())).rejects.toMatchObject({
      code: "TASK_FAILED",
      retryable: false,
      message: '"no-such-program-here" could not be started: there is no such program',
      cause: { code: "ENOENT" },
    });
    await expect(script("1", { cwd: join(newFolder(), "nowhere") })).rejects.toMatchObject({
      message: expect.stringContaining("nowhere"),
    });
  });

  it("is not started when its attempt is to stop already", async () => {
    const reason = new Error("stop");
    await expect(script("1", {}, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

describe("stopping a command", () => {
  it("ends it and all that it started", async () => {
    const file = join(newFolder(), "pids");
    const controller = new AbortController();
    const run = script(parent(file, "setInterval(() => 0, 1000)"), {}, controller.signal).catch(
      (error: unknown) => error,
    );
    const pids = await pidsIn(file);
    expect(pids.every(isAlive)).toBe(true);
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await run).toBe(reason);
    await until(() => !pids.some(isAlive));
  });

  it("kills what does not listen", async () => {
    const file = join(newFolder(), "pids");
    const controller = new AbortController();
    const deaf = parent(file, "process.on('SIGTERM', () => 0); setInterval(() => 0, 1000)");
    const run = script(deaf, {}, controller.signal).catch((error: unknown) => error);
    const pids = await pidsIn(file);
    controller.abort("enough");
    expect(await run).toBe("enough");
    await until(() => !pids.some(isAlive));
  });

  it("is what happens to what one leaves running when it ends", async () => {
    const file = join(newFolder(), "pids");
    expect(await script(parent(file, "console.log('[1]'); process.exit(0)"))).toEqual([1]);
    const pids = await pidsIn(file);
    await until(() => !pids.some(isAlive));
  });
});

describe("options", () => {
  it.each<[string, unknown, unknown]>([
    ["no program", [], {}],
    ["no list", "ls -l", {}],
    ["no strings", ["ls", 1], {}],
    ["a zero byte", ["ls", "a\0b"], {}],
    ["an unknown key", ["ls"], { shell: true }],
    ["a wrong output", ["ls"], { output: "xml" }],
    ["a wrong limit", ["ls"], { maxOutputBytes: 0 }],
    ["a wrong environment", ["ls"], { env: { A: 1 } }],
    ["a wrong folder", ["ls"], { cwd: 7 }],
  ])("are refused when they are wrong: %s", (_, argv, options) => {
    expect(() => command(argv as [string], options as Json as CommandOptions)).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });
});
