/** A run of a workflow: what its steps are given, and what its artifacts and caches belong to. */
export interface WorkflowRun {
  readonly id: number;
  readonly ref: string;
  readonly headRepositoryId: number;
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
}
