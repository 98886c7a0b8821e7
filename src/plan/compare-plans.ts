import { createHash } from "node:crypto";
import { programDigest } from "../project/digest.ts";
import type { Job } from "../project/job.ts";
import { maskSecretsByKey } from "../secrets.ts";
import type { Change, ChangeKind, Plan, StateVerdict } from "./plan.ts";
import { maskedJob } from "./plan-file.ts";

/** One job's part of a plan that somebody reviewed. */
export interface ReviewedChange {
  readonly job: string;
  readonly kind: ChangeKind;
  /** `reviewDigest` of what is to run; null where nothing is. */
  readonly digest: string | null;
  readonly state: StateVerdict["kind"];
}

export interface ReviewedPlan {
  readonly flinkVersion: string;
  /** Of the jobs that change, at least. */
  readonly changes: readonly ReviewedChange[];
}

/** Where a deployment is not what was reviewed; `job` is null where all of it is concerned. */
export interface PlanDifference {
  readonly kind:
    | "other-flink"
    /** Another program or mode than the reviewed one, or a job that is not there, or not removed. */
    | "other-effect"
    /** The same program, but its state is lost now. */
    | "loses-state"
    /** The reviewed plan does not change this job: another pull request may. */
    | "not-in-plan";
  readonly job: string | null;
  readonly reviewed: string;
  readonly planned: string;
}

/**
 * The first 40 digits of a sha-256 over all that a reviewer sees of a job: its program with secrets masked, its modes and where it starts from.
 * A pull request is planned without secrets, so a program's own digest is another one there.
 */
export function reviewDigest(job: Job): string {
  const { program, upgradeMode, desiredState, startFrom } = maskedJob(job);
  const all = JSON.stringify([programDigest(program), upgradeMode, desiredState, startFrom]);
  return createHash("sha256").update(all).digest("hex").slice(0, 40);
}

/** What of a plan is held against a later one. */
export function reviewedChanges(plan: Pick<Plan, "changes">): readonly ReviewedChange[] {
  return plan.changes
    .filter(({ kind, reasons }) => kind !== "none" || reasons.length > 0)
    .map((change) => ({
      job: nameOf(change),
      kind: change.kind,
      digest: digestOf(change.after),
      state: change.state.kind,
    }));
}

/**
 * Where a deployment's plan is not what was reviewed for its commit. Their bases may differ, since other changes may have
 * landed, or failed to be deployed: so what counts is what becomes of each job, not from where
 * (docs/decisions/0013). `others` are reviewed plans of other changes that were merged. Pure.
 */
export function comparePlans(
  planned: Plan,
  reviewed: ReviewedPlan,
  others: readonly ReviewedPlan[] = [],
): readonly PlanDifference[] {
  const changes = new Map(planned.changes.map((change) => [nameOf(change), change]));
  const inPlan = new Set(reviewed.changes.map(({ job }) => job));
  return [
    ...otherFlink(planned.flinkVersion, reviewed.flinkVersion),
    ...reviewed.changes.flatMap((one) => differenceOf(one, changes.get(one.job) ?? null)),
    ...planned.changes.filter(needsReview).flatMap((change): readonly PlanDifference[] => {
      const job = nameOf(change);
      if (inPlan.has(job) || others.some((other) => showsTheSame(other, change))) return [];
      return [{ kind: "not-in-plan", job, reviewed: "unchanged", planned: effectOf(change) }];
    }),
  ];
}

/** Patch releases plan alike. */
function otherFlink(planned: string, reviewed: string): readonly PlanDifference[] {
  const minor = (version: string): string => version.split(".").slice(0, 2).join(".");
  if (minor(planned) === minor(reviewed)) return [];
  return [{ kind: "other-flink", job: null, reviewed: `Flink ${reviewed}`, planned: `Flink ${planned}` }];
}

function differenceOf(one: ReviewedChange, change: Change | null): readonly PlanDifference[] {
  // A job that was to be removed and is not known is removed already.
  if (change === null && one.digest === null) return [];
  const reviewed = one.digest === null ? keptOrRemoved(one.kind) : shown(one.kind, one.digest);
  const planned = change === null ? "no such job" : effectOf(change);
  const isSame =
    change !== null &&
    digestOf(change.after) === one.digest &&
    (one.digest !== null || (change.kind === "remove") === (one.kind === "remove"));
  if (!isSame) return [{ kind: "other-effect", job: one.job, reviewed, planned }];
  const isLost = change.state.kind === "dropped" && one.state !== "dropped" && change.kind !== "none";
  if (!isLost) return [];
  return [
    {
      kind: "loses-state",
      job: one.job,
      reviewed: `${reviewed}, state ${one.state}`,
      planned: `${planned}, state dropped`,
    },
  ];
}

/**
 * Not where what runs afterwards looks as what ran before: a job that is down and starts again, or a secret that was
 * changed, which no plan of a pull request knows.
 */
function needsReview({ kind, before, after }: Change): boolean {
  return kind !== "none" && (before === null || after === null || digestOf(before) !== digestOf(after));
}

function showsTheSame(plan: ReviewedPlan, change: Change): boolean {
  return plan.changes.some((one) => one.job === nameOf(change) && differenceOf(one, change).length === 0);
}

/** As it stands in plan files and comments. */
const nameOf = ({ job }: Change): string => maskSecretsByKey(job);

function effectOf({ kind, after }: Change): string {
  return after === null ? keptOrRemoved(kind) : shown(kind, reviewDigest(after));
}

const keptOrRemoved = (kind: ChangeKind): string => (kind === "remove" ? "removed" : "kept running");

const shown = (kind: ChangeKind, digest: string): string =>
  `${kind === "none" ? "unchanged" : kind}, ${digest.slice(0, 12)}`;

function digestOf(job: Job | null): string | null {
  return job === null ? null : reviewDigest(job);
}
