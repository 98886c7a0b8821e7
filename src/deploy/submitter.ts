import { DeployError, inOneLine } from "../errors.ts";
import { isDuplicateSubmission, isFailedStart } from "../flink/gateway.ts";
import { isAnother, sentenceOf } from "../planner/existing-tables.ts";
import type { Program } from "../project/job.ts";
import type { Cluster, PreparedProgram } from "./cluster.ts";
import { isUnreachable } from "./patient-cluster.ts";

export interface SubmissionRequest {
  readonly jobId: string;
  readonly name: string;
  readonly restore: string | null;
}

export type Answer =
  /** The cluster has it, or had it. */
  | { readonly kind: "accepted"; readonly notes: readonly string[] }
  | { readonly kind: "refused"; readonly cause: string }
  /** To be looked for, and sent again where it is not there. `neverRan`: Flink could not start it, under this very id. */
  | { readonly kind: "unclear"; readonly why: string; readonly isRefusal: boolean; readonly neverRan: boolean };

/**
 * Holds the prepared sessions of one run and sends programs in them. Sending again is safe, since Flink takes a job id
 * once; so only what Flink refuses twice is given up, and what breaks on the way is tried again for a while.
 */
export class Submitter implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #clock: () => number;
  readonly #patienceMs: number;
  readonly #prepared = new Map<Program, Promise<PreparedProgram>>();
  /** The job id that was refused once: a second refusal is final, a hiccup is not. */
  #refused: string | null = null;
  #troubleSince: number | null = null;

  constructor(cluster: Cluster, clock: () => number, patienceMs: number) {
    this.#cluster = cluster;
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  /** Throws `statement-failed` where Flink refuses the program. */
  async prepare(program: Program): Promise<PreparedProgram> {
    const known = this.#prepared.get(program);
    if (known !== undefined) return await known;
    const prepared = this.#cluster.prepare(program);
    this.#prepared.set(program, prepared);
    try {
      return await prepared;
    } catch (error) {
      this.#prepared.delete(program);
      throw error;
    }
  }

  /**
   * As `prepare`, while nothing is stopped for the program: throws `table-differs` where a catalog holds another table
   * than it declares. What is not certain is returned as notes, the first time.
   */
  async prepareNew(program: Program): Promise<readonly string[]> {
    const isKnown = this.#prepared.has(program);
    const { differing } = await this.prepare(program);
    const refused = differing.filter(isAnother).map((table) => sentenceOf(table).message);
    if (refused.length > 0) throw new DeployError("table-differs", refused.join(" "));
    return isKnown ? [] : differing.map((table) => sentenceOf(table).message);
  }

  /** Throws what breaks for longer than the run's patience. */
  async submit(program: Program, request: SubmissionRequest): Promise<Answer> {
    try {
      const prepared = await this.prepare(program);
      const notes = await prepared.submit(request);
      this.#troubleSince = null;
      return { kind: "accepted", notes };
    } catch (error) {
      await this.#discard(program);
      return await this.#judged(error, request.jobId);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of [...this.#prepared.keys()]) await this.#discard(program);
  }

  async #judged(error: unknown, jobId: string): Promise<Answer> {
    if (isUnreachable(error) || (error instanceof DeployError && error.code === "session-expired")) {
      this.#troubleSince ??= this.#clock();
      if (this.#clock() - this.#troubleSince > this.#patienceMs) throw error;
      return { kind: "unclear", why: inOneLine(error.message), isRefusal: false, neverRan: false };
    }
    if (!(error instanceof DeployError) || error.code !== "statement-failed") throw error;
    // It may be there after all: one that Flink could not start, or whose answer the gateway did not get.
    const isListed = (await this.#cluster.jobs()).some((job) => job.id === jobId);
    if (!isListed && isDuplicateSubmission(error)) return { kind: "accepted", notes: [] };
    if (!isListed && this.#refused === jobId) return { kind: "refused", cause: error.message };
    this.#refused = jobId;
    return { kind: "unclear", why: inOneLine(error.message), isRefusal: true, neverRan: isFailedStart(error) };
  }

  async #discard(program: Program): Promise<void> {
    const prepared = this.#prepared.get(program);
    this.#prepared.delete(program);
    // A session that could not be opened needs no closing.
    await prepared?.then((one) => one[Symbol.asyncDispose]()).catch(() => undefined);
  }
}
