/** From what a user writes to the journal that is meant. */
import { SafeguardsError } from "../errors.ts";
import type { Journal } from "./journal.ts";
import { MemoryJournal } from "./memory.ts";
import { SqliteJournal } from "./sqlite.ts";

const ALLOWED = "memory:, sqlite:PATH or a journal";
const METHODS = ["open", "append", "read", "writeSnapshot", "close"];

/**
 * The journal of that URL, not yet opened: `memory:`, or `sqlite:` and the path of a file, relative to the working
 * directory or absolute, whose folder is made when it is opened. A journal is given back as it is. Anything else is
 * `INVALID_ARGUMENT`.
 */
export function openJournal(url: string | object): Journal {
  if (typeof url !== "string") return journalIn(url);
  if (url === "memory:") return new MemoryJournal();
  if (url.startsWith("nats:")) throw refused(`journal ${url}: nats: is not available in this version`);
  if (url.startsWith("sqlite:")) return new SqliteJournal(pathIn(url));
  throw refused(`journal is ${JSON.stringify(url)}`);
}

function pathIn(url: string): string {
  const path = url.slice("sqlite:".length);
  if (path === "") throw refused("journal is sqlite: without a path");
  if (path === ":memory:") throw refused("journal is sqlite::memory:; what is to be kept in memory only is memory:");
  if (path.startsWith("//"))
    throw refused(`journal is ${url}; a path follows sqlite: at once, as in sqlite:/absolute/path`);
  if (path.includes("\0")) throw refused("journal is a path with a NUL character");
  return path;
}

function journalIn(value: object): Journal {
  const missing =
    value === null ? METHODS : METHODS.filter((method) => typeof Reflect.get(value, method) !== "function");
  if (missing.length > 0) throw refused(`journal is an object without ${missing.join(", ")}`);
  return value as Journal;
}

function refused(what: string): SafeguardsError {
  return new SafeguardsError("INVALID_ARGUMENT", `${what}; allowed are ${ALLOWED}`);
}
