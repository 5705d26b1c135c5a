import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "../coordination/structures/types.ts";
import { asked, said } from "./asked.fixture.ts";
import { noSecrets } from "./no-secrets.ts";
import { SECRET_RULES, type SecretRule } from "./secret-rules.ts";

/** Letters and digits as only chance makes them, put together so that nobody takes this file for one with secrets. */
const chance = ["q7Xd", "P2m9", "Lz4K", "w8Ra", "T3vN", "c6Yb", "H1sJ", "f5Ge", "U0oM", "k9Wi"];
const random = (length: number): string => chance.join("").repeat(5).slice(0, length);
const capitals = random(40).toUpperCase();

const hex = (length: number): string => createHash("sha512").update("key").digest("hex").slice(0, length);
const uuid = "0b6e4172-3c5d-4f1a-9e7b-8a2d6c4e1f03";

const secrets: Readonly<Record<SecretRule, readonly string[]>> = {
  "aws-access-key": [`AKIA${capitals.slice(0, 16)}`, `key=ASIA${capitals.slice(0, 16)};`],
  "github-token": [`ghp_${random(36)}`, `gho_${random(36)}`, `github_pat_${random(22)}_${random(40)}`],
  "gitlab-token": [`glpat-${random(20)}`],
  "google-api-key": [`AIza${random(35)}`],
  "npm-token": [`npm_${random(36)}`],
  "slack-token": [`xoxb-123456789012-${random(24)}`],
  "stripe-key": [`sk_live_${random(24)}`, `rk_test_${random(24)}`],
  "model-key": [
    `sk-${random(30)}`,
    `sk-ant-api03-${random(40)}`,
    `sk-proj-${random(40)}`,
    `sk-${hex(32)}`,
    `sk-${hex(48)}`,
    `sk-${hex(32).toUpperCase()}`,
    `sk-or-v1-${hex(64)}`,
    `sk-lf-${uuid}`,
    `sk-${uuid}`,
  ],
  "json-web-token": [`eyJ${random(20)}.eyJ${random(30)}.${random(30)}`],
  "private-key": [
    `-----BEGIN PRIVATE KEY-----\n${random(40)}\n-----END PRIVATE KEY-----`,
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----",
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n",
  ],
  "url-password": ["postgres://app:hunter2@db.internal/x", "redis://:hunter2@cache", "https://ann:p@ss@host"],
  "high-entropy": [random(40), `SECRET=${random(40)}`, `{"key":"${random(33)}"}`, `${random(20)}/${random(19)}+`],
};

const harmless: readonly Json[] = [
  "The quick brown fox jumps over the lazy dog, again and again and again.",
  "getUserAccountInformationForTenantId2AndRegion3Async",
  "XMLHttpRequestFactoryBeanDefinitionParserDelegate2V8",
  "SOME_VERY_LONG_CONSTANT_NAME_WITH_4_NUMBERS_IN_IT_99",
  "task-management-system-overview-document-2026-version-3",
  "sk-learn-style-estimator-interface-overview",
  "sk-fading-circle sk-fading-circle-delay-12-of-12-in-all",
  "sk-cube-grid__cube--9 sk-button-3f2a91bc-large-rounded-2",
  "sk-toolbar-deadbeef-facade-decade-added-00-11-22-33-44",
  "sk-00000000000000000000000000000000",
  "sk-abcdefabcdefabcdefabcdefabcdefabcdef",
  `sk-chunk-${hex(32)}`,
  `sk-${hex(20)}`,
  `task-${hex(32)} risk-${uuid}`,
  `commit ${hex(40)}, tree ${hex(64)}, short ${hex(9)}`,
  uuid,
  "ask-me-anything-about-the-new-release-of-2026",
  "npm_config_registry_with_a_rather_long_name_here",
  "xoxo-and-many-hugs-to-all-of-you-out-there",
  "src/kernel/refusals/submission.fixture.ts:1234:56",
  "/home/ann/Projects/My-App-2026/node_modules/@scope/package-name/dist/index.js",
  "https://example.com/2026/11/29/why-we-moved-from-a-to-b?utm_source=newsletter&utm_campaign=Winter2026#top",
  "http://localhost:8080/path@2x.png",
  "2026-11-29T02:06:41.123Z/2026-11-30T02:06:41.123Z",
  createHash("sha1").update("x").digest("hex"),
  createHash("sha512").update("x").digest("hex"),
  createHash("sha512").update("x").digest("hex").toUpperCase(),
  `sha512-${createHash("sha512").update("x").digest("base64")}`,
  `data:image/png;base64,${random(200)}`,
  random(31),
  random(41).repeat(7),
  randomUUID(),
  { id: 1234567890123456, list: [1.5, true, null], "a key of an object": "with text" },
  "4111 1111 1111 1111",
  "----------------------------------------------------------------",
  "AKIA is how such keys begin; ghp_ too, and sk- as well",
  "-----BEGIN PUBLIC KEY-----",
];

