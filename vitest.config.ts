import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/fixtures/**", "dist/**"],
    // A process for each file: tests start threads and processes, kill some, and change what a process has but once.
    pool: "forks",
    maxWorkers: "100%",
    // Against hanging, not against slowness: nothing is asserted on time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ["default", "./scripts/closing-reporter.ts"],
    coverage: {
      provider: "v8",
      include: ["src/coordination/**/*.ts", "src/kernel/**/*.ts"],
      exclude: ["**/*.test.ts", "**/*.fixture.ts"],
      reporter: ["text", "json-summary"],
      thresholds: { branches: 98 },
    },
  },
});
