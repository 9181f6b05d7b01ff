import { defineConfig } from "vitest/config";

// The tests share one running demo and two cores, so they run one after the other.
export default defineConfig({
  test: {
    include: ["e2e/**/*.test.ts"], setupFiles: ["e2e/vitest.setup.ts"], fileParallelism: false, testTimeout: 240_000, hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } }, // for a machine that is busy with other things
  },
});
