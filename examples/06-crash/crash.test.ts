import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const show = fileURLToPath(new URL("show.ts", import.meta.url));

it("dies again and again, pays every bill, and none twice", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [show]);
  const lives = stdout.match(/^life \d+: was killed by SIGKILL$/gm) ?? [];
  expect(lives).toHaveLength(2);
  expect(stdout).toContain("life 3: ended with exit code 0");
  expect(stdout).toContain("10 of 10 bills are paid");
  expect(stdout).toMatch(/^10 payments are in the book; [1-4] attempts were lost$/m);
});
