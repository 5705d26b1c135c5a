/**
 * Installs the package as a user would, from what would be published, in an empty folder: every subpath can be imported, its
 * types compile, a crew runs on a SQLite journal, and the program starts.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root: string = fileURLToPath(new URL("..", import.meta.url));
const manifest: {
  name: string;
  version: string;
  exports: Record<string, unknown>;
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
} = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "safeguards-packed-"));
/** What some subpaths need beside the package, as the repository has it. */
const peers = Object.keys(manifest.peerDependencies).map((name) => `${name}@${manifest.devDependencies[name]}`);
const settings = {
  compilerOptions: {
    target: "es2024",
    lib: ["es2024", "esnext.disposable"],
    module: "nodenext",
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    skipLibCheck: false,
  },
  files: ["types.ts"],
};

const agent = `
import { Coordinator, defineAgent } from "safeguards";
await using coordinator = await Coordinator.open({ journal: "sqlite:greetings.db" });
await coordinator.register(defineAgent({ name: "greeter", run: (task) => "Hello, " + task.input + "!" }));
const handle = await coordinator.submit({ id: "greet", input: "world" });
console.log(await handle.result());
`;

function tryOut(): void {
  say("packing");
  const packed = run("npm", ["pack", root, "--ignore-scripts", "--silent"]).trim();
  say(`installing ${packed} in an empty folder`);
  write("package.json", JSON.stringify({ private: true, type: "module" }));
  run("npm", [
    "install",
    "--ignore-scripts",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    "--silent",
    `./${packed}`,
    ...peers,
  ]);

  const subpaths = Object.keys(manifest.exports).map((subpath) => manifest.name + subpath.slice(1));
  say(`importing ${subpaths.join(", ")}`);
  const imports = subpaths.map((subpath, i) => `import * as m${i} from "${subpath}";`);
  const counts = subpaths.map((_, i) => `Object.keys(m${i}).length`);
  write("imports.mjs", `${imports.join("\n")}\nconsole.log(JSON.stringify([${counts.join(", ")}]));\n`);
  const exported: number[] = JSON.parse(run(process.execPath, ["imports.mjs"]));
  if (exported.some((count) => count === 0)) throw new Error(`a subpath exports nothing: ${exported}`);

  say("compiling against the types, without skipping any declaration");
  write(
    "types.ts",
    `${imports.join("\n")}\nexport type All = [${subpaths.map((_, i) => `typeof m${i}`).join(", ")}];\n`,
  );
  write("tsconfig.json", JSON.stringify(settings));
  symlinkSync(join(root, "node_modules", "@types"), join(folder, "node_modules", "@types"));
  run(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc")]);

  say("running an agent on a SQLite journal, and opening it again");
  write("agent.mjs", agent);
  for (const expected of ["Hello, world!", "Hello, world!"]) {
    const said = run(process.execPath, ["agent.mjs"]).trim();
    if (said !== expected) throw new Error(`the agent said ${said}`);
  }

  say("starting the program");
  const program = join(folder, "node_modules", ".bin", "safeguards");
  const version = run(program, ["--version"]).trim();
  if (version !== manifest.version) throw new Error(`it says that it is version ${version}, not ${manifest.version}`);
  if (!run(program, ["--help"]).includes("safeguards run crew.yaml")) throw new Error("its help has no example");

  say("running a crew with it");
  write("crew.yaml", crew);
  const { output } = JSON.parse(run(program, ["run", "crew.yaml", "--json"]));
  if (JSON.stringify(output) !== '{"add":{"sum":3}}') throw new Error(`the crew gave ${JSON.stringify(output)}`);
  say("all well");
}

const crew = `
name: adding
agents:
  - name: adder
    skills: [sums]
    command: [node, -e, 'let text = ""; process.stdin.on("data", (d) => { text += d; }).on("end", () => { const { a, b } = JSON.parse(text).input; console.log(JSON.stringify({ sum: a + b })); })']
tasks:
  - { id: add, skills: [sums], input: { a: 1, b: 2 } }
`;

/** Runs a program in the folder; its output, or an error with all that it said. */
function run(program: string, argv: readonly string[]): string {
  return execFileSync(program, argv, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

function write(name: string, text: string): void {
  writeFileSync(join(folder, name), text);
}

function say(what: string): void {
  console.log(`packed: ${what}`);
}

try {
  tryOut();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
