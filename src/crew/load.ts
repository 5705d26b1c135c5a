/** Loads a crew from its file, whatever it is written in. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, dirname, extname, relative, resolve, sep } from "node:path";
import { show } from "../coordination/structures/arguments.ts";
import type { Json } from "../coordination/structures/types.ts";
import { SafeguardsError } from "../errors.ts";
import type { CrewSpec } from "./crew.ts";
import { crewFromFile, type Program } from "./crew-file.ts";
import { flawsOfCrewFile } from "./crew-file-flaws.ts";
import { loadModule } from "./crew-module.ts";
import type { Fault } from "./fault.ts";
import { readYaml } from "./yaml-source.ts";

export interface LoadedCrew {
  readonly crew: CrewSpec;
  /** As it is shown: relative to the working directory where that is shorter. */
  readonly file: string;
  /** SHA-256 of the file's bytes, in hexadecimal. */
  readonly hash: string;
  /** Whether loading has run code of the file in this process. */
  readonly isCode: boolean;
  /** The programs that it starts, where they can be told: of a crew in YAML. */
  readonly programs: readonly Program[];
}

export interface LoadOptions {
  /** The run's input; left out: none is known yet, and templates that name it are only parsed. */
  readonly input?: Json;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const YAML = [".yaml", ".yml"];
const MODULES = [".ts", ".mts", ".js", ".mjs"];
/** A crew of 100 000 tasks is smaller. */
const MAX_BYTES = 64 * 1_024 * 1_024;

/**
 * Loads a crew file: YAML, or a module, whose code is run by this. Everything that is wrong with it is given as `faults`,
 * in the order of the lines. Throws INVALID_ARGUMENT when there is no such file, or it is none for a crew.
 */
export async function loadCrew(
  path: string,
  options: LoadOptions,
): Promise<{ readonly loaded: LoadedCrew } | { readonly faults: readonly Fault[] }> {
  const file = resolve(path);
  const shown = shownPath(file);
  const bytes = await readCrew(file, shown);
  const hash = createHash("sha256").update(bytes).digest("hex");
  const text = bytes.toString("utf8");
  const read = MODULES.includes(extname(file)) ? await readModuleCrew(file, text) : readYamlCrew(file, text, options);
  if ("faults" in read) {
    const faults = read.faults.map((fault) => ({ ...fault, file: shownPath(fault.file) }));
    return { faults: faults.toSorted((a, b) => a.line - b.line || a.column - b.column) };
  }
  return { loaded: { ...read, file: shown, hash } };
}

type Read = Pick<LoadedCrew, "crew" | "isCode" | "programs"> | { readonly faults: readonly Fault[] };

async function readModuleCrew(file: string, text: string): Promise<Read> {
  const read = await loadModule(file, text);
  return "faults" in read ? read : { ...read, isCode: true, programs: [] };
}

function readYamlCrew(file: string, text: string, options: LoadOptions): Read {
  const source = readYaml(text);
  const faults: Fault[] = source.faults.map((fault) => ({ file, ...fault }));
  const scope = { folder: dirname(file), ...options };
  if (source.data !== undefined) {
    for (const { path, at, message } of flawsOfCrewFile(source.data, scope)) {
      faults.push({ file, ...source.locate(path, at), message });
    }
  }
  return faults.length > 0 ? { faults } : { ...crewFromFile(source.data, scope), isCode: false };
}

async function readCrew(file: string, shown: string): Promise<Buffer> {
  if (![...YAML, ...MODULES].includes(extname(file))) {
    throw refusal(`${shown} is no crew file: it must end with ${[...YAML, ...MODULES].join(", ")}`);
  }
  const bytes = await readFile(file).catch((cause: unknown) => {
    const code = cause instanceof Error && "code" in cause ? cause.code : cause;
    throw refusal(code === "ENOENT" ? `there is no file ${shown}` : `${shown} cannot be read: ${String(code)}`, cause);
  });
  if (bytes.byteLength <= MAX_BYTES) return bytes;
  throw refusal(`${show(basename(file))} has ${bytes.byteLength} bytes; a crew file has at most ${MAX_BYTES}`);
}

function shownPath(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith(`..${sep}`) && path.length > file.length ? file : path;
}

function refusal(message: string, cause?: unknown): SafeguardsError {
  return new SafeguardsError("INVALID_ARGUMENT", message, cause === undefined ? {} : { cause });
}
