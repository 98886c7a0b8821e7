import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

const root = join(import.meta.dirname, "..", "..");

/** The command as users have it; from its sources where it has not been built. */
export function findCommand(): string {
  const built = join(root, "dist", "cli.js");
  return existsSync(built) ? built : join(root, "src", "cli.ts");
}

export interface CommandRequest {
  readonly args: readonly string[];
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Takes the lines of progress, which the command writes to standard error. */
  readonly onLine: (line: string) => void;
}

/** `lines` are those of its progress, `printed` is its result. */
export interface CommandEnd {
  readonly code: number;
  readonly lines: readonly string[];
  readonly printed: string;
}

/** From the request to end to the end by force. */
const graceMilliseconds = 20_000;

/** Runs `flink-dbt-deploy` in a process of its own, which is asked to end when the signal comes. */
export async function runCommand(request: CommandRequest): Promise<CommandEnd> {
  const { args, folder, signal, onLine } = request;
  const child = spawn(process.execPath, [findCommand(), ...args], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    // In a group of its own, so that Ctrl-C reaches it once, through us.
    detached: true,
  });
  let timer: NodeJS.Timeout | undefined;
  const interrupt = (): void => {
    child.kill("SIGINT");
    timer = setTimeout(() => child.kill("SIGKILL"), graceMilliseconds);
  };
  signal.addEventListener("abort", interrupt, { once: true });
  if (signal.aborted) interrupt();
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on("line", (line) => {
    lines.push(line);
    onLine(line);
  });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (exitCode) => resolve(exitCode ?? 1));
    });
    signal.throwIfAborted();
    return { code, lines, printed };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", interrupt);
  }
}
