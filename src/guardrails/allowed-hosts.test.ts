import { describe, expect, test } from "vitest";
import type { Json } from "../coordination/structures/types.ts";
import { allowedHosts } from "./allowed-hosts.ts";
import { asked, said } from "./asked.fixture.ts";

const guardrail = allowedHosts({ hosts: ["api.example.com", "*.wiki.org", "127.0.0.1", "[::1]", "BÜCHER.example"] });

const allowed: readonly Json[] = [
  null,
  "no address in here: just text; see note: this, or 12:30",
  "api.example.com/without-a-scheme",
  "https://api.example.com/x?y=z#w",
  "HTTPS://API.EXAMPLE.COM",
  "https://api.example.com:8443/x",
  "https://api.example.com./x",
  "http://127.0.0.1:3000",
  "http://[::1]:3000/x",
  "wss://en.wiki.org/a",
  "https://deep.en.wiki.org",
  "https://xn--bcher-kva.example/",
  "https://bücher.example/",
  { url: "https://api.example.com", headers: [{ referer: "https://de.wiki.org/" }] },
  "See https://api.example.com/docs, and (https://en.wiki.org/x).",
  "mailto:ann@evil.com",
  "const half = n // 2; // see evil.com",
  "[a](https://api.example.com/a), [b](https://api.example.com/b).",
];

const blocked: readonly Json[] = [
  "https://evil.com",
  "https://wiki.org",
  "https://notwiki.org",
  "https://example.com",
  "https://x.api.example.com",
  "https://api.example.com.evil.com",
  "https://api.example.com@evil.com",
  "https://user:pw@evil.com/api.example.com",
  "https://evil.com#https://api.example.com",
  "//evil.com/x",
  "\\\\evil.com\\x",
  "https:\\\\evil.com",
  "https:/evil.com",
  "https:evil.com",
  " https://evil.com ",
  "ht\ntps://evil.com",
  "ht\ttps:evil.com",
  "/\n/evil.com",
  "https://api.example.com\n@evil.com",
  "https://evil\t.com",
  "ftp://evil.com",
  "gopher://evil.com",
  "file:///etc/passwd",
  "https://",
  "https://%65vil.com",
  "http://2130706434/",
  "http://0x7f.2",
  "see https://api.example.com and https://evil.com, please",
  "see https:evil.com, please",
  `${"a".repeat(40)}https://evil.com`,
  "7://evil.com",
  "see_https://evil.com",
  "![a](https://api.example.com/i.png)![b](https://evil.com/?d=x)",
  "https://api.example.com/a,https://evil.com/b",
  "https://api.example.com/?next=https://evil.com",
  '<img src="//evil.com/?d=1">',
  "![x](//evil.com/x)",
  "see //evil.com/x",
  "see file:///etc/passwd",
  { "https://evil.com": 1 },
  { deep: [[{ url: "https://evil.com" }]] },
];

describe("allowedHosts", () => {
  test.each(allowed)("allows %j", async (value) => {
    expect(await said(guardrail, value)).toBe("allowed");
  });

  test.each(blocked)("blocks %j", async (value) => {
    expect(await asked(guardrail, value)).toMatchObject({ allow: false });
  });

  test("tells how many, never which", async () => {
    expect(await said(guardrail, ["https://canary.evil.com", "x https://api.example.com"])).toBe(
      "it has addresses of hosts that are not allowed: 1 of 2",
    );
  });

  test("looks through no more than it says, in linear time whatever the text", async () => {
    expect(await said(guardrail, "x".repeat(1_000_001))).toBe(
      "it has more text than is looked through: 1000000 characters",
    );
    expect(await asked(guardrail, `https://x${"!".repeat(900_000)}y`)).toMatchObject({ allow: false });
    for (const part of ["a", ":", "http", "aB3-"])
      expect(await said(guardrail, part.repeat(1_000_000 / part.length)), part).toBe("allowed");
    // What a browser would take for one address, of a host that is not allowed.
    for (const part of ["/", "http:", "a://", "\\"])
      expect(await said(guardrail, part.repeat(1_000_000 / part.length)), part).toBe(
        "it has addresses of hosts that are not allowed: 1 of 1",
      );
  });

  test("looks where it is told to", () => {
    expect(allowedHosts({ hosts: [] })).toMatchObject({ on: "action", name: "allowed-hosts" });
    expect(allowedHosts({ hosts: [], on: "output", name: "x" })).toMatchObject({ on: "output", name: "x" });
  });
});
