/** Everything that is wrong with what a crew file says. */
import type { Json } from "../coordination/structures/types.ts";
import { isSafeguardsError } from "../errors.ts";
import { runManagerName } from "./crew.ts";
import { crossCheck } from "./cross-check.ts";
import { type Flaw, formatPath, type Path } from "./fault.ts";
import { flawsOf } from "./flaws.ts";
import { outlineOf } from "./outline.ts";
import { crewFile } from "./schema.ts";
import { checkTemplate, fillText, hasTemplate, type TemplateScope } from "./template.ts";

/** What a crew file is read with. */
export interface CrewFileScope {
  /** Where the file is: its commands run there. */
  readonly folder: string;
  readonly env: TemplateScope["env"];
  /** The run's input, where there is to be a run: its templates are then tried. */
  readonly input?: Json;
}

/** All that is wrong with what a crew file says. */
export function flawsOfCrewFile(data: unknown, scope: CrewFileScope): Flaw[] {
  const name = typeof data === "object" && data !== null && "name" in data ? data.name : undefined;
  return [
    ...flawsOf(crewFile, data),
    ...crossCheck(outlineOf(data), typeof name === "string" ? runManagerName(name) : ""),
    ...templateFlaws(data, scope),
  ];
}

/** Where templates are filled in, by the path with its indexes left out; and whether an input may be named there. */
const TEMPLATED: ReadonlyMap<string, "run" | "plan" | "env"> = new Map([
  ["tasks.name", "run"],
  ["tasks.input", "run"],
  ["tasks.context", "run"],
  ["managers.plan.name", "plan"],
  ["managers.plan.input", "plan"],
  ["managers.plan.context", "plan"],
  ...["agents", "managers.plan", "managers.aggregate"].flatMap((holder): [string, "env"][] => {
    return ["command", "cwd", "env"].map((key) => [`${holder}.${key}`, "env"]);
  }),
]);

function templateFlaws(data: unknown, scope: CrewFileScope): Flaw[] {
  const flaws: Flaw[] = [];
  visitTexts(data, [], (text, path) => {
    if (!hasTemplate(text)) return;
    const message = templateFlaw(text, path, scope);
    if (message !== undefined) flaws.push({ path, message: `${formatPath(path)}: ${message}` });
  });
  return flaws;
}

function templateFlaw(text: string, path: Path, scope: CrewFileScope): string | undefined {
  const words = path.filter((step) => typeof step === "string");
  const kind = [4, 3, 2]
    .map((length) => TEMPLATED.get(words.slice(0, length).join(".")))
    .find((found) => found !== undefined);
  if (kind === undefined)
    return "templates are not filled in here — only in name, input and context of tasks, and in command, cwd and env";
  try {
    if (kind === "plan" || (kind === "run" && !("input" in scope))) checkTemplate(text, scope.env);
    else fillText(text, kind === "run" ? scope : { env: scope.env });
    return undefined;
  } catch (error) {
    if (isSafeguardsError(error)) return error.message;
    throw error;
  }
}

function visitTexts(value: unknown, path: Path, visit: (text: string, path: Path) => void): void {
  if (typeof value === "string") visit(value, path);
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) visitTexts(item, [...path, index], visit);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) visitTexts(item, [...path, key], visit);
  }
}
