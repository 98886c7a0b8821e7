import { Accounts } from "./fake-github/accounts.ts";
import { Artifacts } from "./fake-github/artifacts.ts";
import { Blobs } from "./fake-github/blobs.ts";
import { Caches } from "./fake-github/caches.ts";
import { Clock } from "./fake-github/clock.ts";
import { Comments } from "./fake-github/comments.ts";
import { Commits } from "./fake-github/commits.ts";
import { Deployments } from "./fake-github/deployments.ts";
import { Issues } from "./fake-github/issues.ts";
import { Pulls } from "./fake-github/pulls.ts";
import { type Limits, type Permissions, type Route, restApi } from "./fake-github/rest-api.ts";
import { resultsService } from "./fake-github/results-service.ts";
import { type RunOptions, Runs, type WorkflowRun } from "./fake-github/runs.ts";
import { type Exchange, type GithubRequest, GithubServer, type Trouble } from "./fake-github/server.ts";
import { Site } from "./fake-github/site.ts";
import { Statuses } from "./fake-github/statuses.ts";

export type { StoredArtifact } from "./fake-github/artifacts.ts";
export type { StoredCache } from "./fake-github/caches.ts";
export { secondaryRateLimit } from "./fake-github/replies.ts";
export type { WorkflowRun } from "./fake-github/runs.ts";
export type { Exchange, GithubRequest, Trouble } from "./fake-github/server.ts";

/**
 * One repository on GitHub in this process, as far as an action of it uses GitHub: the REST API, the results service of
 * artifacts and caches, and the storage that its signed URLs lead to, on one loopback port. The real clients of the
 * toolkit talk to it unmodified. Its time stands still until `clock` is moved, and everything is deterministic.
 *
 * `startRun()` starts a workflow run; `environmentOf(run)` is what the runner would set for its steps.
 * `pulls.open()`, `comments.add()` and the like do what people do; what is there is read from the same places.
 * Knobs: `artifacts` (`listLag`, `isListedOldestFirst`, `hasDigests`, `add`, `copy`, `remove`), `caches` (`lookupLag`,
 * `evictUnread`, `remove`, `restore`, `reserve`), `blobs.overwrite`, `tokens` (what each token of the REST API may do),
 * `accounts` (whose token it is where it is not the job's, who has which role), `limits`, `clock.passDays`, `trouble` (errors, rate limits, lost connections, half answers), and the log `requests`.
 * More of the REST API goes into a file of its own beside `artifacts.ts`, with its routes in `#routes`.
 */
export class FakeGithub implements AsyncDisposable {
  static readonly repository = "acme/shop";
  static readonly repositoryId = 42;
  static readonly defaultRef = "refs/heads/main";
  readonly clock = new Clock(new Date());
  readonly site = new Site({
    repository: FakeGithub.repository,
    repositoryId: FakeGithub.repositoryId,
    clock: this.clock,
  });
  readonly blobs = new Blobs();
  readonly runs = new Runs(FakeGithub.repositoryId, FakeGithub.defaultRef);
  readonly artifacts = new Artifacts(this.blobs, this.site);
  readonly caches = new Caches(this.blobs, this.clock, FakeGithub.defaultRef);
  readonly accounts = new Accounts(this.site);
  readonly comments = new Comments(this.site, this.accounts, (number) => this.#isNumber(number));
  readonly commits = new Commits(this.site);
  readonly statuses = new Statuses(this.site, this.accounts);
  readonly pulls = new Pulls(this.site, this.accounts, () => this.#nextNumber());
  readonly issues = new Issues(this.site, this.accounts, () => this.#nextNumber());
  readonly deployments = new Deployments(this.site, this.accounts, this.statuses);
  readonly limits: Limits = { remaining: Number.POSITIVE_INFINITY, creations: Number.POSITIVE_INFINITY };
  readonly tokens = new Map<string, Permissions>([["token-of-the-job", { actions: "read", contents: "read" }]]);
  readonly #server: GithubServer;
  #url = "";

  private constructor() {
    this.#server = new GithubServer({
      api: restApi({
        repository: FakeGithub.repository,
        repositoryId: FakeGithub.repositoryId,
        tokens: this.tokens,
        limits: this.limits,
        now: () => this.clock.now,
        routes: this.#routes(),
      }),
      twirp: resultsService({ runs: this.runs, artifacts: this.artifacts, caches: this.caches }),
      blobs: (request) => this.blobs.reply(request),
    });
  }

  static async start(): Promise<FakeGithub> {
    const fake = new FakeGithub();
    fake.#url = await fake.#server.listen();
    fake.blobs.url = `${fake.#url}/blobs`;
    fake.site.api = fake.apiUrl;
    return fake;
  }

  get apiUrl(): string {
    return `${this.#url}/api`;
  }

  get resultsUrl(): string {
    return `${this.#url}/`;
  }

  /** Every request that arrived, in order. */
  get requests(): readonly GithubRequest[] {
    return this.#server.requests;
  }

  /** What the API was asked and replied, for the contract suite. */
  get exchanges(): readonly Exchange[] {
    return this.#server.exchanges.filter(({ request }) => request.service === "api");
  }

  startRun(options: RunOptions = {}): WorkflowRun {
    return this.runs.start(options);
  }

  /** The toolkit takes loopback for github.com, since only the server's name tells it where it is. */
  environmentOf(run: WorkflowRun): Readonly<Record<string, string>> {
    return {
      GITHUB_ACTIONS: "true",
      GITHUB_SERVER_URL: "https://github.com",
      GITHUB_API_URL: this.apiUrl,
      GITHUB_REPOSITORY: FakeGithub.repository,
      GITHUB_REPOSITORY_ID: String(FakeGithub.repositoryId),
      GITHUB_REF: run.ref,
      GITHUB_SHA: run.headSha,
      GITHUB_RUN_ID: String(run.id),
      GITHUB_RUN_ATTEMPT: "1",
      ACTIONS_RUNTIME_TOKEN: run.token,
      ACTIONS_RESULTS_URL: this.resultsUrl,
      ACTIONS_CACHE_SERVICE_V2: "true",
    };
  }

  trouble(trouble: Trouble): void {
    this.#server.trouble(trouble);
  }

  /** What is left of the troubles passes. */
  settleTroubles(): void {
    this.#server.settleTroubles();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
  }

  /** Issues and pull requests are numbered together. */
  #nextNumber(): number {
    return this.pulls.all.length + this.issues.all.length + 1;
  }

  #isNumber(number: number): boolean {
    return [...this.pulls.all, ...this.issues.all].some((one) => one.number === number);
  }

  #routes(): readonly Route[] {
    return [
      ...[this.accounts, this.commits, this.comments, this.statuses, this.pulls, this.issues, this.deployments].flatMap(
        (part) => part.routes(),
      ),
      {
        method: "GET",
        path: /^\/actions\/artifacts$/,
        permission: "actions",
        reply: ({ query }) => this.artifacts.list(query, FakeGithub.repositoryId),
      },
      {
        method: "GET",
        path: /^\/actions\/artifacts\/(\d+)\/zip$/,
        permission: "actions",
        reply: (_request, [id]) => this.artifacts.download(Number(id)),
      },
      {
        method: "GET",
        path: /^\/actions\/runs\/(\d+)$/,
        permission: "actions",
        reply: (_request, [id]) => this.runs.one(Number(id), this.site, this.accounts),
      },
    ];
  }
}
