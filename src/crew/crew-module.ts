/** Loads a crew from the default export of a JavaScript or TypeScript module, whose code this runs. */
import { dirname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { shareOwnModules } from "../agents/own-modules.ts";
import { isSafeguardsError } from "../errors.ts";
import { type CrewSpec, defineCrew } from "./crew.ts";
import type { Fault, Flaw, Position } from "./fault.ts";
import { type ModuleSource, readModule } from "./module-source.ts";

/** The crew of a module, or all that is wrong with it. `file` is absolute, and its text was read before. */
export async function loadModule(
  file: string,
  text: string,
): Promise<{ readonly crew: CrewSpec } | { readonly faults: readonly Fault[] }> {
  const source = readModule(text, { typescript: isTypeScript(file) });
  if (source.faults.length > 0) {
    return { faults: source.faults.map((fault) => ({ ...fault, file, message: `bad syntax: ${fault.message}` })) };
  }
  shareOwnModules();
  try {
    const module: { default?: CrewSpec } = await import(pathToFileURL(file).href);
    if (module.default !== undefined) return { crew: defineCrew(module.default) };
    const message = "the module has no default export — export default defineCrew({ … })";
    return { faults: [{ file, line: 1, column: 1, message }] };
  } catch (error) {
    return { faults: faultsOf(error, file, source) };
  }
}

function faultsOf(error: unknown, file: string, source: ModuleSource): Fault[] {
  const flaws = isSafeguardsError(error, "INVALID_ARGUMENT") ? error.details?.flaws : undefined;
  if (Array.isArray(flaws)) {
    return flaws.map(({ path, at, message }: Flaw) => ({ file, ...source.locate(path, at), message }));
  }
  const message = error instanceof Error ? `${error.name}: ${error.message}` : `the module threw ${String(error)}`;
  return [{ ...(placeOf(error, file, source) ?? { file, line: 1, column: 1 }), message }];
}

type Place = Position & { readonly file: string };

/** Where the error came from: in the crew's file if that took part, else in what it imports. */
function placeOf(error: unknown, file: string, source: ModuleSource): Place | undefined {
  const imported = source.locateImport((specifier) => isMissing(specifier, file, error));
  if (imported !== undefined) return { file, ...imported };
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const places = [...placesInHeader(stack), ...placesInFrames(stack)];
  return places.find((place) => place.file === file) ?? places[0];
}

/** Whether the error says that what is imported by this name was not found. */
function isMissing(specifier: string, file: string, error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error) || !String(error.code).startsWith("ERR_")) return false;
  const names = [specifier, resolve(dirname(file), specifier)];
  return error.message.includes(`imported from ${file}`) && names.some((name) => error.message.includes(`'${name}'`));
}

/** `at f (file:///x.ts:1:2)`. */
function placesInFrames(stack: string): Place[] {
  return [...stack.matchAll(/^\s+at .*?(?<=[\s(])(file:\/\/[^\s)]+?|\/[^\s)]+?):(\d+):(\d+)\)?$/gm)].flatMap(
    ([, where = "", line, column]) => {
      const file = pathOf(where);
      return file.includes("/node_modules/") || file === import.meta.filename
        ? []
        : [{ file, line: Number(line), column: Number(column) }];
    },
  );
}

/** `/x.ts:3`, then what stands there, then carets under what is wrong. */
function placesInHeader(stack: string): Place[] {
  const header = /^(?<where>(?:file:\/\/)?\/.*):(?<line>\d+)\n(?:.*\n)*?(?<before>[ \t]*)\^+\n/.exec(stack);
  const { where, line, before } = header?.groups ?? {};
  return where === undefined ? [] : [{ file: pathOf(where), line: Number(line), column: (before ?? "").length + 1 }];
}

function pathOf(where: string): string {
  return where.startsWith("file:") ? fileURLToPath(where) : where;
}

function isTypeScript(file: string): boolean {
  return /\.[mc]?ts$/.test(file);
}
