import { DeployError } from "../errors.ts";
import type { JobReference } from "../ledger/entry.ts";
import type { Deployed, RecordedJob } from "../ledger/fold.ts";
import { bringsAnother, changesProgram, type History, type PastDeployment } from "../ledger/history.ts";
import { isAbsent, type Left, type Rest, restAt } from "../ledger/rests.ts";
import type { Job } from "../project/job.ts";

/**
 * The deployment to go back to: the one that is named, or the one before the newest that changed a program of these jobs.
 * Where that newest one is a rollback, it is where it went: the same command again finishes it, and goes no further back.
 * Throws `unknown-deployment`. Pure.
 */
export function findTarget({ deployments }: History, to: string | null, jobs: readonly string[]): PastDeployment {
  if (to !== null) return namedTarget(deployments, to);
  const newest = deployments.findLastIndex(({ changes }) =>
    changes.some((change) => changesProgram(change) && jobs.includes(change.job)),
  );
  const last = deployments[newest];
  const earlier = deployments.slice(0, Math.max(newest, 0));
  const found = last?.kind === "rollback" ? earlier.findLast(({ ids }) => ids.includes(last.to ?? "")) : earlier.at(-1);
  if (found !== undefined) return found;
  const why = last === undefined ? "the ledger has none that changed these jobs" : `${shown(last)} is the first one`;
  throw new DeployError("unknown-deployment", `there is no earlier deployment to go back to: ${why}`);
}

function namedTarget(deployments: readonly PastDeployment[], to: string): PastDeployment {
  const names = new Set(
    deployments.flatMap(({ ids, commit }) => [...ids, ...(commit === null ? [] : [commit])]).filter(begins(to)),
  );
  if (names.size > 1) {
    throw new DeployError("unknown-deployment", `to: ${to} may be any of ${[...names].join(", ")}; give more of it`);
  }
  const [name = ""] = names;
  const found = deployments.findLast(({ ids, commit }) => ids.includes(name) || commit === name);
  if (found !== undefined) return found;
  throw new DeployError("unknown-deployment", `to: no deployment that changed a job has an id or a commit ${to}`);
}

const begins = (to: string) => (name: string) => name.startsWith(to);

/** `3f2a9c0b1d4e of commit 12ab34cd56`: a deployment as it is named to people. */
export function shown({ ids, commit }: PastDeployment): string {
  const id = (ids.at(-1) ?? "").slice(0, 12);
  return commit === null ? id : `${id} of commit ${commit.slice(0, 10)}`;
}

/** What a job is, beside what it was. */
export type Difference = { readonly job: string } & (
  | { readonly kind: "none" }
  /** It did not exist then. */
  | { readonly kind: "absent" }
  /** It ran, and the ledger does not know what. */
  | { readonly kind: "untold" }
  | {
      readonly kind: "program";
      readonly reference: JobReference;
      /** Whether it is to rest, and by whose will: as it does now, and where it does not exist now, as it did then. */
      readonly suspendedBy: Rest["by"];
      /** `in-hand`: that program is being stopped just now. */
      readonly left: Left | "in-hand" | null;
    }
);

/** What is to be done about each of the jobs to bring its program of then back. Pure. */
export function differences(
  { rests }: Pick<History, "rests">,
  deployed: Deployed,
  target: PastDeployment,
  jobs: readonly string[],
): readonly Difference[] {
  return jobs.map((job) => ({ job, ...differenceOf(rests.get(job) ?? [], deployed.get(job), target) }));
}

type Unnamed<T> = T extends unknown ? Omit<T, "job"> : never;

function differenceOf(
  rests: readonly Rest[],
  recorded: RecordedJob | undefined,
  { until }: PastDeployment,
): Unnamed<Difference> {
  const { attempt = null, settled = null } = recorded ?? {};
  const then = restAt(rests, until);
  const now = rests.at(-1) ?? null;
  const isBegun = attempt !== null && bringsAnother(attempt, settled);
  if (then === null || isAbsent(then)) {
    if (isAbsent(now) && !isBegun) return { kind: "none" };
    // A job that was taken over ran before the ledger knew of it.
    const isTakenOver = then === null && rests[0]?.kind === "running" && rests[0].reference === null;
    return { kind: isTakenOver ? "untold" : "absent" };
  }
  const { reference } = then;
  if (reference === null) return { kind: "untold" };
  const isSame = now?.reference?.digest === reference.digest && now.kind !== "removed" && now.kind !== "down";
  if (isSame && !isBegun) return { kind: "none" };
  const suspendedBy = isAbsent(now) ? then.by : (now?.by ?? null);
  return { kind: "program", reference, suspendedBy, left: leftOf(rests, then, reference, attempt) };
}

/** As long as the program stayed, suspended and resumed or put back, its newest state is the one that it was left with. */
function leftOf(
  rests: readonly Rest[],
  then: Rest,
  { digest }: JobReference,
  attempt: RecordedJob["attempt"],
): Left | "in-hand" | null {
  const later = rests.slice(rests.indexOf(then));
  const end = later.findIndex(({ reference }) => reference?.digest !== digest);
  const last = (end < 0 ? later : later.slice(0, end)).at(-1) ?? then;
  const isBeingStopped = attempt !== null && attempt.stop !== null && attempt.stopped === null;
  return end < 0 && isBeingStopped && attempt.submissions.length === 0 ? "in-hand" : last.left;
}

/** From what an earlier program starts. */
export type Start =
  | { readonly kind: "left"; readonly left: Left }
  /** From what the job has now, as in an upgrade. */
  | { readonly kind: "progress" }
  | { readonly kind: "in-hand" }
  | { readonly kind: "empty"; readonly why: string }
  | { readonly kind: "none"; readonly why: string };

export interface StartOptions {
  readonly keepsProgress: boolean;
  readonly mayStartEmpty: boolean;
}

/** From what the program of then would start, or why it cannot. Pure. */
export function startOf(
  left: Left | "in-hand" | null,
  { upgradeMode, program }: Pick<Job, "upgradeMode" | "program">,
  { keepsProgress, mayStartEmpty }: StartOptions,
): Start {
  if (program.runtimeMode === "batch") return { kind: "empty", why: "a batch job is run again" };
  if (left === "in-hand") return { kind: "in-hand" };
  const stateless = { kind: "empty", why: "upgrade_mode is stateless" } as const;
  if (keepsProgress) return upgradeMode === "stateless" ? stateless : { kind: "progress" };
  if (left !== null) return { kind: "left", left };
  if (upgradeMode === "stateless") return stateless;
  if (mayStartEmpty) return { kind: "empty", why: "as was agreed" };
  return { kind: "none", why: "no savepoint of it is known" };
}
