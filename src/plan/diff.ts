import type { Job } from "../project/job.ts";
import { type LikelyRename, likelyRenames } from "./likely-renames.ts";
import type { Change, ChangeKind, Reason } from "./plan.ts";
import { programReasons } from "./reasons.ts";
import { isNewPath, type Rest, stateVerdict, unknownState } from "./state-verdict.ts";

export interface Jobs {
  readonly base: readonly Job[];
  readonly head: readonly Job[];
  /**
   * Base jobs that are suspended on the cluster, whatever base's models say: by name the digest of the program that took
   * their savepoint, null where a person named it.
   */
  readonly suspendedInBase?: ReadonlyMap<string, string | null>;
  /** Names of jobs that Flink refuses, which therefore are missing from that side; their findings block a deployment. */
  readonly invalid?: { readonly base: ReadonlySet<string>; readonly head: ReadonlySet<string> };
  /** Those that a person suspended by command: a deployment leaves them suspended until they are resumed. */
  readonly held?: ReadonlySet<string>;
  /** What the ledger knows of jobs that are not in base: they were removed, or taken over without their program. */
  readonly past?: ReadonlyMap<string, "removed" | "taken-over">;
  /** Jobs as they ran whose removal left no savepoint that is safe to start from; none of batch mode. */
  readonly lost?: ReadonlyMap<string, Job>;
  /** Whether a job that no model defines any more is left running. */
  readonly keepRemoved?: boolean;
  /** New names by old ones: such a job keeps its state. */
  readonly renames: Readonly<Record<string, string>>;
  /** New paths by old ones of the project's files that git says were renamed between base and head. */
  readonly renamedFiles?: ReadonlyMap<string, string>;
}

/** The object of the reasons that say how a job that seems to have another name keeps its state. */
export const renameReason = "rename";

/** What a deployment of head would do to each job of base, in head's order, then what is removed. Pure. */
export function diffJobs({
  base,
  head,
  suspendedInBase = new Map(),
  held,
  keepRemoved,
  past,
  lost,
  invalid,
  renames,
  renamedFiles = new Map(),
}: Jobs): readonly Change[] {
  const bases = new Map(base.map((job) => [job.name, job]));
  const heads = new Map(head.map((job) => [job.name, job]));
  // A rename counts where it really is one, so that it may stay in a workflow when it was done.
  const renamed = new Map(
    Object.entries(renames).flatMap(([from, to]) =>
      bases.has(from) && !heads.has(from) && heads.has(to) && !bases.has(to) ? [[to, from] as const] : [],
    ),
  );
  const predecessor = (job: Job): Job | null => bases.get(renamed.get(job.name) ?? job.name) ?? null;
  const kept = new Set(head.flatMap((job) => predecessor(job)?.name ?? []));
  // A job is not removed because its model does not compile, under its old name or its new one.
  const isInvalid = (name: string): boolean => invalid?.head.has(renames[name] ?? name) ?? false;
  const removed = base.filter((job) => !kept.has(job.name) && !isInvalid(job.name));
  const created = head.filter((job) => predecessor(job) === null);
  const likely = likelyRenames(removed, created, renamedFiles);
  return [
    ...head.map((after) => {
      const before = predecessor(after);
      return before === null
        ? (comeback(after, past?.get(after.name)) ??
            lostState(after, lost?.get(after.name)) ??
            creation(after, likely, invalid?.base.has(after.name) ?? false))
        : transition(before, after, {
            rest: restOf(before, suspendedInBase),
            isHeld: held?.has(before.name) ?? false,
          });
    }),
    ...removed.map((before) => (keepRemoved === true ? keeping(before) : removal(before, likely))),
  ];
}

/** Not in base, and not new to the cluster either: a deployment goes on from the state that there is. */
function comeback(after: Job, past: "removed" | "taken-over" | undefined): Change | null {
  if (past === undefined || after.desiredState === "suspended" || after.program.runtimeMode === "batch") return null;
  const text =
    past === "removed"
      ? "back in the project: it goes on from the savepoint that its removal left"
      : "runs already, and the ledger does not know its program";
  const state = stateVerdict("upgrade", null, after);
  return { ...change(past === "removed" ? "create" : "upgrade", null, after, [reasonOf("job")(text)]), state };
}

