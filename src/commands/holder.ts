import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import type { Holder, ProcessIdentity, WorkflowIdentity } from "../ledger/lock.ts";

/** Who this process is to those who wait for its lock. */
export function holderOf(command: string, environment: NodeJS.ProcessEnv): Holder {
  return {
    id: randomUUID(),
    name: `${command} by ${environment.GITHUB_ACTOR || environment.GITLAB_USER_LOGIN || userName()} on ${hostname()}`,
    run: runOf(environment),
    process: processIdentity(),
    workflow: workflowOf(environment),
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // In a container the user may have no name.
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}

function runOf(environment: NodeJS.ProcessEnv): string | null {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID, CI_JOB_URL, BUILD_URL } = environment;
  if (GITHUB_SERVER_URL && GITHUB_REPOSITORY && GITHUB_RUN_ID) {
    return `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`;
  }
  return CI_JOB_URL || BUILD_URL || null;
}

/** A run is attempted again only once the attempt before has ended. */
function workflowOf(environment: NodeJS.ProcessEnv): WorkflowIdentity | null {
  const attempt = Number(environment.GITHUB_RUN_ATTEMPT);
  const run = runOf(environment);
  return run !== null && Number.isSafeInteger(attempt) && attempt > 0 ? { job: run, attempt } : null;
}

/** Null where the system does not tell its boot and process namespace (Linux does): a pid alone proves nothing. */
function processIdentity(): ProcessIdentity | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return { machine: `${hostname()} ${boot} ${readlinkSync("/proc/self/ns/pid")}`, pid: process.pid };
  } catch {
    return null;
  }
}
