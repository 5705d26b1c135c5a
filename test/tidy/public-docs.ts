/** Every public name says in a docstring what it is for. */
import { posix } from "node:path";
import type { Node } from "@babel/types";
import { at, type Faults, type Source } from "./source.ts";

/** `entries`: the modules that users import. */
export function publicDocs(sources: readonly Source[], entries: Iterable<string>): Faults {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const faults = new Set<string>();
  for (const entry of entries) {
    const source = byPath.get(entry);
    if (source === undefined) faults.add(`${entry}:1: there is no such file`);
    else for (const fault of undocumented(source, undefined, byPath)) faults.add(fault);
  }
  return [...faults];
}

type Sources = ReadonlyMap<string, Source>;

/** What a module exports without a docstring: one name of it, or every one. */
function undocumented(source: Source, only: string | undefined, sources: Sources): string[] {
  const faults: string[] = [];
  let found = false;
  for (const statement of statementsOf(source)) {
    if (statement.type === "ExportAllDeclaration") {
      faults.push(at(source, statement, "exports by name only: every public name is to be seen in one place"));
    } else if (statement.type === "ExportNamedDeclaration") {
      const declared = statement.declaration ? namesOf(statement.declaration) : [];
      for (const name of declared) {
        if (only !== undefined && name !== only) continue;
        // Of overloads, the first one speaks for all.
        if (found && only !== undefined) continue;
        found = true;
        if (!isDocumented(statement)) faults.push(at(source, statement, `${name} is public and has no docstring`));
      }
      for (const specifier of statement.specifiers) {
        if (specifier.type !== "ExportSpecifier") continue;
        const { exported, local } = specifier;
        const outside = exported.type === "Identifier" ? exported.name : exported.value;
        if (only !== undefined && outside !== only) continue;
        found = true;
        const inside = local.type === "Identifier" ? local.name : String(local);
        faults.push(...followed(source, statement, inside, sources));
      }
    }
  }
  if (only !== undefined && !found) faults.push(`${source.path}:1: exports no ${only}`);
  return faults;
}

/** The faults of what is handed on from another module. */
function followed(source: Source, statement: Node, name: string, sources: Sources): string[] {
  const from = "source" in statement && statement.source?.type === "StringLiteral" ? statement.source.value : undefined;
  if (from === undefined) return [at(source, statement, `export ${name} where it is declared`)];
  const path = posix.join(posix.dirname(source.path), from);
  const target = sources.get(path);
  return target === undefined ? [at(source, statement, `there is no ${path}`)] : undocumented(target, name, sources);
}

function statementsOf(source: Source): readonly Node[] {
  return source.program.type === "Program" ? source.program.body : [];
}

function namesOf(declaration: Node): string[] {
  if (declaration.type === "VariableDeclaration") {
    return declaration.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []));
  }
  return "id" in declaration && declaration.id?.type === "Identifier" ? [declaration.id.name] : [];
}

function isDocumented(statement: Node): boolean {
  const comment = statement.leadingComments?.at(-1);
  return comment?.type === "CommentBlock" && /^\*[\s*]*\S/.test(comment.value);
}
