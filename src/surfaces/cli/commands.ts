/** The commands: how each is written, what it is for, and an example. Its code is loaded when it is asked for. */
import type { OptionValues } from "commander";
import type { Terminal } from "./terminal.ts";

/** What was typed, once it is known to be well formed. */
export interface Asked {
  /** What it is about; empty where the command is about nothing. */
  readonly subject: string;
  /** What was typed after that. */
  readonly rest: readonly string[];
  /** By name: what the flags say that there is. */
  readonly options: OptionValues;
}

export interface CommandEntry {
  /** Its name, and what it is about, if anything. */
  readonly usage: string;
  readonly says: string;
  readonly options: readonly (readonly [flags: string, says: string])[];
  readonly example: string;
  /** Does it as it was asked for, and gives the exit code. */
  run(asked: Asked, terminal: Terminal): Promise<number>;
}

const JOURNAL = ["--journal <url>", "sqlite:PATH (default: the only .safeguards/*.db here)"] as const;
const BY = ["--by <name>", "who decides (default: your name on this system)"] as const;
const HASH = ["--hash <hash>", "only if this is what is to be approved (default: whatever is)"] as const;
const JSON_OUT = ["--json", "for a program"] as const;

export const COMMANDS: readonly CommandEntry[] = [
  {
    usage: "run <crew>",
    says: "run a crew to its end, or go on where the last run of it stood",
    options: [
      ["--journal <url>", "where it is kept (default: sqlite:.safeguards/<crew name>.db)"],
      ["--input <json>", "what the run is given: JSON, or @ and a file of it"],
      ["--json", "print one object at the end, and nothing else"],
      ["--quiet", "print the crew's output and what failed, and nothing else"],
      ["--plain", "lines of a log, also on a terminal"],
      ["--new", "cancel a run that has not ended, and begin another"],
    ],
    example: 'safeguards run crew.yaml --input \'{"folder":"src"}\'',
    run: async ({ subject, options }, terminal) =>
      (await import("./commands/run.ts")).runCommand(subject, options, terminal),
  },
  {
    usage: "check <crew>",
    says: "tell everything that is wrong with a crew file, with line and column",
    options: [["--input <json>", "try its templates with this: JSON, or @ and a file of it"], JSON_OUT],
    example: "safeguards check crew.yaml",
    run: async ({ subject, options }, terminal) =>
      (await import("./commands/check.ts")).checkCommand(subject, options, terminal),
  },
  {
    usage: "status",
    says: "where the runs stand, and what agents and resources do",
    options: [JOURNAL, JSON_OUT],
    example: "safeguards status",
    run: async ({ options }, terminal) => (await import("./commands/status.ts")).statusCommand(options, terminal),
  },
  {
    usage: "tasks",
    says: "list tasks, in the order in which they were submitted",
    options: [
      JOURNAL,
      [
        "--status <status>",
        "only those: blocked, pending, running, waiting, paused, completed, failed, skipped, cancelled",
      ],
      ["--agent <name>", "only those that it did last"],
      ["--run <id>", "only those of this run"],
      ["--after <task>", "only those submitted after this one"],
      ["--limit <number>", "at most so many (default: 100)"],
      JSON_OUT,
    ],
    example: "safeguards tasks --status failed --run r2",
    run: async ({ options }, terminal) => (await import("./commands/tasks.ts")).tasksCommand(options, terminal),
  },
  {
    usage: "events",
    says: "what happened, one event a line",
    options: [
      JOURNAL,
      ["--from <seq>", "from this event on (default: the first that is kept)"],
      ["--follow", "go on with what is to come, until Ctrl-C"],
      ["--json", "one JSON object a line"],
    ],
    example: "safeguards events --follow --json",
    run: async ({ options }, terminal) => (await import("./commands/events.ts")).eventsCommand(options, terminal),
  },
  {
    usage: "explain <task>",
    says: "why a task runs, waits or ended; the end of an id in the latest run is enough",
    options: [JOURNAL, JSON_OUT],
    example: "safeguards explain review/check",
    run: async ({ subject, options }, terminal) =>
      (await import("./commands/explain.ts")).explainCommand(subject, options, terminal),
  },
  {
    usage: "cancel <task>",
    says: "cancel a task and all below it, or a whole run by its id",
    options: [JOURNAL, ["--reason <text>", "why, for the log"], JSON_OUT],
    example: "safeguards cancel r2",
    run: async ({ subject, options }, terminal) =>
      (await import("./commands/cancel.ts")).cancelCommand(subject, options, terminal),
  },
  {
    usage: "approve <task>",
    says: "let a task run, or its output count, that waits to be approved",
    options: [JOURNAL, BY, HASH, JSON_OUT],
    example: "safeguards approve deploy --by rita",
    run: async ({ subject, options }, terminal) =>
      (await import("./commands/approve.ts")).approveCommand(subject, options, terminal),
  },
  {
    usage: "reject <task> <reason>",
    says: "fail a task that waits to be approved, and say why",
    options: [JOURNAL, BY, HASH, JSON_OUT],
    example: 'safeguards reject deploy "not on a Friday"',
    run: async ({ subject, rest, options }, terminal) =>
      (await import("./commands/approve.ts")).rejectCommand(subject, rest[0] ?? "", options, terminal),
  },
  {
    usage: "backup <file>",
    says: "copy the journal to a new file, whether somebody writes it or not",
    options: [JOURNAL, JSON_OUT],
    example: "safeguards backup ../copies/monday.db",
    run: async ({ subject, options }, terminal) =>
      (await import("./commands/backup.ts")).backupCommand(subject, options, terminal),
  },
  {
    usage: "compact",
    says: "drop events that a snapshot stands for; results stay",
    options: [JOURNAL, ["--before <seq>", "only events before this one"], JSON_OUT],
    example: "safeguards compact",
    run: async ({ options }, terminal) => (await import("./commands/compact.ts")).compactCommand(options, terminal),
  },
];
