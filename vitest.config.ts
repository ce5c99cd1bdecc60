import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { CountsReporter } from "./test/reporting/counts-reporter.ts";
import { LongestFirst } from "./test/setup/longest-first.ts";

/** A test waits for servers a third of its time. */
const WORKERS_PER_CORE = 1.5;

export default defineConfig({
  // tests use the sources of the workspace packages, users get their build
  resolve: { conditions: ["mirrorpool-source"] },
  ssr: { resolve: { conditions: ["mirrorpool-source"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "packages/core/bench/test/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: Math.max(2, Math.round(availableParallelism() * WORKERS_PER_CORE)),
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: [process.stdout.isTTY ? "default" : ["default", { summary: false }], new CountsReporter()],
    coverage: { provider: "v8", include: ["packages/*/src/**"], reporter: ["text", "html"] },
  },
});
