import { createHash } from "node:crypto";

function hex32(...parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

/** 32 hex. The same environment, commit and plan give the same deployment, whoever runs it and how often. */
export function deploymentId(environment: string, commit: string, planDigest: string): string {
  return hex32("deployment", environment, commit, planDigest);
}

/**
 * What one attempt at one job is derived from. `since` is the entry that ended the attempt before ("" before the first):
 * without it, trying again or going back to an earlier commit would reuse ids that Flink has seen, which it refuses
 * for good, or answers as it did then.
 */
export interface AttemptKey {
  readonly environment: string;
  readonly deployment: string;
  readonly job: string;
  readonly since: string;
}

/** 32 hex; `number` counts the submissions of the attempt from 1. */
export function jobId(key: AttemptKey, number: number): string {
  return hex32("job", key.environment, key.deployment, key.job, key.since, String(number));
}

/** Of the job that does nothing but use up an id, so that Flink refuses whatever comes under it later. */
export function fenceName(job: string): string {
  return `flink-dbt-deploy fence ${job}`;
}

/** 32 hex: asking to stop twice under one trigger id takes one savepoint (facts 3). */
export function triggerId(key: AttemptKey): string {
  return hex32("trigger", key.environment, key.deployment, key.job, key.since);
}

/** 32 hex: of the `number`-th checkpoint that a job was asked for. */
export function checkpointId(job: string, number: number): string {
  return hex32("checkpoint", job, String(number));
}

/** `<dir>/<environment>/<job>/<deployment>`, each part safe in a URI; so a savepoint can be found by where it lies. */
export function savepointFolder(directory: string, key: AttemptKey): string {
  const part = (name: string): string =>
    name.replace(/[^A-Za-z0-9_-]/gu, (sign) => `~${sign.codePointAt(0)?.toString(16)}~`);
  const last = hex32("savepoint", key.deployment, key.since).slice(0, 16);
  return [directory.replace(/\/+$/, ""), part(key.environment), part(key.job), last].join("/");
}
