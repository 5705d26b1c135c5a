import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { priceOf } from "./reader.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

it("prints what its page shows, by one command", () => {
  const printed = execFileSync(process.execPath, [here("main.ts")], { encoding: "utf8" });
  expect(readFileSync(here("README.md"), "utf8")).toContain(`\`\`\`text\n${printed}\`\`\``);
});

it.each([
  ["", "0.000000"],
  ["a", "0.000150"],
  ["a".repeat(400), "0.015000"],
])("has an exact price for %j", (text, price) => {
  expect(priceOf(text)).toBe(price);
});