/** As `hasNoWayBack` of the deployment decides it. */
function lostState(after: Job, before: Job | undefined): Change | null {
  if (before === undefined || after.desiredState === "suspended" || after.program.runtimeMode === "batch") return null;
  if (after.upgradeMode === "stateless" || isNewPath(before, after)) return null;
  const text =
    "back in the project, and its removal left no savepoint: the deployment refuses it until its state is chosen";
  return { ...change("create", null, after, [reasonOf("job")(text)]), state: unknownState };
}

function creation(after: Job, likely: readonly LikelyRename[], isInvalidInBase: boolean): Change {
  if (isInvalidInBase)
    return change("create", null, after, [
      reasonOf("job")("Flink refuses the model in the base, so there is nothing to compare with"),
    ]);
  const text = after.desiredState === "suspended" ? "new, and suspended: it is not started yet" : "new in the project";
  const rename = likely.find(({ to }) => to === after);
  const hint = rename === undefined ? [] : [renameHint(`looks like ${rename.from.name} renamed`, rename)];
  return change("create", null, after, [reasonOf("job")(text), ...hint]);
}

function removal(before: Job, likely: readonly LikelyRename[]): Change {
  const rename = likely.find(({ from }) => from === before);
  const hint = rename === undefined ? [] : [renameHint(`looks like it is ${rename.to.name} now`, rename)];
  return change("remove", before, null, [reasonOf("job")("removed from the project"), ...hint]);
}

function renameHint(looks: string, { from, to, evidence }: LikelyRename): Reason {
  const text = `${looks} (${evidence}): set \`renames: ${from.name}=${to.name}\` to keep its state`;
  return { object: renameReason, text };
}

function keeping(before: Job): Change {
  return change("none", before, null, [reasonOf("job")("removed from the project, and kept running")]);
}

function restOf(before: Job, suspended: ReadonlyMap<string, string | null>): Rest | null {
  const of = suspended.get(before.name);
  if (of !== undefined) return { of };
  return before.desiredState === "suspended" ? { of: before.digest } : null;
}

interface Suspension {
  /** Null for a job that is not suspended. */
  readonly rest: Rest | null;
  /** Suspended by command, whatever the project says. */
  readonly isHeld: boolean;
}

function transition(before: Job, after: Job, { rest, isHeld }: Suspension): Change {
  const isChanged = before.digest !== after.digest || before.name !== after.name;
  const program = isChanged ? programReasons(before, after) : [];
  // Digests decide; a difference that none of the words fits is still one.
  const unnamed =
    before.digest !== after.digest && program.length === 0 ? [reasonOf("program")("program changed")] : [];
  const reasons = [
    ...(before.name === after.name ? [] : [reasonOf("job")(`renamed from ${before.name} (state kept)`)]),
    ...program,
    ...unnamed,
    ...(before.upgradeMode === after.upgradeMode
      ? []
      : [reasonOf("upgrade mode")(`upgrade_mode ${before.upgradeMode} → ${after.upgradeMode}`)]),
  ];
  const staysSuspended = after.desiredState === "suspended" || isHeld;
  const kind = kindOf(rest !== null, staysSuspended, isChanged);
  const all = [...stateReasons(before, after, isHeld), ...reasons];
  return { ...change(kind, before, after, all), state: stateVerdict(kind, before, after, rest) };
}

/** A changed program of a job that stays suspended is not deployed: it is taken up when the job resumes. */
function kindOf(wasSuspended: boolean, isSuspended: boolean, isChanged: boolean): ChangeKind {
  if (wasSuspended) return isSuspended ? "none" : "resume";
  if (isSuspended) return "suspend";
  return isChanged ? "upgrade" : "none";
}

function stateReasons(before: Job, after: Job, isHeld: boolean): readonly Reason[] {
  const say = reasonOf("job state");
  if (isHeld) return [say("suspended by hand, and stays so until it is resumed")];
  if (before.desiredState !== after.desiredState)
    return [say(`job_state ${before.desiredState} → ${after.desiredState}`)];
  return [];
}

function change(kind: ChangeKind, before: Job | null, after: Job | null, reasons: readonly Reason[]): Change {
  const renamedFrom = before !== null && after !== null && before.name !== after.name ? before.name : null;
  return {
    kind,
    job: after?.name ?? before?.name ?? "",
    renamedFrom,
    before,
    after,
    reasons,
    state: stateVerdict(kind, before, after),
    explainedBefore: null,
    explainedAfter: null,
  };
}

function reasonOf(object: string): (text: string) => Reason {
  return (text) => ({ object, text });
}
