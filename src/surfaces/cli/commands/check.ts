import { loadCrew } from "../../../crew/load.ts";
import { readInput } from "../input.ts";
import { paint } from "../line.ts";
import { count } from "../quantity.ts";
import type { Terminal } from "../terminal.ts";
import { printable } from "../text.ts";

export interface CheckOptions {
  readonly input?: string;
  readonly json?: boolean;
}

/** Tells everything that is wrong with a crew file, and gives the exit code. */
export async function checkCommand(path: string, options: CheckOptions, terminal: Terminal): Promise<number> {
  const input = options.input === undefined ? {} : { input: readInput(options.input) };
  const read = await loadCrew(path, { env: terminal.env, ...input });
  if ("faults" in read) {
    if (options.json === true) terminal.json({ ok: false, faults: read.faults }, 2);
    else {
      terminal.faults(read.faults, "out");
      terminal.print([paint("red", count(read.faults.length, "fault"))]);
    }
    return 2;
  }
  const { crew, file, programs, isCode } = read.loaded;
  if (options.json === true) {
    terminal.json(
      { ok: true, crew: crew.name, file, agents: crew.agents.map(({ name }) => name), programs, isCode },
      2,
    );
  } else {
    const tasks = typeof crew.tasks === "function" && isCode ? "tasks made by its code" : "its tasks";
    terminal.print([paint("green", "fine"), ` ${printable(file)}: ${count(crew.agents.length, "agent")} for ${tasks}`]);
  }
  return 0;
}
