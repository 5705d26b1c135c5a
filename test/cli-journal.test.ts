import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folderWith, safeguards, start } from "./cli.fixture.ts";

const CREW = `name: demo
agents:
  - { name: worker, capacity: 4, command: [sh, -c, "cat > /dev/null; test -e done || sleep 600; echo 1"] }
tasks:
  - { id: first }
  - { id: second, dependsOn: [first] }
`;

test("a journal is copied and compacted while a process runs its crew, and when nobody does", async () => {
  const folder = folderWith({ "crew.yaml": CREW });
  const { child, says, ended } = start(folder, ["run", "crew.yaml"]);
  await says("r1/first started");
  const copied = await safeguards(folder, "backup", "copy.db");
  expect(copied).toMatchObject({ code: 0, stderr: "" });
  expect(copied.stdout).toMatch(/demo\.db is copied to copy\.db: \d+ kB\n$/);
  const compacted = await safeguards(folder, "compact", "--json");
  const { floor } = JSON.parse(compacted.stdout);
  expect(floor).toBeGreaterThan(1);
  const gone = await safeguards(folder, "events", "--from", "1");
  expect(gone).toMatchObject({ code: 1 });
  expect(gone.stderr).toContain(`events before seq ${floor} are no longer kept`);
  const left = await safeguards(folder, "events");
  expect(left).toMatchObject({ code: 0, stderr: `events before ${floor} were compacted away\n` });
  expect(left.stdout.startsWith(`${floor} `)).toBe(true);
  child.kill("SIGKILL");
  await ended;

  writeFileSync(join(folder, "done"), "");
  const resumed = await safeguards(folder, "run", "crew.yaml", "--journal", "sqlite:copy.db");
  expect(resumed).toMatchObject({ code: 0 });
  expect(resumed.stdout).toContain("r1 goes on");
  const again = await safeguards(folder, "backup", "second.db", "--journal", "sqlite:copy.db", "--json");
  expect(JSON.parse(again.stdout)).toMatchObject({ backup: join(folder, "second.db") });
  expect((await safeguards(folder, "compact", "--journal", "sqlite:second.db")).stdout).toMatch(
    /second\.db now begins with event \d+/,
  );
  const explained = await safeguards(folder, "explain", "second", "--journal", "sqlite:second.db");
  expect(explained.stdout).toMatch(/^r1\/second completed: completed by worker in attempt 1/);
});

test("where nobody runs the crew, neither a copy nor a compaction decides anything", async () => {
  const folder = folderWith({ "crew.yaml": CREW, done: "" });
  await safeguards(folder, "run", "crew.yaml");
  const last = async (): Promise<string> => (await safeguards(folder, "events")).stdout.trim().split("\n").at(-1) ?? "";
  const before = await last();
  expect((await safeguards(folder, "backup", "copy.db")).code).toBe(0);
  expect((await safeguards(folder, "compact")).code).toBe(0);
  expect(await last()).toBe(before);
  expect((await safeguards(folder, "explain", "second")).stdout).toContain("r1/second completed");
});

test("where nobody runs the crew, cancelling goes by the settings that it was last run with", async () => {
  const folder = folderWith({ "crew.yaml": `concurrency: 3\n${CREW}` });
  const { child, says, ended } = start(folder, ["run", "crew.yaml"]);
  await says("r1/first started");
  child.kill("SIGKILL");
  await ended;
  expect(await safeguards(folder, "cancel", "second")).toMatchObject({ code: 0 });
  const { stdout } = await safeguards(folder, "events", "--json");
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const openings = events.filter(({ type }) => type === "coordinator.opened");
  expect(openings.map(({ concurrency }) => concurrency)).toEqual([3, 3]);
});

test("what cannot be is told, and exits with 2", async () => {
  const folder = folderWith({ "crew.yaml": CREW, done: "" });
  expect(await safeguards(folder, "run", "crew.yaml")).toMatchObject({ code: 0 });
  const taken = await safeguards(folder, "backup", "crew.yaml");
  expect(taken).toMatchObject({ code: 2 });
  expect(taken.stderr).toMatch(/there is something at .*crew\.yaml; a backup needs a new path/);
  const wrong = await safeguards(folder, "compact", "--before", "soon");
  expect(wrong).toMatchObject({ code: 2 });
  expect(wrong.stderr).toContain("--before");
  expect((await safeguards(folder, "backup", "--help")).stdout).toContain("Example:");
  expect((await safeguards(folder, "compact", "--journal", "sqlite:nowhere.db")).code).not.toBe(0);
  expect(existsSync(join(folder, "nowhere.db"))).toBe(false);
});
