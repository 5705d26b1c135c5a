import type { SkillRequirement } from "../coordination/structures/types.ts";
import type { TaskFields } from "./events/tasks.ts";

/** What a task asks for by name, as one short text for people: tasks that ask for the same are of one class. */
export function classOfTask(spec: Pick<TaskFields, "skills" | "agent" | "resources"> & { scope?: string }): string {
  const { skills, agent, resources, scope } = spec;
  let words = skills === undefined ? "" : `skills ${skills.map(inWords).sort().join(", ")}`;
  if (agent !== undefined) words = joined(words, `agent ${agent}`);
  if (scope !== undefined) words = joined(words, `team of ${scope}`);
  if (resources !== undefined) words = joined(words, `resources ${Object.keys(resources).sort().join(", ")}`);
  return words === "" ? "anything" : words;
}

function joined(words: string, more: string): string {
  return words === "" ? more : `${words} / ${more}`;
}

function inWords(required: SkillRequirement): string {
  return typeof required === "string" ? required : `${required.skill} ≥ ${required.level}`;
}
