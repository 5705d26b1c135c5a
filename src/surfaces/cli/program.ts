/** The commands, their options, and what an error makes of the exit code. A command's own code is loaded when it is asked for. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { type ErrorCode, isSafeguardsError } from "../../errors.ts";
import { Terminal } from "./terminal.ts";

/** What the one who typed the command can put right. */
const BAD_USAGE: ReadonlySet<ErrorCode> = new Set([
  "INVALID_ARGUMENT",
  "INVALID_STATE",
  "UNKNOWN_TASK",
  "UNKNOWN_AGENT",
  "JOURNAL_LOCKED",
]);

const JOURNAL = "--journal <url>";
const JOURNAL_SAYS = "sqlite:PATH (default: the only .safeguards/*.db here)";
const JSON_SAYS = "for a program";

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

  program
    .command("run <crew>")
    .description("run a crew to its end, or go on where the last run of it stood")
    .option(JOURNAL, "where it is kept (default: sqlite:.safeguards/<crew name>.db)")
    .option("--input <json>", "what the run is given: JSON, or @ and a file of it")
    .option("--json", "print one object at the end, and nothing else")
    .option("--quiet", "print the crew's output and what failed, and nothing else")
    .option("--plain", "lines of a log, also on a terminal")
    .option("--new", "cancel a run that has not ended, and begin another")
    .addHelpText("after", example('safeguards run crew.yaml --input \'{"folder":"src"}\''))
    .action(async (crew, options) => {
      const { runCommand } = await import("./commands/run.ts");
      ended(await runCommand(crew, options, terminal));
    });

  program
    .command("check <crew>")
    .description("tell everything that is wrong with a crew file, with line and column")
    .option("--input <json>", "try its templates with this: JSON, or @ and a file of it")
    .option("--json", JSON_SAYS)
    .addHelpText("after", example("safeguards check crew.yaml"))
    .action(async (crew, options) => {
      const { checkCommand } = await import("./commands/check.ts");
      ended(await checkCommand(crew, options, terminal));
    });

  program
    .command("status")
    .description("where the runs stand, and what agents and resources do")
    .option(JOURNAL, JOURNAL_SAYS)
    .option("--json", JSON_SAYS)
    .addHelpText("after", example("safeguards status"))
    .action(async (options) => {
      const { statusCommand } = await import("./commands/status.ts");
      ended(await statusCommand(options, terminal));
    });

  program
    .command("tasks")
    .description("list tasks, in the order in which they were submitted")
    .option(JOURNAL, JOURNAL_SAYS)
    .option(
      "--status <status>",
      "only those: blocked, pending, running, waiting, paused, completed, failed, skipped, cancelled",
    )
    .option("--agent <name>", "only those that it did last")
    .option("--run <id>", "only those of this run")
    .option("--after <task>", "only those submitted after this one")
    .option("--limit <number>", "at most so many (default: 100)")
    .option("--json", JSON_SAYS)
    .addHelpText("after", example("safeguards tasks --status failed --run r2"))
    .action(async (options) => {
      const { tasksCommand } = await import("./commands/tasks.ts");
      ended(await tasksCommand(options, terminal));
    });

  program
    .command("events")
    .description("what happened, one event a line")
    .option(JOURNAL, JOURNAL_SAYS)
    .option("--from <seq>", "from this event on (default: 1)")
    .option("--follow", "go on with what is to come, until Ctrl-C")
    .option("--json", "one JSON object a line")
    .addHelpText("after", example("safeguards events --follow --json"))
    .action(async (options) => {
      const { eventsCommand } = await import("./commands/events.ts");
      ended(await eventsCommand(options, terminal));
    });

  program
    .command("explain <task>")
    .description("why a task runs, waits or ended; the end of an id in the latest run is enough")
    .option(JOURNAL, JOURNAL_SAYS)
    .option("--json", JSON_SAYS)
    .addHelpText("after", example("safeguards explain review/check"))
    .action(async (task, options) => {
      const { explainCommand } = await import("./commands/explain.ts");
      ended(await explainCommand(task, options, terminal));
    });

  program
    .command("cancel <task>")
    .description("cancel a task and all below it, or a whole run by its id")
    .option(JOURNAL, JOURNAL_SAYS)
    .option("--reason <text>", "why, for the log")
    .option("--json", JSON_SAYS)
    .addHelpText("after", example("safeguards cancel r2"))
    .action(async (task, options) => {
      const { cancelCommand } = await import("./commands/cancel.ts");
      ended(await cancelCommand(task, options, terminal));
    });

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
