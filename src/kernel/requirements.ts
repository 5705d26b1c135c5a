/**
 * What an agent must be to do a task, made once for all tasks that say it in the same words.
 *
 * 1. Two requirements ask for the same exactly if they have the same key. No name contains a slash, so none can make two
 *    keys look alike; of those who approved, persons may have names with anything in them, so these stand there as JSON.
 * 2. What is remembered is bounded, and forgotten all at once: it is only the way to what would be made again.
 */
import type { SkillRequirement } from "../coordination/structures/types.ts";
import { limits } from "./limits.ts";

/** What an agent must be to do a task, whatever its room. */
export interface Requirement {
  readonly key: string;
  /** One for each skill, by name. */
  readonly skills: readonly { readonly skill: string; readonly level: number }[];
  readonly pin: string | undefined;
  /** The manager whose team it must be on. */
  readonly scope: string | undefined;
  /** Who must not do it: those who approved its run, or that of what it is a part of. */
  readonly barred: readonly string[];
}

const NOBODY: readonly string[] = [];

export class Requirements {
  readonly #inWords: Map<string, Requirement> = new Map();
  readonly #lists: Map<string, readonly SkillRequirement[]> = new Map();

  of(
    skills: readonly SkillRequirement[],
    pin: string | undefined,
    scope: string | undefined,
    barred: readonly string[] = NOBODY,
  ): Requirement {
    const words = inWords(skills, pin, scope) + without(barred);
    let made = this.#inWords.get(words);
    if (made === undefined) {
      if (this.#inWords.size >= limits.idlePools) this.#inWords.clear();
      made = requirement(skills, pin, scope, barred);
      this.#inWords.set(words, made);
    }
    return made;
  }

  /** The same list for all that name these skills in the same words, so that many tasks hold few lists. */
  listOf(skills: readonly SkillRequirement[]): readonly SkillRequirement[] {
    const words = inWords(skills, undefined, undefined);
    const kept = this.#lists.get(words);
    if (kept !== undefined) return kept;
    if (this.#lists.size >= limits.idlePools) this.#lists.clear();
    this.#lists.set(words, skills);
    return skills;
  }
}

/** As it was written. A skill with a level has one slash more, as no name is empty. */
function inWords(skills: readonly SkillRequirement[], pin: string | undefined, scope: string | undefined): string {
  let words = within(pin, scope);
  for (const required of skills)
    words += typeof required === "string" ? `/${required}` : `//${required.level}/${required.skill}`;
  return words;
}

function requirement(
  asked: readonly SkillRequirement[],
  pin: string | undefined,
  scope: string | undefined,
  barred: readonly string[],
): Requirement {
  const skills = normalized(asked);
  let key = within(pin, scope);
  for (const { skill, level } of skills) key += `/${level}/${skill}`;
  return { key: key + without(barred), skills, pin, scope, barred };
}

/** After all else, and with two slashes more than a skill has: as no name is empty, that is no skill. */
function without(barred: readonly string[]): string {
  return barred.length === 0 ? "" : `///${JSON.stringify(barred)}`;
}

function within(pin: string | undefined, scope: string | undefined): string {
  return pin === undefined && scope === undefined ? "/" : `${pin ?? ""}/${scope ?? ""}`;
}

/** One requirement a skill, at the highest level asked for, by name: alike however they were written. */
export function normalized(skills: readonly SkillRequirement[]): Requirement["skills"] {
  const sorted = skills.map((required) => (typeof required === "string" ? { skill: required, level: 0 } : required));
  sorted.sort((a, b) => (a.skill === b.skill ? b.level - a.level : a.skill < b.skill ? -1 : 1));
  return sorted.filter(({ skill }, i) => skill !== sorted[i - 1]?.skill);
}