describe("noSecrets", () => {
  test.each(SECRET_RULES.flatMap((rule) => secrets[rule].map((secret) => [rule, secret] as const)))(
    "finds %s in %j",
    async (rule, secret) => {
      for (const value of [secret, { deep: [{ text: `before ${secret} after` }] }, { [`k ${secret}`]: 1 }]) {
        const reason = await said(noSecrets({ rules: [rule] }), value);
        expect(reason).toBe(`it holds what looks like a secret: ${rule}`);
      }
    },
  );

  test.each(harmless)("lets pass %j", async (value) => {
    expect(await said(noSecrets(), value)).toBe("allowed");
  });

  test("lets pass this project's own sources and lists of packages", async () => {
    for (const path of ["package-lock.json", "README.md", "src/kernel/scheduler.ts", "src/guardrails/no-secrets.ts"]) {
      const lines = readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
      for (let at = 0; at < lines.length; at += 500_000)
        expect(await said(noSecrets(), lines.slice(at, at + 500_000))).toBe("allowed");
    }
  });

  test("finds most strings that chance makes, and hardly any that people write", async () => {
    const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"];
    const tokens = fc.array(fc.constantFrom(...letters), { minLength: 40, maxLength: 40, size: "max" });
    const drawn = fc.sample(tokens, { seed: 7, numRuns: 1_000 }).map((list) => list.join(""));
    let found = 0;
    for (const token of drawn) if (!(await asked(noSecrets({ rules: ["high-entropy"] }), token)).allow) found += 1;
    expect(found).toBeGreaterThan(950);
  });

  test("takes secrets out when it is told to, and leaves the rest as it was", async () => {
    const [key = ""] = secrets["stripe-key"];
    const [pem = ""] = secrets["private-key"];
    const value = { text: `pay with ${key}, or ${key}`, pem: `${pem} rest`, left: [1, "x"] };
    expect(await said(noSecrets({ redact: true }), value)).toEqual({
      changed: {
        text: "pay with [removed: stripe-key], or [removed: stripe-key]",
        pem: "[removed: private-key] rest",
        left: [1, "x"],
      },
    });
  });

  test("takes out a key whose end is not there to the end of the text", async () => {
    const value = `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n${random(60)}\n${random(12)}`;
    expect(await said(noSecrets({ redact: true }), value)).toEqual({ changed: "[removed: private-key]" });
  });

  test("blocks a secret that is a key of an object also when it takes out the others", async () => {
    const [key = ""] = secrets["github-token"];
    expect(await said(noSecrets({ redact: true, rules: ["github-token"] }), { [key]: key })).toBe(
      "it holds what looks like a secret where it cannot be taken out: github-token",
    );
  });

  test("finds values that it is given, whatever they look like", async () => {
    const guardrail = noSecrets({ values: ["plain words"], redact: true });
    expect(await said(guardrail, ["some plain words here", "plain", "plain wordsplain words"])).toEqual({
      changed: ["some [removed: value] here", "plain", "[removed: value][removed: value]"],
    });
  });

  test("what it took out is not found again, and nothing of a secret is left or told", async () => {
    const all = Object.values(secrets).flat();
    await fc.assert(
      fc.asyncProperty(fc.subarray(all, { minLength: 1 }), fc.string(), async (some, filler) => {
        const text = some.join(` ${filler.replace(/[^a-z ]/g, "")} `);
        const told = JSON.stringify(await said(noSecrets({ redact: true }), text));
        for (const secret of some) expect(told).not.toContain(JSON.stringify(secret).slice(1, -1));
        expect(JSON.stringify(await said(noSecrets(), text))).not.toMatch(/hunter2|q7Xd/i);
      }),
    );
  });

  test("looks through no more than it says, in linear time whatever the text", async () => {
    expect(await said(noSecrets(), "x".repeat(1_000_001))).toBe(
      "it has more text than is looked through: 1000000 characters",
    );
    const filled = (part: string) =>
      said(noSecrets({ redact: true }), part.repeat(Math.floor(1_000_000 / part.length)));
    for (const part of ["a", "eyJ", "://a:", "sk-a", "ghp_", "xoxb-", "a1B"])
      expect(await filled(part), part).toBe("allowed");
    expect(await filled("-----BEGIN PRIVATE KEY-----")).toEqual({ changed: "[removed: private-key]" });
    expect(await filled("eyJaaaaaaaaaa.")).toEqual({
      changed: expect.stringMatching(/^(\[removed: json-web-token\]\.?)+(eyJa+\.?)*$/),
    });
  });
});
