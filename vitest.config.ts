import { defineConfig } from "vitest/config";
import { CountsReporter } from "./test/reporting/counts-reporter.ts";

export default defineConfig({
  // tests use the sources of the workspace packages, users get their build
  resolve: { conditions: ["mirrorpool-source"] },
  ssr: { resolve: { conditions: ["mirrorpool-source"] } },
  test: {
    include: ["packages/*/test/**/*.test.ts", "packages/core/bench/test/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: [process.stdout.isTTY ? "default" : ["default", { summary: false }], new CountsReporter()],
    coverage: { provider: "v8", include: ["packages/*/src/**"], reporter: ["text", "html"] },
  },
});
