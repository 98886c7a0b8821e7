import { spawn } from "node:child_process";

export interface Finished {
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChildOptions {
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a program without a shell to its end and returns what it printed. Rejects only when it cannot be started or the
 * signal fires; then its whole process group is ended.
 */
export function runChild(argv: readonly string[], { cwd, environment, signal }: ChildOptions): Promise<Finished> {
  const [program = "", ...rest] = argv;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = spawn(program, rest, { cwd, env: environment, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const endGroup = () => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended by itself in the meantime.
      }
    };
    const endWithUs = () => endGroup();
    signal?.addEventListener("abort", endGroup, { once: true });
    process.once("exit", endWithUs);
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      signal?.removeEventListener("abort", endGroup);
      process.off("exit", endWithUs);
      if (signal?.aborted) reject(signal.reason);
      else resolve({ code, stdout: Buffer.concat(out).toString("utf8"), stderr: Buffer.concat(err).toString("utf8") });
    });
  });
}
