/**
 * The tests that mutants meet. Left out, because they take long and nearly every mutant would meet them: what runs processes,
 * journals and coordinators (`test/`), and what counts costs. Properties and the comparison with the reference do fewer runs,
 * always the same ones.
 */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/{coordination,kernel}/**/*.test.ts", "scripts/mutation/stories.test.ts"],
    exclude: ["src/kernel/costs.test.ts"],
    setupFiles: [`${import.meta.dirname}/setup.ts`],
    env: { SAFEGUARDS_RUNS: "10" },
    testTimeout: 300_000,
    reporters: [],
  },
});
