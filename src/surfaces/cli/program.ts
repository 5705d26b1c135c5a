/** The command line as a whole: what is asked for, and what an error makes of the exit code. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { type ErrorCode, isSafeguardsError } from "../../errors.ts";
import { COMMANDS } from "./commands.ts";
import { Terminal } from "./terminal.ts";

/** What the one who typed the command can put right. */
const BAD_USAGE: ReadonlySet<ErrorCode> = new Set([
  "INVALID_ARGUMENT",
  "INVALID_STATE",
  "UNKNOWN_TASK",
  "UNKNOWN_AGENT",
  "JOURNAL_LOCKED",
]);

/** Does what the arguments say, and gives the exit code: 0 all well, 1 something failed, 2 bad usage or a bad crew. */
export async function main(argv: readonly string[], process: NodeJS.Process): Promise<number> {
  const terminal = new Terminal(process);
  let exitCode = 0;
  const program = programOf(terminal, (code) => {
    exitCode = code;
  });
  // Whoever reads only the first lines of what is written has what was wanted.
  terminal.out.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCode);
    throw error;
  });
  try {
    await program.parseAsync([...argv], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!isSafeguardsError(error)) throw error;
    if (argv.includes("--json")) terminal.json({ error: { code: error.code, message: error.message } });
    terminal.complain(`safeguards: ${error.message}`);
    return BAD_USAGE.has(error.code) ? 2 : 1;
  }
}

function programOf(terminal: Terminal, ended: (code: number) => void): Command {
  const program = new Command("safeguards")
    .description("Runs a crew of agents: who does which task, when, with which resources, and why.")
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
    })
    .showHelpAfterError("(--help tells how)")
    .addHelpText("after", example("safeguards run crew.yaml"));
  for (const entry of COMMANDS) {
    const command = program.command(entry.usage).description(entry.says).addHelpText("after", example(entry.example));
    for (const [flags, says] of entry.options) command.option(flags, says);
    command.action(async () => {
      const [subject = "", ...rest] = command.args;
      ended(await entry.run({ subject, rest, options: command.opts() }, terminal));
    });
  }
  return program;
}

function example(line: string): string {
  return `\nExample:\n  $ ${line}`;
}

function version(): string {
  const manifest: { version: string } = JSON.parse(
    readFileSync(new URL("../../../package.json", import.meta.url), "utf8"),
  );
  return manifest.version;
}
