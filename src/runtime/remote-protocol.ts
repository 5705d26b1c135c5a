/** What a coordinator that joined asks of the one that writes, over the socket beside the journal. */
import { resolve } from "node:path";
import { invalid } from "../coordination/structures/arguments.ts";
import type { Command } from "../kernel/commands.ts";

/** A request. Each is answered once; `events` and `ends` push items until they are. */
export type RemoteRequest =
  | {
      readonly do: "command";
      readonly id: string;
      readonly command: Command;
      readonly by?: string;
      readonly trace?: string;
    }
  | { readonly do: "query"; readonly name: string; readonly about?: unknown }
  | { readonly do: "events"; readonly from: number; readonly follow: boolean }
  /** Ids of tasks and ballots that end from now on; the first item is null, when nothing will be missed any more. */
  | { readonly do: "ends" }
  | { readonly do: "idle" }
  | { readonly do: "snapshot" }
  | { readonly do: "compact"; readonly beforeSeq?: number }
  /** The path is absolute: the two may work in different folders. */
  | { readonly do: "backup"; readonly path: string };

/** What other processes may ask the kernel for; agents and attempts belong to the process that writes. */
export const FORWARDED: ReadonlySet<string> = new Set<Command["type"]>([
  "task.submit",
  "task.cancel",
  "task.pause",
  "task.resume",
  "task.prioritize",
  "task.retry",
  "task.approve",
  "task.reject",
  "team.set",
  "resource.set",
  "budget.set",
  "ballot.open",
  "ballot.reveal",
]);

const SQLITE = "sqlite:";

/** Where the writer of a journal listens; undefined for journals that are not in a file. */
export function socketPathOf(url: string): string | undefined {
  return url.startsWith(SQLITE) ? `${resolve(url.slice(SQLITE.length))}.sock` : undefined;
}

/** The same for a journal that is to be joined. */
export function joinablePath(journal: unknown): string {
  const path = typeof journal === "string" ? socketPathOf(journal) : undefined;
  if (path !== undefined) return path;
  throw invalid("journal", journal, "sqlite:PATH to be joined");
}
