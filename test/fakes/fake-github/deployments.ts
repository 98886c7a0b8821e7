import type { Accounts } from "./accounts.ts";
import { paged } from "./paging.ts";
import { fieldsOf, invalid, notFound, refused } from "./replies.ts";
import type { Route } from "./rest-api.ts";
import type { GithubReply, GithubRequest } from "./server.ts";
import { nodeId, type Site } from "./site.ts";
import type { Statuses } from "./statuses.ts";

const states = ["error", "failure", "inactive", "in_progress", "queued", "pending", "success"] as const;
export type DeploymentState = (typeof states)[number];

export interface DeploymentStatus {
  readonly id: number;
  readonly state: DeploymentState;
  readonly description: string;
  readonly logUrl: string;
  readonly environmentUrl: string;
  readonly login: string;
  readonly createdAt: string;
}

export interface Deployment {
  readonly id: number;
  readonly ref: string;
  readonly sha: string;
  readonly task: string;
  readonly environment: string;
  readonly description: string | null;
  readonly payload: unknown;
  readonly isTransient: boolean;
  readonly login: string;
  readonly createdAt: string;
  /** Oldest first. */
  readonly statuses: DeploymentStatus[];
}

/** The repository's deployments with their statuses. A ref that is no commit is one of `aaaa...`. */
export class Deployments {
  readonly #site: Site;
  readonly #accounts: Accounts;
  readonly #commitStatuses: Statuses;
  readonly #all: Deployment[] = [];

  constructor(site: Site, accounts: Accounts, commitStatuses: Statuses) {
    this.#site = site;
    this.#accounts = accounts;
    this.#commitStatuses = commitStatuses;
  }

  /** Oldest first. */
  get all(): readonly Deployment[] {
    return this.#all;
  }

