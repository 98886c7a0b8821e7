import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";

/** How a process ended: one of the two is set, as Node reports it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface GuardedProcess {
  /** Of the program itself: the shell that starts it replaces itself with it. */
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** Null while it runs. */
  exit(): Exit | null;
  /** SIGTERM, and SIGKILL to its whole group after `graceMilliseconds`; 0 kills at once. Returns when it has ended. */
  stop(graceMilliseconds: number): Promise<Exit>;
}

export interface GuardedRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** The file that takes stdout and stderr; appended to. */
  readonly output: string;
}

/**
 * The guard is a second shell in the program's process group. It waits on a pipe whose other end only our process
 * holds, and which ends when the program has ended or we have, by whatever signal; then it kills the group, which it
 * is itself part of. `kill 0` needs no process id, so it can never hit a stranger.
 */
const script = 'exec 3<&0; (read -r _ <&3; kill -9 0) >/dev/null 2>&1 & exec "$0" "$@" 3<&- </dev/null';

/** Starts a program that does not outlive this process, even if this process is ended by SIGKILL. */
export async function startGuarded(request: GuardedRequest): Promise<GuardedProcess> {
  const output = await open(request.output, "a");
  try {
    const child = spawn("/bin/sh", ["-c", script, request.command, ...request.args], {
      cwd: request.folder,
      env: request.environment,
      // A group of its own, so that Ctrl-C in a terminal reaches us alone and we decide the order of the stop.
      detached: true,
      stdio: ["pipe", output.fd, output.fd],
    });
    await once(child, "spawn");
    return guard(child);
  } finally {
    await output.close();
  }
}

function guard(child: ChildProcess): GuardedProcess {
  const pid = child.pid;
  if (pid === undefined) throw new Error("a spawned process has no id");
  let ended: Exit | null = null;
  // The pipe breaks when the guard is killed with its group; that is one of the expected ends.
  child.stdin?.on("error", () => undefined);
  const exited = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => {
      ended = { code, signal };
      child.stdin?.end();
      resolve(ended);
    });
  });
  return {
    pid,
    exited,
    exit: () => ended,
    async stop(graceMilliseconds) {
      if (ended === null && graceMilliseconds > 0) child.kill("SIGTERM");
      const timer = setTimeout(() => killGroup(pid, () => ended === null), graceMilliseconds);
      const exit = await exited;
      clearTimeout(timer);
      return exit;
    },
  };
}

function killGroup(pid: number, runs: () => boolean): void {
  if (!runs()) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // Ended between the look and the kill.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
