import { type StdioOptions, spawn } from "node:child_process";
import { megabytes } from "../flink/megabytes.ts";

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
  /** What it reads; nothing unless given. */
  readonly input?: string | Buffer | undefined;
  /** Of what it prints; in `latin1` each character is a byte. */
  readonly encoding?: "utf8" | "latin1" | undefined;
  /** Of what it prints on both streams; 64 MB unless given. */
  readonly maxBytes?: number | undefined;
}

/** dbt's log of a project that fails in every model, and git's list of a large repository, are a tenth of it. */
const usualMaxBytes = 64 * 1024 * 1024;

/** A program printed more than anyone would read, and was ended. */
export class TooMuchOutput extends Error {
  override readonly name = "TooMuchOutput";
}

/** How long the pipes of a program that has ended are read on. */
const lingerMs = 1_000;

/** Ends each of those that run; one listener for all, since there may be many at once. */
const running = new Set<() => void>();
const endAll = (): void => {
  for (const end of running) end();
};

/**
 * Runs a program without a shell to its end and returns what it printed. Rejects only when it cannot be started, prints
 * too much or the signal fires; then its whole process group is ended.
 */
export function runChild(argv: readonly string[], options: ChildOptions): Promise<Finished> {
  const { cwd, environment, signal, input, encoding = "utf8", maxBytes = usualMaxBytes } = options;
  const [program = "", ...rest] = argv;
  const stdio: StdioOptions = [input === undefined ? "ignore" : "pipe", "pipe", "pipe"];
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = spawn(program, rest, { cwd, env: environment, detached: true, stdio });
    // It may end before it has read all of it.
    child.stdin?.on("error", () => undefined).end(input);
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
    signal?.addEventListener("abort", endGroup, { once: true });
    if (running.size === 0) process.on("exit", endAll);
    running.add(endGroup);
    const forget = () => {
      signal?.removeEventListener("abort", endGroup);
      running.delete(endGroup);
      if (running.size === 0) process.off("exit", endAll);
    };
    let size = 0;
    const keep = (to: Buffer[]) => (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) to.push(chunk);
      else endGroup();
    };
    child.stdout?.on("data", keep(out));
    child.stderr?.on("data", keep(err));
    let lingering: NodeJS.Timeout | undefined;
    child.on("exit", () => {
      // What it left in the background, such as a shared ssh connection, may hold the pipes open.
      lingering = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, lingerMs);
    });
    child.on("error", (error) => {
      forget();
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(lingering);
      forget();
      if (signal?.aborted) reject(signal.reason);
      else if (size > maxBytes) reject(new TooMuchOutput(`it printed more than ${megabytes(maxBytes)}`));
      else
        resolve({ code, stdout: Buffer.concat(out).toString(encoding), stderr: Buffer.concat(err).toString("utf8") });
    });
  });
}
