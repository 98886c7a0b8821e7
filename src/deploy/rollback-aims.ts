import { DeployError } from "../errors.ts";
import type { JobReference } from "../ledger/entry.ts";
import { historyOf, inUtc, type PastDeployment } from "../ledger/history.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { loadJob, type Secrets, unsealProgram } from "../ledger/stored-job.ts";
import type { Job, Program } from "../project/job.ts";
import { type Difference, differences, findTarget, type Start, shown, startOf } from "./rollback-plan.ts";
import type { Consent, Desired, Rewind, Settings } from "./step.ts";

export interface RollbackRequest {
  /** The beginning of a deployment's id or commit; null: the one before the newest that changed the jobs. */
  readonly to: string | null;
  readonly jobs: readonly string[];
  readonly keepsProgress: boolean;
  readonly parallelJobs: number;
  readonly settings: Omit<Settings, "deployment" | "canPutBack" | "settledMode">;
  /** By job name. */
  readonly consentOf: (job: string) => Consent;
  /** Asked for only where a program of then holds some. */
  readonly secrets: () => Promise<Secrets>;
}

/** One job's way back; `program` is null where nothing is to run. */
export interface Aim {
  readonly job: string;
  readonly desired: Desired;
  readonly program: Program | null;
  /** What runs from then on, to find its place among the others; null for one that is removed. */
  readonly stored: Job | null;
  readonly note: string | null;
}

export interface RollbackPlan {
  readonly target: PastDeployment;
  readonly aims: readonly Aim[];
  readonly secrets: Secrets;
}

/** Throws `needs-operator` where one of the jobs cannot go back: then none has been touched. */
export async function planRollback(request: RollbackRequest, ledger: Ledger): Promise<RollbackPlan> {
  const history = historyOf(ledger.entries());
  const target = findTarget(history, request.to, request.jobs);
  const found = differences(history, ledger.deployed(), target, request.jobs);
  const opened = new Opened(request.secrets);
  const aims: Aim[] = [];
  const refusals: string[] = [];
  for (const difference of found) {
    const aim = await aimOf(difference, request, ledger, opened);
    if (typeof aim === "string") refusals.push(`${difference.job} ${aim}`);
    else if (aim !== null) aims.push(aim);
  }
  if (refusals.length === 0) return { target, aims, secrets: opened.secrets };
  throw new DeployError(
    "needs-operator",
    `${refusals.join("\n")}\nno job was touched; \`jobs\` can leave out those that cannot go back to ${shown(target)}`,
  );
}

/** Opens stored programs; the project's secrets are asked for once, and only if need be. */
class Opened {
  secrets: Secrets = new Map();
  readonly #ask: () => Promise<Secrets>;
  #isAsked = false;

  constructor(ask: () => Promise<Secrets>) {
    this.#ask = ask;
  }

  async program(sealed: Program): Promise<Program | null> {
    const program = unsealProgram(sealed, this.secrets);
    if (program !== null || this.#isAsked) return program;
    this.#isAsked = true;
    this.secrets = await this.#ask();
    return unsealProgram(sealed, this.secrets);
  }
}

/** Null where nothing is to be done; text says why it cannot be. */
async function aimOf(
  difference: Difference,
  { keepsProgress, consentOf }: RollbackRequest,
  ledger: Ledger,
  opened: Opened,
): Promise<Aim | string | null> {
  const { job, kind } = difference;
  switch (kind) {
    case "none":
      return null;
    case "untold":
      return "was taken over by a later deployment: the ledger does not know the program that it had then";
    case "absent":
      return { job, desired: { kind: "removed" }, program: null, stored: null, note: null };
    case "program": {
      const { reference, left, suspendedBy } = difference;
      const { job: stored } = await loadJob(ledger, reference);
      const consent = consentOf(job);
      const start = startOf(left, stored, { keepsProgress, mayStartEmpty: consent.toStartEmpty });
      if (start.kind === "none") {
        return `cannot start from where it was left (${start.why}): set \`keep-progress\` to start its earlier program from what the job has now, or \`allow-fresh-start\` to start it without state`;
      }
      const rewind = await rewindOf(start, reference, job, ledger);
      const { upgradeMode } = stored;
      const common = { reference, upgradeMode, rewind, startFrom: null, answer: null };
      const note = noteOf(start, suspendedBy !== null);
      const named = { ...stored, name: job };
      if (suspendedBy !== null) {
        return { job, desired: { kind: "suspended", by: suspendedBy, ...common }, program: null, stored: named, note };
      }
      const program = await opened.program(stored.program);
      if (program === null) {
        return "had a program with a secret that the project does not send any more, so it cannot be sent again";
      }
      const { runtimeMode } = stored.program;
      return { job, desired: { kind: "running", runtimeMode, consent, ...common }, program, stored: named, note };
    }
  }
}

async function rewindOf(start: Start, of: JobReference, job: string, ledger: Ledger): Promise<Rewind | null> {
  if (start.kind !== "left" && start.kind !== "empty") return null;
  const running = ledger.job(job).settled?.reference ?? null;
  const stop = running === null ? "savepoint" : (await loadJob(ledger, running)).job.upgradeMode;
  return start.kind === "left" ? { path: start.left.path, of: start.left.of, stop } : { path: null, of, stop };
}

function noteOf(start: Start, isSuspended: boolean): string | null {
  const when = isSuspended ? "once it is resumed, " : "";
  switch (start.kind) {
    case "left": {
      const { path, at } = start.left;
      const since = at === null ? `what came after ${path} is` : `records since ${inUtc(at)} are`;
      return `${when}${since} processed again by the old program, which starts from ${path}`;
    }
    case "progress":
      return `${when}the old program goes on from what the job has now, and Flink decides at the restore which operators take their state over`;
    case "empty":
      return `${when}the old program starts without state: ${start.why}`;
    case "in-hand":
    case "none":
      return null;
  }
}
