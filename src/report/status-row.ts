import { type ClusterJob, type Health, hasEnded } from "../deploy/cluster.ts";
import type { RecordedJob, Settled } from "../ledger/fold.ts";
import { duration } from "./amounts.ts";

/** What `status` shows of one job; an element of its `jobs` output. */
export interface StatusRow {
  readonly job: string;
  readonly recorded: Settled["kind"] | "unknown";
  readonly commit: string | null;
  /** ISO 8601. */
  readonly since: string | null;
  readonly jobId: string | null;
  readonly clusterState: string | null;
  /** What a job that does not run rests with. */
  readonly savepoint: string | null;
  /** Since it was submitted; this and what follows is null where the JobManager does not tell. */
  readonly uptimeMs: number | null;
  readonly lastCheckpoint: ShownCheckpoint | null;
  /** Of that checkpoint, in bytes. */
  readonly stateSize: number | null;
  /** Where it would start again from, should the cluster lose it now; null: nowhere that is known. */
  readonly startsFrom: { readonly kind: "checkpoint" | "savepoint"; readonly path: string } | null;
  /** What somebody has to do: the command ends with an error. */
  readonly problem: string | null;
  /** What somebody should know before it becomes one. */
  readonly warning: string | null;
}

export interface ShownCheckpoint {
  /** ISO 8601. */
  readonly at: string;
  readonly ageMs: number;
  /** Null where nothing outside of Flink can address it. */
  readonly path: string | null;
}

/** What is known of one job. `health` is of the job that the ledger says runs, and null where nobody tells. */
export interface SeenJob {
  readonly name: string;
  readonly recorded: RecordedJob | null;
  readonly jobs: readonly ClusterJob[];
  readonly health: Health | null;
  readonly warning: string | null;
}

/** Pure. */
export function statusRow({ name, recorded, jobs, health, warning }: SeenJob): StatusRow {
  const settled = recorded?.settled ?? null;
  const expected = settled?.kind === "running" || settled?.kind === "finished" ? settled.jobId : null;
  const alive = jobs.filter((job) => !hasEnded(job.state) && (job.name === name || job.id === expected));
  const ours = jobs.find((job) => job.id === expected) ?? null;
  const newest = health?.newestCheckpoint ?? null;
  return {
    job: name,
    recorded: settled?.kind ?? "unknown",
    commit: recorded?.commit ?? null,
    since: recorded?.at ?? null,
    jobId: expected ?? alive[0]?.id ?? null,
    clusterState: ours?.state ?? alive[0]?.state ?? null,
    savepoint: settled !== null && "savepoint" in settled ? settled.savepoint : null,
    uptimeMs: health === null ? null : health.now - health.startedAt,
    lastCheckpoint:
      health === null || newest === null
        ? null
        : { at: new Date(newest.at).toISOString(), ageMs: health.now - newest.at, path: newest.path },
    stateSize: newest?.stateSize ?? null,
    startsFrom: startsFrom(recorded, newest?.path ?? null),
    problem:
      problemOf(recorded, ours, alive) ?? (health === null || settled === null ? null : ailment(health, expected)),
    warning,
  };
}

/** The newest checkpoint that is seen, else the newest state that was noted, else what the job was started from. */
function startsFrom(recorded: RecordedJob | null, seen: string | null): StatusRow["startsFrom"] {
  const { settled = null, noted = null } = recorded ?? {};
  if (settled === null || settled.kind === "finished") return null;
  if (settled.kind !== "running") return settled.savepoint === null ? null : placed(settled.savepoint);
  const path = seen ?? (noted?.jobId === settled.jobId ? noted.path : null) ?? settled.restored;
  return path === null ? null : placed(path);
}

function placed(path: string): NonNullable<StatusRow["startsFrom"]> {
  return { kind: /\/chk-\d+\/*$/.test(path) ? "checkpoint" : "savepoint", path };
}

function problemOf(recorded: RecordedJob | null, ours: ClusterJob | null, alive: readonly ClusterJob[]): string | null {
  const settled = recorded?.settled ?? null;
  if (recorded?.attempt) return "a deployment of it did not end; run the same command again";
  if (settled === null) return "runs and is not in the ledger; the next deployment takes it over or leaves it";
  if (settled.kind === "running") {
    const then = "run `deploy`, which starts it again or says which path it needs";
    if (ours === null) return `job ${settled.jobId} is not known to the cluster any more; ${then}`;
    // A batch job is recorded only once it has finished.
    if (ours.state === "FINISHED")
      return `job ${settled.jobId} is FINISHED; run \`deploy\`, which tells whether it read its sources to their end`;
    if (hasEnded(ours.state)) return `job ${settled.jobId} is ${ours.state}; ${then}`;
    if (ours.state === "RESTARTING" || ours.state === "FAILING") return `job ${settled.jobId} is ${ours.state}`;
  }
  const others = alive.filter((job) => job.id !== ours?.id);
  if (others.length > 0) return `also runs as ${others.map((job) => job.id).join(", ")}`;
  return settled.kind === "down" ? adviceFor(settled) : null;
}

function adviceFor({ savepoint }: { readonly savepoint: string | null }): string {
  return savepoint === null
    ? "is down, and nothing of its state is kept; mend the cause and run `deploy`, which starts it empty"
    : `is down; mend the cause and run \`deploy\`, which starts it from ${savepoint}`;
}

/** A job may fail now and then; one that fails more often than this between two checkpoints does not get on. */
const mostFailures = 3;
/** A checkpoint may be late, and one may fail. */
const mostIntervals = 3;
const graceMs = 60_000;

/** What ails a job that runs. */
function ailment(health: Health, jobId: string | null): string | null {
  const { now, startedAt, newestCheckpoint, checkpointIntervalMs: interval, failuresSince, lastFailure } = health;
  const since = newestCheckpoint === null ? "since its start" : "since its last checkpoint";
  if (failuresSince > mostFailures) {
    const why = lastFailure === null ? "" : `: ${lastFailure}`;
    return `job ${jobId} restarts again and again, ${failuresSince} times ${since}${why}`;
  }
  const withoutMs = now - Math.max(newestCheckpoint?.at ?? 0, startedAt);
  if (interval === null || withoutMs <= mostIntervals * interval + graceMs) return null;
  return `job ${jobId} has completed no checkpoint for ${duration(withoutMs)}, though it is to take one every ${duration(interval)}: should it fail, it processes all since then again`;
}
