import { notFound } from "./replies.ts";
import type { GithubReply } from "./server.ts";

/** A run of a workflow: what its steps are given, and what its artifacts and caches belong to. */
export interface WorkflowRun {
  readonly id: number;
  readonly ref: string;
  readonly headRepositoryId: number;
  /** Of a pull request's run that of its newest commit, although a trial merge is checked out. */
  readonly headSha: string;
  /** Null while it runs. */
  readonly conclusion: string | null;
  /** `ACTIONS_RUNTIME_TOKEN`: a JSON web token whose scope names the run and the job, as the toolkit reads it. */
  readonly token: string;
  readonly backendId: string;
  /** What a token that may only read caches does: the run was started by an event that is not trusted. */
  readonly mayWriteCaches: boolean;
}

export interface RunOptions {
  /** The default branch unless given. */
  readonly ref?: string;
  /** The repository whose commit runs; another than this one is a fork's. */
  readonly headRepositoryId?: number;
  readonly headSha?: string;
  /** `success` unless given. */
  readonly conclusion?: string | null;
  readonly mayWriteCaches?: boolean;
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** The runs of one repository. */
export class Runs {
  readonly repositoryId: number;
  readonly defaultRef: string;
  readonly #runs: WorkflowRun[] = [];

  constructor(repositoryId: number, defaultRef: string) {
    this.repositoryId = repositoryId;
    this.defaultRef = defaultRef;
  }

  start(options: RunOptions = {}): WorkflowRun {
    const id = 7001 + this.#runs.length;
    const backendId = `run-${id}`;
    const claims = { scp: `Actions.ExampleScope Actions.Results:${backendId}:job-${id}` };
    const run: WorkflowRun = {
      id,
      backendId,
      ref: options.ref ?? this.defaultRef,
      headRepositoryId: options.headRepositoryId ?? this.repositoryId,
      headSha: options.headSha ?? "a".repeat(40),
      conclusion: options.conclusion === undefined ? "success" : options.conclusion,
      token: `${encoded({ alg: "none" })}.${encoded(claims)}.unsigned`,
      mayWriteCaches: options.mayWriteCaches ?? true,
    };
    this.#runs.push(run);
    return run;
  }

  /** The run whose runtime token this is. */
  ofToken(token: string): WorkflowRun | null {
    return this.#runs.find((run) => run.token === token) ?? null;
  }

  /** `GET /repos/{owner}/{repo}/actions/runs/{id}`, as far as anybody looks at it. */
  one(id: number): GithubReply {
    const run = this.#runs.find((each) => each.id === id);
    if (run === undefined) return notFound;
    const { headSha, conclusion, ref } = run;
    const head = { id, head_sha: headSha, head_branch: ref.replace(/^refs\/heads\//, "") };
    return { status: 200, body: { ...head, status: conclusion === null ? "in_progress" : "completed", conclusion } };
  }
}
