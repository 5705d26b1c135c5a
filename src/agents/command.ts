/**
 * Agents that are programs: JSON on stdin, the output on stdout, no shell.
 *
 * 1. A program runs in a process group of its own; whatever is left of the group when its attempt is over is killed.
 * 2. It sees no more of this process's environment than {@link ALLOWED} names.
 * 3. No more than `maxOutputBytes` of its stdout and {@link STDERR_BYTES} of its stderr are ever kept.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { checkInteger, invalid, show } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import { runtimeLimits } from "../runtime/limits.ts";
import { checkOptional, checkOptions } from "../runtime/options.ts";
import type { AgentContext, Task } from "./agent.ts";

/** How a {@link command} is run. */
export interface CommandOptions {
  /** Working directory. Default: this process's. */
  readonly cwd?: string;
  /** Variables besides PATH, HOME, LANG, LC_*, TMPDIR and TZ, or instead of them. */
  readonly env?: Readonly<Record<string, string>>;
  /** `"json"`: stdout is one JSON value, nothing is null. `"text"`: it is a string, without its last newline. Default: `"json"`. */
  readonly output?: "json" | "text";
  /** More than this on stdout kills and fails it. Default and most: 16 000 000. */
  readonly maxOutputBytes?: number;
}

const KEYS = { known: ["cwd", "env", "output", "maxOutputBytes"] };
const ALLOWED: ReadonlySet<string> = new Set(["PATH", "HOME", "LANG", "TMPDIR", "TZ"]);
/** Exit code for a failure that is worth another attempt (EX_TEMPFAIL of sysexits.h). */
const RETRYABLE_EXIT = 75;
/** Milliseconds between SIGTERM and SIGKILL. */
const KILL_AFTER_MS = 1_000;
/** What starting fails with when the machine lacks processes, files or memory just now. */
const SCARCE: ReadonlySet<string> = new Set(["EAGAIN", "EMFILE", "ENFILE", "ENOMEM"]);
/** How much of the end of stderr is kept for the error. */
const STDERR_BYTES = 2_048;

/** Groups of programs that run now: none outlives this process's orderly end. */
const groups = new Set<number>();

/**
 * The `run` of an agent whose work is done by a program. It gets `{ task, input, context, dependencies, attempt, token,
 * idempotencyKey }` as JSON on stdin and prints its output on stdout. Exit code 0 is success, 75 a failure worth trying
 * again, anything else a failure for good, with the end of stderr in its message. It has no way to say what it spent: each
 * attempt is taken to spend the task's `cost` as it starts. When the attempt is aborted the
 * program and all that it started get SIGTERM, and SIGKILL a second later. `INVALID_ARGUMENT` for options of wrong shape.
 *
 * @example
 * ```ts
 * import { command, defineAgent } from "safeguards";
 * const linter = defineAgent({
 *   name: "linter",
 *   run: command(["node", "tools/lint.mjs"], { env: { FORCE_COLOR: "0" } }),
 * });
 * ```
 */
export function command(
  argv: readonly [string, ...string[]],
  options: CommandOptions = {},
): (task: Task, ctx: AgentContext) => Promise<Json> {
  const [program, ...args] = checkArgv(argv);
  checkOptions(options, KEYS, "a command's options");
  const { cwd, env = {}, output = "json", maxOutputBytes = runtimeLimits.outputBytes } = options;
  checkOptional(cwd, "string", "cwd of a command");
  if (output !== "json" && output !== "text") throw invalid("output of a command", output, '"json" or "text"');
  checkInteger(maxOutputBytes, "maxOutputBytes of a command", 1, runtimeLimits.outputBytes);
  const given = checkEnvironment(env);
  return async (task, ctx) => {
    ctx.signal.throwIfAborted();
    // It cannot say what it spends: all that it was thought to cost is spent before it starts.
    if (task.cost !== undefined) {
      await ctx.budget.spend(task.cost, program);
      ctx.signal.throwIfAborted();
    }
    const stdout = await run({
      program,
      args,
      cwd,
      env: { ...allowedEnvironment(), ...given },
      stdin: JSON.stringify(describe(task, ctx)),
      maxOutputBytes,
      signal: ctx.signal,
    });
    return output === "text" ? stdout.replace(/\r?\n$/, "") : parse(stdout, program);
  };
}

/** What the program is told. */
function describe({ input, context, ...task }: Task, ctx: AgentContext): object {
  const { dependencies, attempt, token, idempotencyKey } = ctx;
  return { task, input, context, dependencies, attempt, token, idempotencyKey };
}

function parse(stdout: string, program: string): Json {
  if (stdout.trim() === "") return null;
  try {
    return JSON.parse(stdout);
  } catch (cause) {
    throw failure(`${show(program)} printed ${show(stdout)}, which is not JSON`, { cause });
  }
}

interface Run {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Record<string, string>;
  readonly stdin: string;
  readonly maxOutputBytes: number;
  readonly signal: AbortSignal;
}

