import { byOrder, type Entry } from "./entry.ts";
import { type Attempt, fold, type Settled } from "./fold.ts";
import { isAbsent, type Rest, restsOf, settledBy } from "./rests.ts";

export interface JobChange {
  readonly job: string;
  /** `begun`: its program is being changed and does not rest yet. The last three change no program. */
  readonly what: "created" | "upgraded" | "removed" | "begun" | "suspended" | "resumed" | "down";
}

/** A deployment that changed jobs, whichever command made it. */
export interface PastDeployment {
  /** Oldest first; several where runs of one commit finished one another's work. */
  readonly ids: readonly string[];
  /** As far as the ledger tells. */
  readonly kind: "deploy" | "suspend" | "resume" | "rollback";
  /** The deployment that a rollback went back to. */
  readonly to: string | null;
  readonly commit: string | null;
  /** ISO 8601: of its last entry. */
  readonly at: string;
  readonly changes: readonly JobChange[];
  /** The sequence of its last entry: what a job rested as by then is what the deployment left. */
  readonly until: number;
}

export interface History {
  /** By the name that the job has now, oldest first. */
  readonly rests: ReadonlyMap<string, readonly Rest[]>;
  /** Oldest first. */
  readonly deployments: readonly PastDeployment[];
}

export const changesProgram = ({ what }: JobChange): boolean =>
  what === "created" || what === "upgraded" || what === "removed" || what === "begun";

/** A moment for people: `2026-01-31 12:00:00 UTC`. */
export function inUtc(at: string): string {
  return at.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC");
}

/** What the entries say was deployed when, and what each job can be started again from. Pure. */
export function historyOf(entries: readonly Entry[]): History {
  const ordered = [...new Map(entries.map((entry) => [entry.id, entry])).values()].sort(byOrder);
  const rests = restsOf(ordered);
  return { rests, deployments: deploymentsOf(ordered, rests) };
}

/** One run of a command: entries of one deployment that follow one another. */
interface Run {
  readonly id: string;
  readonly kind: PastDeployment["kind"];
  readonly to: string | null;
  readonly commit: string | null;
  readonly at: string;
  readonly first: number;
  readonly last: number;
}

function deploymentsOf(
  ordered: readonly Entry[],
  rests: ReadonlyMap<string, readonly Rest[]>,
): readonly PastDeployment[] {
  const runs = runsOf(ordered);
  const changes = changesOf(runs, rests);
  for (const [job, deployment] of begunJobs(ordered)) {
    const run = runs.findLast(({ id }) => id === deployment);
    const known = run === undefined ? undefined : changes.get(run);
    if (known !== undefined && !known.some((one) => one.job === job)) known.push({ job, what: "begun" });
  }
  const past: PastDeployment[] = [];
  for (const [run, all] of changes) if (all.length > 0) add(past, run, all);
  return past;
}

function runsOf(ordered: readonly Entry[]): readonly Run[] {
  const runs: Run[] = [];
  for (const entry of ordered) {
    const kind = kindOf(entry);
    if (kind === null) continue;
    const { deployment: id, sequence: last, commit, at, fact } = entry;
    const before = runs.at(-1);
    if (before?.id !== id) {
      runs.push({ id, kind, to: fact.kind === "rollback-begun" ? fact.to : null, commit, at, first: last, last });
    } else {
      const isSuspension = before.kind === "resume" && kind === "suspend";
      runs[runs.length - 1] = { ...before, kind: isSuspension ? kind : before.kind, at, last };
    }
  }
  return runs;
}

/** Only a deployment has a project and a commit; a rollback begins by saying that it is one. */
function kindOf({ fact, commit, project }: Entry): Run["kind"] | null {
  if (fact.kind === "rollback-begun") return "rollback";
  if (fact.kind !== "stop-intended" && fact.kind !== "submit-intended" && settledBy(fact) === null) return null;
  if (commit !== null || project !== null) return "deploy";
  const suspends = fact.kind === "suspended" || (fact.kind === "stop-intended" && fact.purpose === "suspend");
  return suspends ? "suspend" : "resume";
}

function changesOf(runs: readonly Run[], rests: ReadonlyMap<string, readonly Rest[]>): ReadonlyMap<Run, JobChange[]> {
  const changes = new Map(runs.map((run) => [run, [] as JobChange[]]));
  for (const [job, all] of rests) {
    let next = 0;
    for (const run of runs) {
      const before = all[next - 1] ?? null;
      while ((all[next]?.sequence ?? Number.POSITIVE_INFINITY) <= run.last) next += 1;
      const what = whatChanged(before, all[next - 1] ?? null);
      if (what !== null) changes.get(run)?.push({ job, what });
    }
  }
  return changes;
}

function whatChanged(before: Rest | null, after: Rest | null): JobChange["what"] | null {
  const was = isAbsent(before) ? null : before;
  const is = isAbsent(after) ? null : after;
  if (was === null || is === null) return was === is ? null : is === null ? "removed" : "created";
  if (was.reference?.digest !== is.reference?.digest) return "upgraded";
  const word = ({ kind }: Rest) => (kind === "suspended" || kind === "down" ? kind : null);
  return word(was) === word(is) ? null : (word(is) ?? "resumed");
}

/** Jobs whose program is being changed, with the deployment that began it. */
function begunJobs(ordered: readonly Entry[]): readonly (readonly [job: string, deployment: string])[] {
  return [...fold(ordered).values()].flatMap(({ name, settled, attempt }) =>
    attempt !== null && bringsAnother(attempt, settled) ? [[name, attempt.deployment] as const] : [],
  );
}

/** Whether an attempt is to bring another program than the one that rests, or to end it. */
export function bringsAnother({ stop, submissions }: Attempt, settled: Settled | null): boolean {
  const digest = settled === null || settled.kind === "removed" ? null : (settled.reference?.digest ?? null);
  const isOther = submissions.some(({ role, reference }) => role === "new" && reference.digest !== digest);
  return isOther || stop?.purpose === "upgrade" || stop?.purpose === "remove";
}

/** A run that only finishes what the one before it had left is no deployment of its own. */
function add(past: PastDeployment[], run: Run, changes: readonly JobChange[]): void {
  const { id, kind, to, commit, at, last: until } = run;
  const before = past.at(-1);
  if (before === undefined || !finishes(run, changes, before)) {
    past.push({ ids: [id], kind, to, commit, at, changes, until });
    return;
  }
  const others = before.changes.filter(({ job }) => !changes.some((change) => change.job === job));
  past[past.length - 1] = { ...before, ids: [...before.ids, id], at, changes: [...others, ...changes], until };
}

function finishes(run: Run, changes: readonly JobChange[], before: PastDeployment): boolean {
  const isSame = run.kind === "rollback" ? run.to === before.to : run.commit !== null && run.commit === before.commit;
  const isAlike = run.kind === before.kind && (run.kind === "deploy" || run.kind === "rollback");
  return isSame && isAlike && !before.changes.some((one) => changes.some(({ job }) => job === one.job));
}
