import { type ClusterJob, hasEnded } from "../deploy/cluster.ts";
import type { Consent, Desired } from "../deploy/step.ts";
import { DeployError } from "../errors.ts";
import { isInside, isSamePath } from "../flink/paths.ts";
import type { Attempt, RecordedJob } from "../ledger/fold.ts";

export interface NamedPath {
  /** As a URI. */
  readonly path: string;
  readonly consent: Consent;
  /** What the cluster knows. */
  readonly jobs: readonly ClusterJob[];
}

/**
 * Where a job is to start since a person says so, once it is clear that no newer state is given up without their consent.
 * Throws `needs-operator`. Pure.
 */
export function namedPath(
  recorded: RecordedJob,
  { path, consent, jobs }: NamedPath,
): Pick<Extract<Desired, { kind: "running" }>, "startFrom" | "answer" | "rewind"> {
  const { name, settled, attempt } = recorded;
  const ours = new Set([
    ...(settled?.kind === "running" ? [settled.jobId] : []),
    ...(attempt === null ? [] : [attempt.stop?.jobId, ...attempt.submissions.map(({ jobId }) => jobId)]),
  ]);
  const alive = jobs.find(({ id, state }) => ours.has(id) && !hasEnded(state));
  if (alive !== undefined) {
    const then = "suspend it first, so that its state is kept, and resume it from that path then";
    throw new DeployError("needs-operator", `${name} runs as ${alive.id}; ${then}`);
  }
  const known = attempt === null ? stateAtRest(recorded) : stateInHand(attempt);
  const isAsKnown = known.kind === "none" || (known.kind === "path" && isSamePath(known.path, path));
  const isOfTheStop = known.kind === "in-folder" && isInside(path, known.folder);
  if (!isAsKnown && !isOfTheStop && !consent.toReplay) {
    const what = "what the job processed between the two is processed again, or left out";
    throw new DeployError(
      "needs-operator",
      `${name} ${described(known)}; from ${path}, ${what}. Set \`allow-replay: ${name}\` if that is meant`,
    );
  }
  const none = { startFrom: null, answer: null, rewind: null };
  // With an attempt in hand, the ledger says what it was begun with; the path is the answer where that is stuck.
  return attempt === null ? { ...none, startFrom: path } : { ...none, answer: path };
}

/** The newest state of a job, as far as the ledger tells it. */
type Known =
  | { readonly kind: "none" }
  | { readonly kind: "path"; readonly path: string }
  /** A stop was to leave a savepoint there. */
  | { readonly kind: "in-folder"; readonly folder: string }
  | { readonly kind: "unknown" };

function stateAtRest({ settled, noted }: RecordedJob): Known {
  if (settled === null) return { kind: "none" };
  switch (settled.kind) {
    case "running":
      // It is gone: what it last completed is what was noted, or nobody has told.
      return noted !== null && noted.jobId === settled.jobId ? { kind: "path", path: noted.path } : { kind: "unknown" };
    case "finished":
      return { kind: "unknown" };
    default:
      return settled.savepoint === null ? { kind: "none" } : { kind: "path", path: settled.savepoint };
  }
}

function stateInHand({ stop, stopped, submissions }: Attempt): Known {
  const last = submissions.at(-1);
  const path = last === undefined ? (stopped?.savepoint ?? null) : last.restore;
  if (path !== null) return { kind: "path", path };
  // It was to start without any state, or was stopped so.
  if (last !== undefined || stopped !== null) return { kind: "none" };
  const folder = stop?.savepointFolder ?? null;
  return folder === null ? { kind: "unknown" } : { kind: "in-folder", folder };
}

function described(known: Known): string {
  switch (known.kind) {
    case "path":
      return `has its newest known state in ${known.path}`;
    case "in-folder":
      return `was stopped with a savepoint into ${known.folder}`;
    default:
      return "may have a newer state than the ledger tells";
  }
}
