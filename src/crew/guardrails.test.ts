import { describe, expect, test } from "vitest";
import { defineAgent } from "../agents/function.ts";
import type { Json } from "../coordination/structures/types.ts";
import { said } from "../guardrails/asked.fixture.ts";
import type { Guardrail } from "../guardrails/guardrail.ts";
import { noSecrets } from "../guardrails/no-secrets.ts";
import { withinSize } from "../guardrails/within-size.ts";
import { Coordinator } from "../runtime/coordinator.ts";
import { type CrewSpec, defineCrew } from "./crew.ts";
import { crewFromFile } from "./crew-file.ts";
import { flawsOf } from "./flaws.ts";
import { beginRun, coordinatorOptions } from "./run.ts";
import { crewFile } from "./schema.ts";

const file = {
  name: "crew",
  agents: [{ name: "a", command: ["true"] }],
  tasks: [{ id: "t" }],
};

describe("in a crew file", () => {
  test("those that it names are made of what it says, in its order", async () => {
    const data = {
      ...file,
      guardrails: [
        { use: "within-size", on: "input", maxBytes: 5 },
        { use: "no-secrets", redact: true, rules: ["url-password"] },
        { use: "allowed-hosts", on: "output", hosts: ["*.example.com"], name: "hosts" },
      ],
    };
    expect(flawsOf(crewFile, data)).toEqual([]);
    const { guardrails = [] } = coordinatorOptions(crewFromFile(data, { folder: "/", env: {} }).crew);
    expect(guardrails.map(({ name, on }) => `${name} on ${on}`)).toEqual([
      "within-size on input",
      "no-secrets on output",
      "hosts on output",
    ]);
    const told: Json[] = [];
    for (const guardrail of guardrails) told.push(await said(guardrail, "https://a:b@evil.com"));
    expect(told).toEqual([
      "it has 22 bytes; at most 5 are allowed",
      { changed: "https[removed: url-password]evil.com" },
      "it has addresses of hosts that are not allowed: 1 of 1",
    ]);
  });

  const wrong: readonly (readonly [Json, readonly string[]])[] = [
    [{}, ["guardrails is {} — a list of guardrails"]],
    [
      [{ use: "sandbox" }],
      ['guardrails[0].use is "sandbox" — a mapping whose use is no-secrets, within-size or allowed-hosts'],
    ],
    [
      [{ use: "within-size", on: "action", maxBytes: 0 }],
      [
        'guardrails[0].on is "action" — input or output',
        "guardrails[0].maxBytes is 0 — a whole number from 1 to 16000000",
      ],
    ],
    [
      [{ use: "allowed-hosts", on: "input", hosts: ["https://x.com"], redact: true }],
      [
        'guardrails[0].hosts[0] is "https://x.com" — a host as "example.com" is, or "*.example.com" for all below it',
        'guardrails[0] has the unknown key "redact" — one of use, on, hosts, name',
      ],
    ],
    [
      [{ use: "no-secrets" }, { use: "no-secrets", on: "output" }],
      [
        'guardrails is [{"use": "no-secrets"}, {"use": "no-secrets", "on": "output"}] — a list of guardrails, of which those on the same have different names',
      ],
    ],
  ];
  test.each(wrong)("%j is told as wrong", (guardrails, says) => {
    expect(flawsOf(crewFile, { ...file, guardrails }).map(({ message }) => message)).toEqual(says);
  });
});

describe("in a module", () => {
  const echo = defineAgent({ name: "echo", run: (task) => task.input });
  const crew = (guardrails: unknown): CrewSpec =>
    defineCrew({
      name: "crew",
      agents: [echo],
      tasks: [
        { id: "a", input: "long" },
        { id: "b", input: "ab" },
      ],
      guardrails: guardrails as readonly Guardrail[],
    });

  test("they look at what its runs do", async () => {
    const spec = crew([withinSize({ on: "input", maxBytes: 4 })]);
    await using coordinator = await Coordinator.open(coordinatorOptions(spec));
    const loaded = { crew: spec, file: "crew.ts", hash: "a".repeat(64), isCode: true, programs: [] };
    const { handle } = await beginRun(coordinator, loaded, { input: null });
    expect(await handle.outcome()).toMatchObject({ status: "completed" });
    expect(await (await coordinator.task("r1/a")).outcome()).toMatchObject({ error: { code: "GUARDRAIL_BLOCKED" } });
    expect(await (await coordinator.task("r1/b")).result()).toBe("ab");
  });

  test("what is no list of them is told as wrong", () => {
    for (const guardrails of [7, [{}], [noSecrets(), noSecrets()]])
      expect(() => crew(guardrails)).toThrow(/a list of guardrails, of which those on the same have different names/);
  });
});
