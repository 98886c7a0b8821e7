import type { Accounts } from "./accounts.ts";
import { notFound } from "./replies.ts";
import { repositoryJson } from "./repository.ts";
import type { GithubReply } from "./server.ts";
import { nodeId, type Site } from "./site.ts";

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

  /** `GET /repos/{owner}/{repo}/actions/runs/{id}`. */
  one(id: number, site: Site, accounts: Accounts): GithubReply {
    const run = this.#runs.find((each) => each.id === id);
    return run === undefined ? notFound : { status: 200, body: runJson(run, site, accounts) };
  }
}

function runJson(run: WorkflowRun, site: Site, accounts: Accounts): Readonly<Record<string, unknown>> {
  const { id, headSha, headRepositoryId, conclusion, ref } = run;
  const url = site.url(`/actions/runs/${id}`);
  const isFork = headRepositoryId !== site.repositoryId;
  const fork = { fullName: "mallory/shop", id: headRepositoryId };
  const own = { fullName: site.repository, id: site.repositoryId };
  const [workflow, suite] = [site.url("/actions/workflows/1"), site.url("/check-suites/1")];
  const who = { name: "mona", email: "mona@example.org" };
  const below = ["jobs", "logs", "cancel", "rerun", "artifacts"];
  return {
    id,
    node_id: nodeId("WFR", id),
    name: "plan",
    path: ".github/workflows/plan.yml",
    display_title: "Change the jobs",
    head_branch: ref.replace(/^refs\/heads\//, ""),
    head_sha: headSha,
    head_commit: {
      id: headSha,
      tree_id: "0".repeat(40),
      message: "Change the jobs",
      timestamp: site.now(),
      author: who,
      committer: who,
    },
    head_repository: repositoryJson(site, accounts, isFork ? fork : own),
    repository: repositoryJson(site, accounts, own),
    run_number: id,
    event: "pull_request",
    status: conclusion === null ? "in_progress" : "completed",
    conclusion,
    workflow_id: 1,
    pull_requests: [],
    created_at: site.now(),
    updated_at: site.now(),
    url,
    html_url: site.page(`/actions/runs/${id}`),
    ...Object.fromEntries(below.map((name) => [`${name}_url`, `${url}/${name}`])),
    check_suite_url: suite,
    workflow_url: workflow,
  };
}