/** Runs it to its end and gives what it printed. */
function run({ program, args, cwd, env, stdin, maxOutputBytes, signal }: Run): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(program, args, { cwd, env, shell: false, detached: true, windowsHide: true });
  const printed: Buffer[] = [];
  let printedBytes = 0;
  let complained: Buffer = Buffer.alloc(0);
  let stopped: unknown;
  let killing: NodeJS.Timeout | undefined;

  child.on("error", (error) => {
    finish();
    reject(notStarted(error, program, cwd));
  });
  if (child.pid === undefined) return promise;
  enlist(child.pid);
  signal.addEventListener("abort", stop, { once: true });
  // A program need not read what it is told: EPIPE is no failure.
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  child.stdout.on("data", (chunk: Buffer) => {
    printedBytes += chunk.byteLength;
    if (printedBytes <= maxOutputBytes) printed.push(chunk);
    else if (stopped === undefined) {
      stopped = failure(`${show(program)} printed more than ${maxOutputBytes} bytes and was killed`);
      signalGroup(child, "SIGKILL");
    }
  });
  child.stderr.on("data", (chunk: Buffer) => {
    complained = Buffer.concat([complained, chunk.subarray(-STDERR_BYTES)]).subarray(-STDERR_BYTES);
  });
  // What it leaves running would keep its pipes open and its name in the books.
  child.on("exit", () => signalGroup(child, "SIGKILL"));
  child.on("close", (code, killedBy) => {
    finish();
    if (stopped !== undefined) reject(stopped);
    else if (code === 0) resolve(Buffer.concat(printed).toString("utf8"));
    else reject(exitFailure(program, code, killedBy, complained.toString("utf8").trim()));
  });
  return promise;

  function stop(): void {
    stopped ??= signal.reason ?? failure(`${show(program)} was stopped`);
    signalGroup(child, "SIGTERM");
    killing = setTimeout(() => signalGroup(child, "SIGKILL"), KILL_AFTER_MS);
  }

  function finish(): void {
    clearTimeout(killing);
    signal.removeEventListener("abort", stop);
    if (child.pid !== undefined) dismiss(child.pid);
  }
}

/** Sends a signal to the program and all that it started; those that are gone already are no failure. */
function signalGroup(child: ChildProcess, name: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  if (process.platform === "win32") child.kill(name);
  else killGroup(child.pid, name);
}

function killGroup(group: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(-group, name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && (error.code === "ESRCH" || error.code === "EPERM"))) throw error;
  }
}

function enlist(group: number): void {
  if (groups.size === 0) process.on("exit", killAll);
  groups.add(group);
}

function dismiss(group: number): void {
  groups.delete(group);
  if (groups.size === 0) process.off("exit", killAll);
}

function killAll(): void {
  for (const group of groups) killGroup(group, "SIGKILL");
}

function failure(
  message: string,
  options: { retryable?: boolean; details?: Record<string, unknown>; cause?: unknown } = {},
): SafeguardsError {
  return new SafeguardsError("TASK_FAILED", message, { retryable: false, ...options });
}

function notStarted(error: Error, program: string, cwd: string | undefined): SafeguardsError {
  const code = "code" in error ? String(error.code) : "";
  const where = cwd === undefined ? "" : ` (in ${show(cwd)}, if that is a directory)`;
  const why = code === "ENOENT" ? "there is no such program" : error.message;
  return failure(`${show(program)} could not be started${where}: ${why}`, {
    retryable: SCARCE.has(code),
    cause: error,
  });
}

function exitFailure(program: string, code: number | null, killedBy: string | null, stderr: string): SafeguardsError {
  const how = code === null ? `was killed by ${killedBy}` : `ended with exit code ${code}`;
  return failure(stderr === "" ? `${show(program)} ${how}` : `${show(program)} ${how}: ${stderr}`, {
    retryable: code === RETRYABLE_EXIT,
    details: { exitCode: code, signal: killedBy, stderr },
  });
}

function allowedEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && (ALLOWED.has(name) || name.startsWith("LC_"))) env[name] = value;
  }
  return env;
}

function checkArgv(argv: unknown): [string, ...string[]] {
  const allowed = "a list of a program and its arguments, strings without zero bytes";
  if (!Array.isArray(argv)) throw invalid("a command", argv, allowed);
  const [program, ...args] = argv.map((part: unknown) => {
    if (typeof part === "string" && !part.includes("\0")) return part;
    throw invalid("a command", argv, allowed);
  });
  if (program === undefined || program === "") throw invalid("a command", argv, allowed);
  return [program, ...args];
}

function checkEnvironment(env: unknown): Record<string, string> {
  if (typeof env !== "object" || env === null) throw invalid("env of a command", env, "an object of strings");
  const copy: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (typeof value !== "string" || value.includes("\0") || name === "" || name.includes("=") || name.includes("\0")) {
      throw invalid("env of a command", env, "an object of strings");
    }
    copy[name] = value;
  }
  return copy;
}
