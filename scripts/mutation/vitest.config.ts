/**
 * The tests that mutants meet. Left out, because they take long and nearly every mutant would meet them: what runs processes,
 * journals and coordinators (`test/`), and what counts costs. Properties and the comparison with the reference do fewer runs,
 * always the same ones.
 */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/{coordination,kernel}/**/*.test.ts", "test/reference/stories-1.test.ts"],
    exclude: ["src/kernel/costs.test.ts"],
    setupFiles: [`${import.meta.dirname}/setup.ts`],
    env: { SAFEGUARDS_RUNS: "5", SAFEGUARDS_SEQUENCES: "20" },
    testTimeout: 300_000,
    reporters: [],
  },
});
