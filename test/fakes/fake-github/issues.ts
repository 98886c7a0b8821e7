import type { Accounts } from "./accounts.ts";
import { paged } from "./paging.ts";
import { fieldsOf, invalid, notFound } from "./replies.ts";
import type { Route } from "./rest-api.ts";
import type { GithubReply, GithubRequest } from "./server.ts";
import { nodeId, type Site } from "./site.ts";

export interface Issue {
  readonly number: number;
  readonly login: string;
  readonly createdAt: string;
  title: string;
  body: string | null;
  labels: readonly string[];
  state: "open" | "closed";
  stateReason: string | null;
  closedAt: string | null;
  updatedAt: string;
}

/** The repository's issues. GitHub lists pull requests among them, with a field `pull_request`; here they are not. */
export class Issues {
  readonly #site: Site;
  readonly #accounts: Accounts;
  readonly #nextNumber: () => number;
  readonly #all: Issue[] = [];

  constructor(site: Site, accounts: Accounts, nextNumber: () => number) {
    this.#site = site;
    this.#accounts = accounts;
    this.#nextNumber = nextNumber;
  }

  get all(): readonly Issue[] {
    return this.#all;
  }

  add(login: string, { title, body = null, labels = [] }: Pick<Issue, "title"> & Partial<Issue>): Issue {
    const now = this.#site.now();
    const made: Issue = {
      number: this.#nextNumber(),
      login,
      createdAt: now,
      title,
      body,
      labels,
      state: "open",
      stateReason: null,
      closedAt: null,
      updatedAt: now,
    };
    this.#all.push(made);
    return made;
  }

  routes(): readonly Route[] {
    const permission = "issues";
    const one = /^\/issues\/(\d+)$/;
    const found = (number: string | undefined, reply: (issue: Issue) => GithubReply): GithubReply => {
      const issue = this.#all.find((each) => each.number === Number(number));
      return issue === undefined ? notFound : reply(issue);
    };
    return [
      { method: "GET", path: /^\/issues$/, permission, reply: (request) => this.#list(request) },
      { method: "POST", path: /^\/issues$/, permission, reply: (request) => this.#create(request) },
      {
        method: "GET",
        path: one,
        permission,
        reply: (_request, [number]) => found(number, (issue) => ({ status: 200, body: this.#json(issue) })),
      },
      {
        method: "PATCH",
        path: one,
        permission,
        reply: (request, [number]) => found(number, (issue) => this.#update(request, issue)),
      },
    ];
  }

  #list(request: GithubRequest): GithubReply {
    const state = request.query.get("state") ?? "open";
    const creator = request.query.get("creator");
    const labels = (request.query.get("labels") ?? "").split(",").filter((label) => label !== "");
    const listed = this.#all
      .filter((issue) => state === "all" || issue.state === state)
      .filter((issue) => creator === null || issue.login === creator)
      .filter((issue) => labels.every((label) => issue.labels.includes(label)))
      .map((issue) => this.#json(issue));
    return paged(request.query.get("direction") === "asc" ? listed : listed.toReversed(), request, this.#site);
  }

  #create(request: GithubRequest): GithubReply {
    const { title, body, labels } = fieldsOf(request.body);
    if (typeof title !== "string" || title === "") return invalid("Issue", "title", "title can't be blank");
    const { login } = this.#accounts.ofToken(request.token);
    const made = this.add(login, {
      title,
      body: typeof body === "string" ? body : null,
      labels: Array.isArray(labels) ? labels.map(String) : [],
    });
    return { status: 201, headers: { location: this.#site.url(`/issues/${made.number}`) }, body: this.#json(made) };
  }

  #update(request: GithubRequest, issue: Issue): GithubReply {
    const { title, body, labels, state, state_reason: reason } = fieldsOf(request.body);
    if (state !== undefined && state !== "open" && state !== "closed") {
      return invalid("Issue", "state", "state is not included in the list");
    }
    if (typeof title === "string") issue.title = title;
    if (typeof body === "string") issue.body = body;
    if (Array.isArray(labels)) issue.labels = labels.map(String);
    issue.updatedAt = this.#site.now();
    if (state !== undefined && state !== issue.state) {
      issue.state = state;
      issue.closedAt = state === "closed" ? issue.updatedAt : null;
      issue.stateReason = state === "closed" ? String(reason ?? "completed") : "reopened";
    }
    return { status: 200, body: this.#json(issue) };
  }

  #json(issue: Issue): Readonly<Record<string, unknown>> {
    const { number } = issue;
    const url = this.#site.url(`/issues/${number}`);
    const lists = ["comments", "events"].map((name) => [`${name}_url`, `${url}/${name}`] as const);
    return {
      id: 6_000_000 + number,
      node_id: nodeId("I", number),
      url,
      repository_url: this.#site.url(""),
      labels_url: `${url}/labels{/name}`,
      ...Object.fromEntries(lists),
      html_url: this.#site.page(`/issues/${number}`),
      number,
      state: issue.state,
      state_reason: issue.stateReason,
      title: issue.title,
      body: issue.body,
      user: this.#accounts.json(this.#accounts.named(issue.login)),
      labels: issue.labels.map((name, at) => ({
        id: 100 + at,
        node_id: nodeId("LA", at),
        url: this.#site.url(`/labels/${encodeURIComponent(name)}`),
        name,
        description: null,
        color: "ededed",
        default: false,
      })),
      assignee: null,
      assignees: [],
      milestone: null,
      locked: false,
      active_lock_reason: null,
      comments: 0,
      closed_at: issue.closedAt,
      created_at: issue.createdAt,
      updated_at: issue.updatedAt,
      author_association: "NONE",
    };
  }
}
