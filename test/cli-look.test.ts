import { expect, test } from "vitest";
import { folderWith, safeguards, start } from "./cli.fixture.ts";

const CREW = `name: demo
resources: { disk: { type: storage, capacity: 1 } }
agents:
  - { name: worker, capacity: 4, command: [sh, -c, "cat > /dev/null; test -e done || sleep 600"] }
tasks:
  - { id: first, resources: { disk: 1 }, priority: 9 }
  - { id: second, resources: { disk: 1 } }
  - { id: third, dependsOn: [second] }
`;

test("a crew that runs in another process is seen and steered through the socket beside its journal", async () => {
  const folder = folderWith({ "crew.yaml": CREW });
  const { child, says, ended } = start(folder, ["run", "crew.yaml"]);
  await says("r1/first started");
  const follower = start(folder, ["events", "--follow", "--json"]);
  const [status, explained, running] = await Promise.all([
    safeguards(folder, "status"),
    safeguards(folder, "explain", "second"),
    safeguards(folder, "tasks", "--status", "running", "--json"),
  ]);
  expect(status).toMatchObject({ code: 0, stderr: "" });
  expect(status.stdout).toMatch(/demo\.db a process runs it\nr1 demo running 0\/3 done/);
  expect(status.stdout).toContain("disk 1 of 1 taken, 1 task wait");
  expect(explained.stdout).toMatch(
    /^r1\/second pending, waits:\n {2}resource 1 of disk is needed, 0 is free \(held by r1\/first\)/,
  );
  expect(JSON.parse(running.stdout)).toMatchObject([{ id: "r1/first", agent: "worker" }]);

  const cancelled = await safeguards(folder, "cancel", "second", "--reason", "not now");
  expect(cancelled).toMatchObject({ code: 0, stdout: "r1/second is cancelled\n" });
  const stopped = await safeguards(folder, "cancel", "r1", "--json");
  expect(JSON.parse(stopped.stdout)).toMatchObject({ taskId: "r1" });
  const { code, stdout } = await ended;
  expect(code).toBe(1);
  expect(stdout).toContain("r1/second cancelled: not now");
  expect(stdout).toMatch(/demo r1 cancelled after/);
  follower.child.kill("SIGINT");
  const followed = await follower.ended;
  expect(followed.code).toBe(0);
  const types = followed.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).type);
  expect(types).toContain("coordinator.opened");
  expect(types.filter((type) => type === "task.cancelled").length).toBeGreaterThanOrEqual(2);
  expect(child.exitCode).toBe(1);
});

test("a journal that nobody writes is read without being written; cancelling opens it", async () => {
  const folder = folderWith({ "crew.yaml": CREW });
  const { child, says, ended } = start(folder, ["run", "crew.yaml"]);
  await says("r1/first started");
  child.kill("SIGKILL");
  await ended;
  const before = await safeguards(folder, "events", "--json");
  const status = await safeguards(folder, "status");
  expect(status.stdout).toMatch(/nobody runs it; as of event \d+/);
  expect(status.stdout).toContain("r1 demo interrupted 0/3 done");
  const explained = await safeguards(folder, "explain", "r1/third");
  expect(explained.stdout).toMatch(
    /^r1\/third blocked, waits:\n {2}dependencies .*\nnobody runs it now; as of event \d+/,
  );
  const unknown = await safeguards(folder, "explain", "nowhere");
  expect(unknown).toMatchObject({ code: 2, stderr: 'safeguards: no task has the id "nowhere"\n' });
  expect((await safeguards(folder, "events", "--json")).stdout).toBe(before.stdout);

  expect(await safeguards(folder, "cancel", "r1")).toMatchObject({ code: 0, stdout: "r1 is cancelled\n" });
  const tasks = await safeguards(folder, "tasks", "--run", "r1", "--json");
  const statuses = JSON.parse(tasks.stdout).map(({ status }: { status: string }) => status);
  expect(statuses).toEqual(["cancelled", "cancelled", "cancelled", "skipped"]);
  expect(await safeguards(folder, "cancel", "r1")).toMatchObject({ code: 0, stdout: "r1 is cancelled\n" });
});

test("of several journals one must be named", async () => {
  const folder = folderWith({ "crew.yaml": CREW, done: "" });
  await safeguards(folder, "run", "crew.yaml", "--journal", "sqlite:.safeguards/a.db");
  await safeguards(folder, "run", "crew.yaml", "--journal", "sqlite:.safeguards/b.db");
  const several = await safeguards(folder, "status");
  expect(several.code).toBe(2);
  expect(several.stderr).toContain(
    "choose one:\n  --journal sqlite:.safeguards/a.db\n  --journal sqlite:.safeguards/b.db\n",
  );
  const { code, stdout } = await safeguards(folder, "status", "--journal", "sqlite:.safeguards/b.db");
  expect(code).toBe(0);
  expect(stdout).toContain("r1 demo completed 3/3 done");
});

test("a crew that another process runs is not run a second time", async () => {
  const folder = folderWith({ "crew.yaml": CREW });
  const { child, says, ended } = start(folder, ["run", "crew.yaml"]);
  await says("r1/first started");
  const second = await safeguards(folder, "run", "crew.yaml");
  expect(second.code).toBe(2);
  expect(second.stderr).toContain(String(child.pid));
  child.kill("SIGKILL");
  await ended;
});

test("whoever reads only the first lines ends the writing without a complaint", async () => {
  const folder = folderWith({ "crew.yaml": CREW, done: "" });
  await safeguards(folder, "run", "crew.yaml");
  const { child, ended } = start(folder, ["events", "--json"]);
  child.stdout?.destroy();
  expect(await ended).toMatchObject({ stderr: "" });
});
