import type { Change, ChangeKind, Plan } from "../plan/plan.ts";
import { count } from "./markdown-text.ts";

/** What the plan comes to, in one line of Markdown without text of others. */
export function verdictLine({ changes, findings }: Plan): string {
  const refused = findings.filter(({ severity }) => severity === "error");
  const changing = changes.filter(({ kind }) => kind !== "none");
  const total =
    changing.length === 0 ? "No job changes." : `${count(changing.length, "job")} will change: ${totals(changes)}.`;
  const dropped = changing.filter(({ state }) => state.kind === "dropped").length;
  const unknown = changing.filter(({ state }) => state.kind === "unknown").length;
  const warnings = findings.filter(({ severity }) => severity === "warning").length;
  const warning = [
    ...(dropped === 0 ? [] : [` ⚠️ **${count(dropped, "job")} will lose all state.**`]),
    ...(unknown === 0 ? [] : [` ⚠️ **${count(unknown, "job")} will be refused, since the state is not known.**`]),
    ...(warnings === 0 ? [] : [` ⚠️ ${count(warnings, "warning")}, see below.`]),
  ].join("");
  if (refused.length > 0)
    return `⛔ **This plan cannot be deployed: ${count(refused.length, "error")}, see below.** ${total}${warning}`;
  return changing.length === 0 ? `✅ **${total}**` : `**${total}**${warning}`;
}

const order: readonly ChangeKind[] = ["create", "upgrade", "suspend", "resume", "remove"];

/** `2 to create, 1 to upgrade`. */
export function totals(changes: readonly Change[]): string {
  return order
    .map((kind) => ({ kind, number: changes.filter((change) => change.kind === kind).length }))
    .filter(({ number }) => number > 0)
    .map(({ kind, number }) => `${number} to ${kind}`)
    .join(", ");
}

/** The state verdict in a word or two, for a row of the table. */
export function stateWord({ state, kind }: Change): string {
  switch (state.kind) {
    case "none":
      return kind === "create" ? "starts empty" : "none";
    case "kept":
      return "kept";
    case "dropped":
      return "⚠️ **dropped**";
    case "flink-decides":
      return "Flink decides at the restore";
    case "unknown":
      return "⚠️ **not known**";
  }
}

/** What a deployment of this change does, in a few words, for a row of the table. */
export function deploymentWord(change: Change): string {
  const { kind, before, after, state } = change;
  if (state.kind === "unknown") return "refuse";
  const isBatch = (after ?? before)?.program.runtimeMode === "batch";
  switch (kind) {
    case "create":
      if (after?.desiredState === "suspended") return "nothing: it is suspended";
      return isBatch ? "run to the end" : "start";
    case "upgrade":
      if (isBatch) return "run again to the end";
      if (after?.upgradeMode === "stateless") return "restart empty";
      return after?.upgradeMode === "last_state" ? "restart from checkpoint or savepoint" : "restart from savepoint";
    case "suspend":
      return isBatch ? "cancel" : "stop with savepoint";
    case "resume":
      if (isBatch) return "run to the end";
      return state.kind === "dropped" ? "start empty" : "start from its savepoint";
    case "remove":
      if (before?.desiredState === "suspended") return "nothing runs: its savepoint stays";
      return isBatch ? "cancel" : "stop with savepoint";
    case "none":
      if (after === null) return "nothing: it is left running";
      return staysSuspended(change) ? "nothing: it stays suspended" : "nothing";
  }
}

/** By its model or by command: a job of which nothing is done although its state is spoken of, is at rest. */
export function staysSuspended({ kind, after, reasons }: Change): boolean {
  if (kind !== "none" || after === null) return false;
  return after.desiredState === "suspended" || reasons.some(({ object }) => object === "job state");
}

/** What a deployment of this change does, step by step. */
export function deploymentText(change: Change): string {
  if (change.state.kind === "unknown") return "The job is refused with `needs-operator` until one of the two is done.";
  const isBatch = (change.after ?? change.before)?.program.runtimeMode === "batch";
  switch (change.kind) {
    case "create":
      if (change.after?.desiredState === "suspended") return "Nothing is started until `job_state` is `running`.";
      return isBatch
        ? "The job is run to its end."
        : "The job is started and watched until it runs and completes a checkpoint.";
    case "upgrade":
      return upgradeText(change, isBatch);
    case "suspend":
      return "The job is stopped with a savepoint and stays down until it is resumed.";
    case "resume":
      return "The job is started again and watched until it runs and completes a checkpoint.";
    case "remove":
      return "The job is stopped with a savepoint, unless `removed-jobs: keep` leaves it running.";
    case "none":
      return noneText(change);
  }
}

function noneText(change: Change): string {
  if (change.after === null) return "The job is left running.";
  return staysSuspended(change)
    ? "Nothing: the job is suspended, and the change takes effect when it is resumed."
    : "Nothing is done to the job now.";
}

function upgradeText({ after }: Change, isBatch: boolean): string {
  if (isBatch) return "The job is run again to its end.";
  const isStateless = after?.upgradeMode === "stateless";
  const restore = isStateless
    ? "The job is stopped and the new program is started with empty state"
    : after?.upgradeMode === "last_state"
      ? "The job is stopped, and the new program is started from its newest checkpoint where that outlives the job, else from a savepoint"
      : "The job is stopped with a savepoint and the new program is started from it";
  return `${restore}; it processes nothing in between. If the new program does not come to run and complete a checkpoint, the old one is put back${isStateless ? ", with empty state too" : ""}.`;
}