  routes(): readonly Route[] {
    const permission = "deployments";
    const [list, one, statuses] = [
      /^\/deployments$/,
      /^\/deployments\/(\d+)$/,
      /^\/deployments\/(\d+)\/statuses$/,
    ] as const;
    const found = (id: string | undefined, reply: (deployment: Deployment) => GithubReply): GithubReply => {
      const deployment = this.#all.find((each) => each.id === Number(id));
      return deployment === undefined ? notFound : reply(deployment);
    };
    return [
      { method: "GET", path: list, permission, reply: (request) => this.#list(request) },
      { method: "POST", path: list, permission, reply: (request) => this.#create(request) },
      {
        method: "GET",
        path: one,
        permission,
        reply: (_request, [id]) => found(id, (deployment) => ({ status: 200, body: this.#json(deployment) })),
      },
      {
        method: "GET",
        path: statuses,
        permission,
        reply: (request, [id]) => found(id, (deployment) => this.#listStatuses(request, deployment)),
      },
      {
        method: "POST",
        path: statuses,
        permission,
        reply: (request, [id]) => found(id, (deployment) => this.#addStatus(request, deployment)),
      },
    ];
  }

  #list(request: GithubRequest): GithubReply {
    const wanted = (name: "environment" | "sha" | "ref" | "task") => {
      const value = request.query.get(name);
      return (deployment: Deployment): boolean => value === null || value === deployment[name];
    };
    const listed = this.#all
      .filter(wanted("environment"))
      .filter(wanted("sha"))
      .filter(wanted("ref"))
      .filter(wanted("task"))
      .map((deployment) => this.#json(deployment));
    return paged(listed.toReversed(), request, this.#site);
  }

  #create(request: GithubRequest): GithubReply {
    const given = fieldsOf(request.body);
    if (typeof given.ref !== "string" || given.ref === "") return invalid("Deployment", "ref", "ref can't be blank");
    const sha = /^[0-9a-f]{40}$/.test(given.ref) ? given.ref : "a".repeat(40);
    const refused = this.#unmetContext(sha, given.required_contexts);
    if (refused !== null) return refused;
    const { environment = "production", task = "deploy", payload = {} } = given;
    const made: Deployment = {
      id: this.#site.nextId(),
      ref: given.ref,
      sha,
      task: String(task),
      environment: String(environment),
      description: typeof given.description === "string" ? given.description : null,
      payload,
      isTransient: given.transient_environment === true,
      login: this.#accounts.ofToken(request.token).login,
      createdAt: this.#site.now(),
      statuses: [],
    };
    this.#all.push(made);
    return { status: 201, body: this.#json(made) };
  }

  /** Unless it is told which statuses the commit must have, it must have no other than good ones. */
  #unmetContext(sha: string, contexts: unknown): GithubReply | null {
    const latest = this.#commitStatuses.latest(sha);
    const wanted = Array.isArray(contexts) ? contexts.map(String) : latest.map(({ context }) => context);
    const isMet = (name: string): boolean =>
      latest.some(({ context, state }) => context === name && state === "success");
    if (wanted.every(isMet)) return null;
    const message = `Conflict: Commit status checks failed for ${sha}.`;
    const errors = [{ contexts: wanted, resource: "Deployment", field: "required_contexts", code: "invalid" }];
    return refused(409, message, { errors });
  }

  #listStatuses(request: GithubRequest, deployment: Deployment): GithubReply {
    const listed = deployment.statuses.map((status) => this.#statusJson(deployment, status));
    return paged(listed.toReversed(), request, this.#site);
  }

  #addStatus(request: GithubRequest, deployment: Deployment): GithubReply {
    const given = fieldsOf(request.body);
    const state = states.find((one) => one === given.state);
    if (state === undefined) return invalid("DeploymentStatus", "state", "state is not included in the list");
    const description = String(given.description ?? "");
    if ([...description].length > 140) {
      return invalid("DeploymentStatus", "description", "description is too long (maximum is 140 characters)");
    }
    const { login } = this.#accounts.ofToken(request.token);
    const made: DeploymentStatus = {
      id: this.#site.nextId(),
      state,
      description,
      logUrl: String(given.log_url ?? given.target_url ?? ""),
      environmentUrl: String(given.environment_url ?? ""),
      login,
      createdAt: this.#site.now(),
    };
    deployment.statuses.push(made);
    if (state === "success" && given.auto_inactive !== false) this.#endEarlier(deployment, login);
    return { status: 201, body: this.#statusJson(deployment, made) };
  }

  /** What was deployed there before is inactive now. */
  #endEarlier({ id, environment }: Deployment, login: string): void {
    for (const earlier of this.#all) {
      if (earlier.id >= id || earlier.environment !== environment || earlier.isTransient) continue;
      if (earlier.statuses.at(-1)?.state !== "success") continue;
      const made = { description: "", logUrl: "", environmentUrl: "", login, createdAt: this.#site.now() };
      earlier.statuses.push({ id: this.#site.nextId(), state: "inactive", ...made });
    }
  }

  #json(deployment: Deployment): Readonly<Record<string, unknown>> {
    const { id, ref, sha, task, environment, description, payload, isTransient, login, createdAt } = deployment;
    const url = this.#site.url(`/deployments/${id}`);
    return {
      url,
      id,
      node_id: nodeId("DE", id),
      ref,
      sha,
      task,
      payload,
      original_environment: environment,
      environment,
      description,
      creator: this.#accounts.json(this.#accounts.named(login)),
      created_at: createdAt,
      updated_at: deployment.statuses.at(-1)?.createdAt ?? createdAt,
      statuses_url: `${url}/statuses`,
      repository_url: this.#site.url(""),
      transient_environment: isTransient,
      production_environment: environment === "production",
      performed_via_github_app: null,
    };
  }

  #statusJson({ id: of, environment }: Deployment, status: DeploymentStatus): Readonly<Record<string, unknown>> {
    const url = this.#site.url(`/deployments/${of}`);
    return {
      url: `${url}/statuses/${status.id}`,
      id: status.id,
      node_id: nodeId("DES", status.id),
      state: status.state,
      creator: this.#accounts.json(this.#accounts.named(status.login)),
      description: status.description,
      environment,
      target_url: status.logUrl,
      log_url: status.logUrl,
      environment_url: status.environmentUrl,
      created_at: status.createdAt,
      updated_at: status.createdAt,
      deployment_url: url,
      repository_url: this.#site.url(""),
      performed_via_github_app: null,
    };
  }
}
