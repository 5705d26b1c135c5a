/** Which journal a command is about. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { SafeguardsError } from "../../errors.ts";

const FOLDER = ".safeguards";
const SCHEME = "sqlite:";

/** Where the runs of a crew are kept when nothing else is said. */
export function defaultJournal(crew: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a file's name has none
  const name = crew.replace(/[\u0000-\u001f\u007f\\]/g, (character) => encodeURIComponent(character));
  return `${SCHEME}${join(FOLDER, `${name}.db`)}`;
}

/** The path of the journal that is asked for, or of the only one in this folder. INVALID_ARGUMENT when there is none such. */
export function chooseJournal(asked: string | undefined): string {
  const path = asked === undefined ? onlyJournal() : pathOf(asked);
  if (existsSync(path)) return path;
  throw refusal(`there is no journal ${path}`);
}

function pathOf(url: string): string {
  if (url.startsWith(SCHEME) && url.length > SCHEME.length) return url.slice(SCHEME.length);
  throw refusal(`--journal is ${JSON.stringify(url)}; it must be sqlite: and the path of a file`);
}

function onlyJournal(): string {
  const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((file) => file.endsWith(".db")) : [];
  const [only, ...others] = files.toSorted();
  if (only === undefined) throw refusal(`there is no journal in ${FOLDER} here; name one with --journal sqlite:PATH`);
  if (others.length === 0) return join(FOLDER, only);
  const choices = [only, ...others].map((file) => `  --journal ${SCHEME}${join(FOLDER, file)}`);
  throw refusal(`there are several journals here; choose one:\n${choices.join("\n")}`);
}

function refusal(message: string): SafeguardsError {
  return new SafeguardsError("INVALID_ARGUMENT", message);
}
