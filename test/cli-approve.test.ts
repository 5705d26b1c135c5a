import { expect, test } from "vitest";
import { folderWith, safeguards, start } from "./cli.fixture.ts";

const CREW = `name: demo
agents:
  - { name: writer, command: [sh, -c, "cat > /dev/null; echo '\\"a draft\\"'"] }
tasks:
  - { id: draft, approval: { before: output } }
  - { id: publish, dependsOn: [draft], approval: { expiresMs: 600000 } }
`;

test("what a run waits for is seen, approved and rejected from another process", async () => {
  const folder = folderWith({ "crew.yaml": CREW });
  const { says, ended } = start(folder, ["run", "crew.yaml"]);
  await says("r1/draft: its output has to be approved");
  const [status, tasks, explained] = await Promise.all([
    safeguards(folder, "status"),
    safeguards(folder, "tasks", "--status", "waiting"),
    safeguards(folder, "explain", "draft"),
  ]);
  expect(status.stdout).toContain("  to approve r1/draft its output?\n");
  expect(tasks.stdout).toMatch(/waiting {3}r1\/draft: approve its output\?/);
  expect(explained.stdout).toMatch(
    /approval a person must approve its output: approve or reject it \(hash [0-9a-f]{12}…\)/,
  );
  expect(explained.stdout).toContain('to approve {"before":"output","asked":');
  expect(explained.stdout).toContain('"agent":"writer","output":"a draft"}');

  const seen = await safeguards(folder, "tasks", "--status", "waiting", "--json");
  const hash: string = JSON.parse(seen.stdout).find(({ id }: { id: string }) => id === "r1/draft").approval.hash;
  const wrong = await safeguards(folder, "approve", "draft", "--hash", "abc");
  expect(wrong).toMatchObject({
    code: 2,
    stderr: `safeguards: task r1/draft asks for the approval of ${hash}, not of "abc"\n`,
  });
  const own = await safeguards(folder, "approve", "draft", "--by", "writer", "--json");
  expect(own.code).toBe(1);
  expect(JSON.parse(own.stdout)).toMatchObject({ error: { code: "UNAUTHORIZED" } });
  const approved = await safeguards(folder, "approve", "draft", "--by", "rita", "--hash", hash);
  expect(approved).toMatchObject({ code: 0, stdout: "r1/draft's output is approved; it is completed\n" });
  const again = await safeguards(folder, "approve", "draft");
  expect(again.code).toBe(2);

  await says("r1/publish: its run has to be approved");
  const rejected = await safeguards(folder, "reject", "publish", "not on a Friday", "--by", "rita", "--json");
  expect(JSON.parse(rejected.stdout)).toMatchObject({
    taskId: "r1/publish",
    decided: "rejected",
    by: "rita",
  });
  const { code, stdout } = await ended;
  expect(code).toBe(1);
  expect(stdout).toContain("r1/draft: its output is approved by rita");
  expect(stdout).toContain("r1/publish failed: its run was rejected by rita: not on a Friday");
});

test("what waits in a journal that nobody writes is approved there, and the next run goes on", async () => {
  const folder = folderWith({ "crew.yaml": CREW });
  const first = start(folder, ["run", "crew.yaml"]);
  await first.says("r1/draft: its output has to be approved");
  first.child.kill("SIGKILL");
  await first.ended;
  expect((await safeguards(folder, "status", "--json")).stdout).toContain('"before": "output"');
  const approved = await safeguards(folder, "approve", "r1/draft", "--json");
  expect(JSON.parse(approved.stdout)).toMatchObject({ taskId: "r1/draft", decided: "approved", status: "completed" });
  const second = start(folder, ["run", "crew.yaml", "--json"]);
  for (;;) {
    const { code } = await safeguards(folder, "approve", "publish");
    if (code === 0) break;
  }
  expect(JSON.parse((await second.ended).stdout)).toMatchObject({
    status: "completed",
    output: { draft: "a draft", publish: "a draft" },
  });
});

test("what is to be approved is shown as far as a page or two go, and where the rest is", async () => {
  const crew = `name: long
agents: [{ name: cat, command: [cat] }]
tasks: [{ id: publish, approval: { before: run }, input: ${"x".repeat(5_000)} }]
`;
  const folder = folderWith({ "crew.yaml": crew });
  const { says, ended, child } = start(folder, ["run", "crew.yaml"]);
  await says("r1/publish: its run has to be approved");
  const { stdout } = await safeguards(folder, "explain", "publish");
  expect(stdout).toMatch(/to approve \{"before":"run",.*x{3000}.*… \(--json has all of it\)\n/);
  child.kill("SIGKILL");
  await ended;
});

test("each command tells what it is for, with an example", async () => {
  const folder = folderWith({});
  for (const command of ["approve", "reject"]) {
    const { code, stdout } = await safeguards(folder, command, "--help");
    expect(code).toBe(0);
    expect(stdout).toContain("--json");
    expect(stdout).toContain(`$ safeguards ${command} deploy`);
  }
  expect((await safeguards(folder, "reject", "deploy")).code).toBe(2);
});
