import type { Job } from "../project/job.ts";
import type { ChangeKind, StateVerdict } from "./plan.ts";

/** Of a suspended job: the digest of the program that took its savepoint; null where a person named the savepoint. */
export interface Rest {
  readonly of: string | null;
}

/** What happens to the state under plain SQL, where only Flink knows at the restore which state it takes over. */
export function stateVerdict(
  kind: ChangeKind,
  before: Job | null,
  after: Job | null,
  rest: Rest | null = null,
): StateVerdict {
  if ((after ?? before)?.program.runtimeMode === "batch")
    return { kind: "none", text: "A batch job has no state; it runs to its end." };
  switch (kind) {
    case "create":
      return creation(after);
    case "remove":
      return { kind: "kept", text: "The savepoint of the stop stays in the ledger." };
    case "suspend":
      return resting(
        "The savepoint of the stop stays in the ledger until the job resumes",
        before?.digest ?? null,
        after,
      );
    case "none":
      if (rest !== null) return resting("Its savepoint stays in the ledger until the job resumes", rest.of, after);
      return { kind: "kept", text: "Nothing is done to the job, and its state stays." };
    case "resume":
      return resumed(before, after, rest);
    case "upgrade":
      return replaced(before, after);
  }
}

/** What the savepoint is worth is decided when the job resumes. */
function resting(kept: string, of: string | null, after: Job | null): StateVerdict {
  const startsEmpty = after?.upgradeMode === "stateless" && of !== null && of !== after.digest;
  const then = "; upgrade_mode is stateless, so unless the change is taken back the job starts empty then";
  return { kind: "kept", text: `${kept}${startsEmpty ? then : ""}.` };
}

function resumed(before: Job | null, after: Job | null, rest: Rest | null): StateVerdict {
  if (isNewPath(before, after)) return fromNamedPath;
  const of = rest === null ? (before?.digest ?? null) : rest.of;
  if (of !== null && of === after?.digest)
    return { kind: "kept", text: "The same program goes on from the savepoint it was suspended with." };
  if (of !== null) return replaced(before, after);
  return { kind: "flink-decides", text: "Restored from the savepoint that was named; Flink decides whether it fits." };
}

/** A path counts once: where the job did not name it before. */
export function isNewPath(before: Job | null, after: Job | null): boolean {
  return after !== null && after.startFrom !== null && after.startFrom !== before?.startFrom;
}

/** Of a job that ran, and left nothing from which it sends no record twice. */
export const unknownState: StateVerdict = {
  kind: "unknown",
  text: "Its removal left no savepoint from which it sends no record twice. Where it may read everything again, name it in `allow-fresh-start`; or put a path into its execution_config as execution.savepoint.path.",
};

const fromNamedPath: StateVerdict = {
  kind: "flink-decides",
  text: "The model names a savepoint to start from; Flink decides at the restore whether it fits.",
};

function creation(after: Job | null): StateVerdict {
  if (after?.startFrom == null) return { kind: "none", text: "A new job starts with empty state." };
  return fromNamedPath;
}

function replaced(before: Job | null, after: Job | null): StateVerdict {
  switch (after?.upgradeMode) {
    case "stateless":
      if (isNewPath(before, after))
        return {
          kind: "dropped",
          text: "upgrade_mode is stateless: all state is dropped, the new job starts from the savepoint that the model names.",
        };
      return { kind: "dropped", text: "upgrade_mode is stateless: all state is dropped, the new job starts empty." };
    case "last_state":
      return {
        kind: "flink-decides",
        text: "Restored from the job's newest checkpoint where that outlives the job, else from a savepoint; Flink decides at the restore which operators take their state over.",
      };
    default:
      return {
        kind: "flink-decides",
        text: "Restored from a savepoint; Flink decides at the restore which operators take their state over.",
      };
  }
}
