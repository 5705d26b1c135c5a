/**
 * Checks the public API against a contract, a declaration file: `node scripts/contract-check.ts FILE`. Every name below must be
 * exported and assignable to what the contract declares under the same name: what is given out to the contract's type,
 * what is taken in from it. It writes the assignments down as a program and lets the compiler judge.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root: string = fileURLToPath(new URL("..", import.meta.url));

/** Methods whose arguments are not compared: an instance of a class with private fields is only ever one of its own. */
const takesInstance: Readonly<Record<string, readonly string[]>> = { SkillRouter: ["route"] };

interface Entry {
  /** The module that users import, as a file of the sources. */
  readonly file: string;
  /** Classes whose instances give what the contract's give, and take what they take; constructors too. */
  readonly classes: readonly string[];
  /** The same of classes that users do not construct. */
  readonly madeClasses: readonly string[];
  readonly functions: readonly string[];
  /** Types of what is given out: ours is assignable to the contract's. */
  readonly given: readonly string[];
  /** Those of them whose methods users call: they take what the contract's do. */
  readonly called: readonly string[];
  /** Types of what is taken in: the contract's is assignable to ours. */
  readonly taken: readonly string[];
}

const coordination: Entry = {
  file: "src/coordination-entry.ts",
  classes: [
    "SkillRouter",
    "WorkloadBalancer",
    "ResourceManager",
    "TaskArbitrator",
    "FederatedDecisions",
    "CircuitBreaker",
    "BudgetLedger",
    "Reputation",
  ],
  madeClasses: ["SafeguardsError"],
  functions: ["tally", "isSafeguardsError", "dawidSkene"],
  given: ["Move", "Allocation", "Released", "ArbitratedStatus", "Decision", "ErrorCode"],
  called: [],
  taken: [
    "Json",
    "Money",
    "RecordOf<number>",
    "SkillRequirement",
    "ResourceType",
    "VotingMethod",
    "Vote",
    "TieBreak",
    "Threshold",
    "Voter",
    'Election<"a" | "b">',
  ],
};

const whole: Entry = {
  file: "src/index.ts",
  classes: [],
  madeClasses: ["SafeguardsError", "Coordinator"],
  functions: ["isSafeguardsError", "defineAgent", "defineManager", "defineCrew", "command"],
  given: [
    "TaskHandle",
    "Message",
    "Stats",
    "Distribution",
    "Outcome",
    "Explanation",
    "StoredEvent",
    "ErrorCode",
    "TaskInfo",
    "AgentInfo",
    "ResourceInfo",
    "BudgetInfo",
    "Guardrail",
    "AgentContext",
    "ManagerContext",
    "Task",
    "Attempt",
    "Reason",
    "Logger",
  ],
  called: ["TaskHandle", "AgentContext", "ManagerContext", "Logger"],
  taken: [
    "Json",
    "RecordOf<number>",
    "TaskSpec",
    "Logger",
    "CrewSpec",
    "BatchResult<Json>",
    "AgentSpec<Json, Json>",
    "ManagerSpec<Json, Json>",
    "CoordinatorOptions",
    "Guardrail",
    "Verdict",
  ],
};

const settings = {
  extends: "../../tsconfig.base.json",
  compilerOptions: {
    noEmit: true,
    types: ["node"],
    allowImportingTsExtensions: true,
    isolatedDeclarations: false,
    declaration: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
  },
  include: ["*.ts"],
};

function check(file: string): number {
  const folder = join(root, ".cache", "contract");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // As a source, so that the compiler checks the contract itself too, and no name in it is `any` by mistake.
  copyFileSync(file, join(folder, "contract.ts"));
  const programs = { coordination, whole };
  let names = 0;
  for (const [name, entry] of Object.entries(programs)) {
    const assertions = assertionsOf(entry);
    names += assertions.length;
    const program = [preamble(entry), ...assertions].join("\n");
    writeFileSync(join(folder, `${name}.ts`), `${program}\n`);
  }
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
  const { status, stdout } = spawnSync(process.execPath, [compiler(), "-p", folder, "--pretty", "false"], {
    encoding: "utf8",
    cwd: folder,
  });
  if (status === 0) {
    console.log(`contract: all ${names} assertions hold`);
    return 0;
  }
  console.error("contract: the API does not fit it. Each fault with the assertion that it breaks:");
  for (const line of stdout.trim().split("\n")) {
    const [, program, number] = /^(\w+\.ts)\((\d+),/.exec(line) ?? [];
    if (program !== undefined)
      console.error(`\n${readFileSync(join(folder, program), "utf8").split("\n")[Number(number) - 1]}`);
    console.error(`  ${line.replace(/import\("[^"]*"\)\./g, "")}`);
  }
  return 1;
}

/** Whether its classes and functions are there when it is imported: a type alone would satisfy the compiler. */
async function areThere(entry: Entry): Promise<boolean> {
  const module: Readonly<Record<string, unknown>> = await import(`../${entry.file}`);
  const missing = [...entry.classes, ...entry.madeClasses, ...entry.functions].filter(
    (name) => typeof module[name] !== "function",
  );
  if (missing.length > 0) console.error(`contract: ${entry.file} does not export ${missing.join(", ")}`);
  return missing.length === 0;
}

function compiler(): string {
  return join(root, "node_modules", "typescript", "bin", "tsc");
}

function preamble(entry: Entry): string {
  return [
    'import type * as contract from "./contract.ts";',
    `import type * as ours from "../../${entry.file}";`,
    "type Json = contract.Json;",
    "type Arguments<T, K extends keyof T> = { readonly [N in K]: T[N] extends (...given: infer A) => unknown ? A : T[N] };",
  ].join("\n");
}

/** A line for each thing that must hold. */
function assertionsOf(entry: Entry): string[] {
  const lines: string[] = [];
  const assert = (source: string, target: string): void => {
    const n = lines.length;
    lines.push(`declare const given${n}: ${source}; export const wanted${n}: ${target} = given${n};`);
  };
  for (const name of [...entry.classes, ...entry.madeClasses]) {
    assert(`ours.${name}`, `contract.${name}`);
  }
  // Assignability alone lets a method take less: what it takes is compared apart.
  for (const name of [...entry.classes, ...entry.madeClasses, ...entry.called]) {
    const skipped = ["symbol", ...(takesInstance[name] ?? []).map((method) => `"${method}"`)].join(" | ");
    const methods = `Exclude<keyof contract.${name}, ${skipped}>`;
    assert(`Arguments<contract.${name}, ${methods}>`, `Arguments<ours.${name}, ${methods}>`);
  }
  for (const name of entry.classes) {
    assert(`ConstructorParameters<typeof contract.${name}>`, `ConstructorParameters<typeof ours.${name}>`);
  }
  if (entry.classes.length === 0) {
    const parameters = (of: string): string => `Parameters<typeof ${of}.Coordinator.open>`;
    assert(parameters("contract"), parameters("ours"));
  }
  for (const name of entry.functions) assert(`typeof ours.${name}`, `typeof contract.${name}`);
  for (const name of entry.given) assert(`ours.${name}`, `contract.${name}`);
  for (const name of entry.taken) assert(`contract.${name}`, `ours.${name}`);
  return lines;
}

const [contract] = process.argv.slice(2);
if (contract === undefined) {
  console.error("usage: node scripts/contract-check.ts FILE");
  process.exit(2);
}
process.exitCode = (await areThere(coordination)) && (await areThere(whole)) ? check(contract) : 1;
