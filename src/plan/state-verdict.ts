import type { Job } from "../project/job.ts";
import type { ChangeKind, StateVerdict } from "./plan.ts";

/** What happens to the state under plain SQL, where only Flink knows at the restore which state it takes over. */
export function stateVerdict(kind: ChangeKind, before: Job | null, after: Job | null): StateVerdict {
  if ((after ?? before)?.program.runtimeMode === "batch")
    return { kind: "none", text: "A batch job has no state; it runs to its end." };
  switch (kind) {
    case "create":
      return creation(after);
    case "remove":
      return { kind: "kept", text: "The savepoint of the stop stays in the ledger." };
    case "suspend":
      return { kind: "kept", text: "The savepoint of the stop stays in the ledger until the job resumes." };
    case "none":
      return { kind: "kept", text: "Nothing is done to the job, and its state stays." };
    case "resume":
      return before?.digest === after?.digest
        ? { kind: "kept", text: "The same program goes on from the savepoint it was suspended with." }
        : replaced(after);
    case "upgrade":
      return replaced(after);
  }
}

function creation(after: Job | null): StateVerdict {
  if (after?.startFrom == null) return { kind: "none", text: "A new job starts with empty state." };
  return {
    kind: "flink-decides",
    text: "The model names a savepoint to start from; Flink decides at the restore whether it fits.",
  };
}

function replaced(after: Job | null): StateVerdict {
  switch (after?.upgradeMode) {
    case "stateless":
      return { kind: "dropped", text: "upgrade_mode is stateless: all state is dropped, the new job starts empty." };
    // `last_state` too: no deployment restores from a checkpoint yet.
    default:
      return {
        kind: "flink-decides",
        text: "Restored from a savepoint; Flink decides at the restore which operators take their state over.",
      };
  }
}
