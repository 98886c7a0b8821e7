import { describeError } from "../errors.ts";
import { type OldSavepoint, type RetentionPolicy, savepointsToDispose } from "../ledger/retention.ts";
import type { Job } from "../project/job.ts";
import { maskSecrets } from "../secrets.ts";
import type { Outcome } from "./deployment.ts";
import { inParallel } from "./in-parallel.ts";
import type { RunContext } from "./task.ts";

export interface DisposalOptions {
  readonly policy: RetentionPolicy;
  /** Those that were deployed; of others nothing is disposed of. */
  readonly jobs: readonly Job[];
  readonly parallelJobs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Lets go of the savepoints that the policy does not keep, once a deployment's jobs have ended: of those jobs that the
 * deployment found or left as they should be. What cannot be disposed of is noted, and tried again by the next one.
 */
export async function disposeOld(
  outcome: Outcome,
  { policy, jobs, parallelJobs, now }: DisposalOptions,
  context: RunContext,
): Promise<Outcome> {
  const deployed = new Set(jobs.map(({ name }) => name));
  const done = outcome.jobs.filter(
    ({ job, code, ending }) => deployed.has(job) && code === null && ending !== "skipped",
  );
  const names = new Set(done.map(({ job }) => job));
  const named = jobs.flatMap(({ startFrom }) => startFrom ?? []);
  const all = savepointsToDispose(context.ledger.entries(), policy, { now, named });
  const disposal = new Disposal(context);
  const notes = await inParallel(
    all.filter(({ job }) => names.has(job)),
    parallelJobs,
    async (old) => ({ job: old.job, note: await disposal.dispose(old) }),
  );
  const notesOf = (name: string): readonly string[] =>
    notes.flatMap(({ job, note }) => (job === name && note !== null ? [note] : []));
  return { ...outcome, jobs: outcome.jobs.map((job) => ({ ...job, notes: [...job.notes, ...notesOf(job.job)] })) };
}

class Disposal {
  readonly #context: RunContext;
  /** Nothing more is begun: it cannot be done from here, or not now. */
  #isOver = false;

  constructor(context: RunContext) {
    this.#context = context;
  }

  /** Fulfils with what is to be noted of a failure. */
  async dispose({ job, path }: OldSavepoint): Promise<string | null> {
    const { cluster, log, signal } = this.#context;
    if (this.#isOver || signal.aborted) return null;
    try {
      const result = await cluster.dispose(path);
      if (typeof result === "object")
        return this.#failed(job, `could not dispose of the old savepoint ${path}`, result.failed);
      if (result === "cannot") {
        if (!this.#isOver) log(job, "old savepoints stay: only `jobmanager-url` can dispose of them");
        this.#isOver = true;
        return null;
      }
      const isFound = result === "disposed";
      log(job, isFound ? `disposed of the old savepoint ${path}` : `the old savepoint ${path} was not there any more`);
    } catch (error) {
      this.#isOver = true;
      return this.#failed(job, `could not dispose of the old savepoint ${path}`, describeError(error));
    }
    return await this.#record(job, path);
  }

  /** Where it is not recorded, the next deployment finds it missing. */
  async #record(job: string, path: string): Promise<string | null> {
    try {
      // False: someone else wrote, though this run holds the lock, so what was to be disposed of may be needed now.
      if (!(await this.#context.ledger.append(job, { kind: "disposed", path }))) this.#isOver = true;
      return null;
    } catch (error) {
      this.#isOver = true;
      return this.#failed(
        job,
        `disposed of the old savepoint ${path}, and could not record that`,
        describeError(error),
      );
    }
  }

  #failed(job: string, what: string, cause: string): string {
    const note = maskSecrets(`${what} (the next deployment tries again): ${cause}`);
    this.#context.log(job, note);
    return note;
  }
}
