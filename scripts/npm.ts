import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** What npm printed for these words, run in the repository's top folder, and how it ended. */
export function npm(...words: readonly string[]): {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
} {
  const cwd = join(import.meta.dirname, "..");
  const { status, stdout, stderr, error } = spawnSync("npm", words, {
    cwd,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  return { code: status, out: stdout, err: stderr };
}
