import { defineConfig } from "vitest/config";

// No test is about time: a limit only ends what hangs, on however busy a machine.
const slow = { testTimeout: 300_000, hookTimeout: 300_000, pool: "forks" as const, fileParallelism: false };

// dt-sql-parser imports its own folders by name, which Node refuses for ES modules and Vite resolves.
const unresolved = { deps: { inline: ["dt-sql-parser"] } };

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 60_000, server: unresolved } },
      { test: { name: "contract", include: ["test/contract/**/*.test.ts"], ...slow } },
      { test: { name: "process", include: ["test/process/**/*.test.ts"], ...slow } },
      { test: { name: "e2e", include: ["test/e2e/**/*.e2e.test.ts"], ...slow } },
    ],
  },
});
