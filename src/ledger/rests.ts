import { normalisePath } from "../flink/paths.ts";
import type { Entry, Fact, JobReference } from "./entry.ts";
import type { Settled } from "./fold.ts";

/** The state that a program was left with: a savepoint, or a checkpoint that outlived its job. */
export interface Left {
  readonly path: string;
  /** ISO 8601: when its job was seen stopped; null where only a person knows. */
  readonly at: string | null;
  /** The program that took it; null where that is not known. */
  readonly of: JobReference | null;
}

/** Where a job rested once, until its next rest. */
export interface Rest {
  readonly sequence: number;
  readonly deployment: string;
  /** The commit that was deployed last. */
  readonly commit: string | null;
  /** ISO 8601. */
  readonly at: string;
  readonly kind: Settled["kind"];
  /** Of a suspended one. */
  readonly by: "model" | "command" | null;
  readonly jobId: string | null;
  readonly reference: JobReference | null;
  readonly restored: string | null;
  /** What it was stopped with when it was replaced, or rests with; null where there is none, or nothing tells. */
  readonly left: Left | null;
}

/** What the job rested as once the deployment of that last entry was done; null before its first rest. */
export function restAt(rests: readonly Rest[], until: number): Rest | null {
  return rests.findLast(({ sequence }) => sequence <= until) ?? null;
}

/** A job did not exist then: it was not known yet, was removed, or had never come to run. */
export function isAbsent(rest: Rest | null): boolean {
  return rest === null || rest.kind === "removed" || (rest.kind === "down" && rest.reference === null);
}

interface Line {
  readonly rests: Rest[];
  /** The newest savepoint that was taken of each job while it ran. */
  readonly saved: Map<string, Left>;
  commit: string | null;
  /** Whether the job was to be stopped since its newest rest. */
  isStopped: boolean;
}

const emptyLine = (): Line => ({ rests: [], saved: new Map(), commit: null, isStopped: false });

/** By the name that each job has now; the entries are in order. Pure. */
export function restsOf(ordered: readonly Entry[]): ReadonlyMap<string, readonly Rest[]> {
  const lines = new Map<string, Line>();
  const stoppedAt = new Map<string, string>();
  for (const entry of ordered) {
    const { fact } = entry;
    if (fact.kind === "renamed") {
      lines.set(entry.job, lines.get(fact.from) ?? emptyLine());
      lines.delete(fact.from);
      continue;
    }
    const line = lines.get(entry.job) ?? emptyLine();
    lines.set(entry.job, line);
    if (fact.kind === "stopped" && fact.savepoint !== null) stoppedAt.set(fact.savepoint, entry.at);
    goOn(line, entry, (path) => stoppedAt.get(path) ?? null);
  }
  return new Map([...lines].filter(([, { rests }]) => rests.length > 0).map(([job, { rests }]) => [job, rests]));
}

function goOn(line: Line, entry: Entry, timeOf: (path: string) => string | null): void {
  const { fact } = entry;
  switch (fact.kind) {
    case "stop-intended":
      line.isStopped = true;
      return;
    case "stopped":
      line.isStopped = true;
      leave(line, fact.jobId, fact.savepoint, entry.at);
      return;
    case "savepoint-taken": {
      const of = line.rests.findLast(({ jobId }) => jobId === fact.jobId)?.reference ?? null;
      line.saved.set(fact.jobId, { path: fact.path, at: entry.at, of });
      return;
    }
    case "disposed":
      forget(line, fact.path);
      return;
    case "submit-intended": {
      // One that had ended by itself left what its successor is started from.
      const newest = line.rests.at(-1);
      const hasGone = !line.isStopped && newest?.kind === "running" && newest.left === null;
      if (hasGone && fact.role === "new" && newest.jobId !== null) leave(line, newest.jobId, fact.restore, null);
      return;
    }
    default: {
      const settled = settledBy(fact);
      if (settled === null) return;
      line.commit = entry.commit ?? line.commit;
      line.isStopped = false;
      line.rests.push(restOf(settled, entry, line.commit, timeOf));
    }
  }
}

function leave(line: Line, jobId: string, path: string | null, at: string | null): void {
  for (const [index, rest] of line.rests.entries()) {
    if (rest.jobId !== jobId) continue;
    // Stopped without one, it left the savepoint that a person had taken of it.
    const left = path === null ? (line.saved.get(jobId) ?? null) : { path, at, of: rest.reference };
    line.rests[index] = { ...rest, left };
  }
}

/** A savepoint that is no more. */
function forget(line: Line, path: string): void {
  const gone = normalisePath(path);
  for (const [index, rest] of line.rests.entries()) {
    if (rest.left !== null && normalisePath(rest.left.path) === gone) line.rests[index] = { ...rest, left: null };
  }
}

/** Where a job rests from this fact on; null where it does not. */
export function settledBy(fact: Fact): Settled | null {
  switch (fact.kind) {
    case "adopted":
      return { kind: "running", jobId: fact.jobId, reference: null, restored: null };
    case "running":
    case "finished":
    case "suspended":
    case "removed":
    case "down":
      return fact;
    default:
      return null;
  }
}

function restOf(
  settled: Settled,
  { sequence, deployment, at }: Entry,
  commit: string | null,
  timeOf: (path: string) => string | null,
): Rest {
  const { kind, reference } = settled;
  const path = "savepoint" in settled ? settled.savepoint : null;
  const of = kind === "suspended" && settled.of !== undefined ? settled.of : reference;
  return {
    sequence,
    deployment,
    commit,
    at,
    kind,
    by: kind === "suspended" ? settled.by : null,
    jobId: "jobId" in settled ? settled.jobId : null,
    reference,
    restored: kind === "running" ? settled.restored : null,
    left: path === null ? null : { path, at: timeOf(path), of },
  };
}
