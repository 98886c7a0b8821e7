import { accessSync, constants, existsSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { DeployError } from "../errors.ts";
import { startGuarded } from "./process.ts";
import { readTail } from "./read-text.ts";

export interface CommandRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

export interface CommandResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  /** Stdout and stderr as they came; of very much the end. */
  readonly output: string;
  readonly isWhole: boolean;
}

/** Runs a program to its end; it ends with us. Throws `interrupted` when the signal fires. */
export async function runCommand(request: CommandRequest): Promise<CommandResult> {
  const folder = await mkdtemp(join(tmpdir(), "flink-dbt-deploy-command-"));
  const output = join(folder, "output");
  try {
    const running = await startGuarded({ ...request, output });
    const abort = () => void running.stop(0);
    request.signal?.addEventListener("abort", abort, { once: true });
    if (request.signal?.aborted) abort();
    const exit = await running.exited;
    request.signal?.removeEventListener("abort", abort);
    if (request.signal?.aborted) throw new DeployError("interrupted", `${request.command} was interrupted`);
    const { text, isWhole } = await readTail(output, maxOutputBytes);
    return { code: exit.code, output: text, isWhole };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A list of a million checkpoints is smaller; of what programs say of their failure the end tells most. */
const maxOutputBytes = 64 * 1024 * 1024;

/** The first executable file of that name on PATH, or null. */
export function findOnPath(name: string, environment: NodeJS.ProcessEnv): string | null {
  for (const folder of (environment.PATH ?? "").split(delimiter)) {
    const path = join(folder, name);
    if (isAbsolute(path) && isExecutable(path)) return path;
  }
  return null;
}

export function isExecutable(path: string): boolean {
  if (!existsSync(path) || !statSync(path).isFile()) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const maxLineLength = 300;

/** The last lines of a program's output that say something, cut to a length fit for an error message. */
export function lastLines(output: string, count: number): string {
  const lines = output.split("\n").map((line) => line.trimEnd().slice(0, maxLineLength));
  return lines
    .filter((line) => line.trim() !== "")
    .slice(-count)
    .join("\n");
}
