/**
 * What the parts of a crew refer one another by: names, teams, skills, resources, budgets, dependencies. Taken from a crew whose
 * shape may be wrong in places, so that its references can be checked at the same time: what has the wrong shape is left
 * out, and told by the schema.
 */
import { type Sum, sumOf } from "../coordination/structures/money.ts";
import type { Path } from "./fault.ts";

/** What a crew's task is paid from that names no budget, where the crew has one of this name. */
export const DEFAULT_BUDGET = "default";

export interface NameAt {
  readonly name: string;
  readonly path: Path;
}

export interface TaskOutline {
  readonly path: Path;
  /** The id that it was given, or else its index in the list. */
  readonly id: string;
  readonly hasOwnId: boolean;
  readonly agent?: NameAt;
  /** Whom it falls back on. */
  readonly fallback?: NameAt;
  readonly skills: ReadonlyMap<string, number>;
  readonly load: number;
  readonly resources: ReadonlyMap<string, number>;
  readonly dependsOn: readonly NameAt[];
  readonly budget?: NameAt;
  readonly cost?: Sum;
  /** Where it says that a ballot decides whether it may run, or its output counts. */
  readonly ballot?: Path;
  /** Who votes there; none are named: all that do. */
  readonly voters: readonly NameAt[];
}

export interface BudgetOutline {
  readonly limit?: Sum;
  readonly parent?: NameAt;
}

export interface AgentOutline {
  readonly path: Path;
  readonly name: string;
  /** `undefined`: not known, so that nothing is said about them. */
  readonly skills: ReadonlyMap<string, number> | undefined;
  readonly capacity: number;
  /** Whether it has a voter. */
  readonly votes: boolean;
  /** A manager's. */
  readonly team?: readonly NameAt[];
  /** A manager's, where it is a list and not code. */
  readonly plan?: readonly TaskOutline[];
}

export interface CrewOutline {
  readonly agents: readonly AgentOutline[];
  /** Capacities; `undefined` where that is malformed. */
  readonly resources: ReadonlyMap<string, number | undefined>;
  readonly budgets: ReadonlyMap<string, BudgetOutline>;
  /** Empty where they are given by code. */
  readonly tasks: readonly TaskOutline[];
}

/** The outline of a crew as written in a YAML file; agents come before managers. */
export function outlineOf(crew: unknown): CrewOutline {
  const kinds = ["agents", "managers"] as const;
  return {
    agents: kinds.flatMap((kind) => each(field(crew, kind), [kind], outlineOfAgent)),
    resources: outlineOfResources(crew),
    budgets: outlineOfBudgets(crew),
    tasks: outlineOfTasks(field(crew, "tasks"), ["tasks"]),
  };
}

/** The resources that a crew declares, with their capacities. */
export function outlineOfResources(crew: unknown): ReadonlyMap<string, number | undefined> {
  return new Map(entries(field(crew, "resources")).map(([id, spec]) => [id, number(field(spec, "capacity"))]));
}

/** The budgets that a crew declares. */
export function outlineOfBudgets(crew: unknown): ReadonlyMap<string, BudgetOutline> {
  const given = entries(field(crew, "budgets"));
  return new Map(
    given.map(([id, spec]) => {
      const limit = sumOf(field(spec, "limit"));
      const parent = text(field(spec, "parent"));
      const at = parent === undefined ? {} : { parent: { name: parent, path: ["budgets", id, "parent"] } };
      return [id, { ...(limit === undefined ? {} : { limit }), ...at }];
    }),
  );
}

export function outlineOfTasks(tasks: unknown, path: Path): TaskOutline[] {
  return each(tasks, path, outlineOfTask);
}

function outlineOfTask(task: unknown, path: Path): TaskOutline {
  const agent = field(task, "agent");
  const other = field(field(task, "fallback"), "agent");
  const budget = text(field(task, "budget"));
  const cost = sumOf(field(task, "cost"));
  const id = text(field(task, "id"));
  const by = field(field(task, "approval"), "by");
  return {
    path,
    id: id ?? String(path.at(-1)),
    hasOwnId: id !== undefined,
    ...(typeof agent === "string" ? { agent: { name: agent, path: [...path, "agent"] } } : {}),
    ...(typeof other === "string" ? { fallback: { name: other, path: [...path, "fallback", "agent"] } } : {}),
    skills: new Map(each(field(task, "skills"), [], requirement).flat()),
    load: number(field(task, "load")) ?? 1,
    resources: numbers(field(task, "resources")),
    dependsOn: names(field(task, "dependsOn"), [...path, "dependsOn"]),
    ...(budget === undefined ? {} : { budget: { name: budget, path: [...path, "budget"] } }),
    ...(cost === undefined ? {} : { cost }),
    ...(field(by, "ballot") === undefined ? {} : { ballot: [...path, "approval", "by"] }),
    voters: names(field(by, "voters"), [...path, "approval", "by", "voters"]),
  };
}

function requirement(value: unknown): [string, number][] {
  if (typeof value === "string") return [[value, 0]];
  const skill = field(value, "skill");
  const level = number(field(value, "level"));
  return typeof skill === "string" && level !== undefined ? [[skill, level]] : [];
}

function outlineOfAgent(agent: unknown, path: Path): AgentOutline {
  const team = field(agent, "team");
  const plan = field(agent, "plan");
  return {
    path,
    name: text(field(agent, "name")) ?? "",
    skills: skillsOf(field(agent, "skills")),
    capacity: number(field(agent, "capacity")) ?? 1,
    // No program votes yet.
    votes: false,
    ...(team === undefined ? {} : { team: names(team, [...path, "team"]) }),
    ...(Array.isArray(plan) ? { plan: outlineOfTasks(plan, [...path, "plan"]) } : {}),
  };
}

/** Levels by skill; a list means level 1. */
export function skillsOf(value: unknown): ReadonlyMap<string, number> | undefined {
  if (value === undefined) return new Map();
  if (Array.isArray(value)) return new Map(value.filter(isText).map((skill) => [skill, 1]));
  return typeof value === "object" && value !== null ? numbers(value) : undefined;
}

function names(list: unknown, path: Path): NameAt[] {
  return each(list, path, (name, at) => (typeof name === "string" ? [{ name, path: at }] : [])).flat();
}

function each<T>(list: unknown, path: Path, make: (item: unknown, path: Path) => T): T[] {
  return Array.isArray(list) ? list.map((item, index) => make(item, [...path, index])) : [];
}

function numbers(record: unknown): ReadonlyMap<string, number> {
  return new Map(entries(record).flatMap(([key, value]) => (Number.isFinite(value) ? [[key, Number(value)]] : [])));
}

/** Of an object or a Map; of anything else none. */
function entries(record: unknown): [string, unknown][] {
  if (record instanceof Map) return [...record].filter(([key]) => typeof key === "string");
  return typeof record === "object" && record !== null && !Array.isArray(record) ? Object.entries(record) : [];
}

function field(record: unknown, key: string): unknown {
  return typeof record === "object" && record !== null && Object.hasOwn(record, key)
    ? Reflect.get(record, key)
    : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function text(value: unknown): string | undefined {
  return isText(value) ? value : undefined;
}

function number(value: unknown): number | undefined {
  return Number.isFinite(value) ? Number(value) : undefined;
}
