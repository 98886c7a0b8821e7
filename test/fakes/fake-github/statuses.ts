import type { Accounts } from "./accounts.ts";
import { paged } from "./paging.ts";
import { fieldsOf, invalid, refused } from "./replies.ts";
import type { Route } from "./rest-api.ts";
import type { GithubReply, GithubRequest } from "./server.ts";
import { nodeId, type Site } from "./site.ts";

const states = ["error", "failure", "pending", "success"] as const;
export type StatusState = (typeof states)[number];

export interface CommitStatus {
  readonly id: number;
  readonly sha: string;
  readonly state: StatusState;
  readonly context: string;
  readonly description: string | null;
  readonly targetUrl: string | null;
  readonly login: string;
  readonly createdAt: string;
}

/** The statuses of commits; the newest of a context counts. */
export class Statuses {
  readonly #site: Site;
  readonly #accounts: Accounts;
  readonly #all: CommitStatus[] = [];

  constructor(site: Site, accounts: Accounts) {
    this.#site = site;
    this.#accounts = accounts;
  }

  /** Newest first. */
  of(sha: string): readonly CommitStatus[] {
    return this.#all.filter((status) => status.sha === sha).toReversed();
  }

  /** One for each context: those that count. */
  latest(sha: string): readonly CommitStatus[] {
    return this.of(sha).filter(({ context }, at, all) => all.findIndex((one) => one.context === context) === at);
  }

  routes(): readonly Route[] {
    const permission = "statuses";
    return [
      {
        method: "POST",
        path: /^\/statuses\/([^/]+)$/,
        permission,
        reply: (request, [sha = ""]) => this.#create(request, sha),
      },
      {
        method: "GET",
        path: /^\/commits\/([^/]+)\/statuses$/,
        permission,
        reply: (request, [sha = ""]) =>
          paged(
            this.of(sha).map((status) => this.#json(status)),
            request,
            this.#site,
          ),
      },
    ];
  }

  #create(request: GithubRequest, sha: string): GithubReply {
    if (!/^[0-9a-f]{40}$/.test(sha)) {
      return refused(422, `No commit found for SHA: ${sha}`);
    }
    const { state, context = "default", description = null, target_url: targetUrl = null } = fieldsOf(request.body);
    const known = states.find((one) => one === state);
    if (known === undefined) return invalid("Status", "state", "state is not included in the list");
    if (typeof description === "string" && [...description].length > 140) {
      return invalid("Status", "description", "description is too long (maximum is 140 characters)");
    }
    if (targetUrl !== null && !/^https?:\/\//.test(String(targetUrl))) {
      return invalid("Status", "target_url", "target_url must use http(s) scheme");
    }
    const made: CommitStatus = {
      id: this.#site.nextId(),
      sha,
      state: known,
      context: String(context),
      description: description === null ? null : String(description),
      targetUrl: targetUrl === null ? null : String(targetUrl),
      login: this.#accounts.ofToken(request.token).login,
      createdAt: this.#site.now(),
    };
    this.#all.push(made);
    return { status: 201, body: this.#json(made) };
  }

  #json(status: CommitStatus): Readonly<Record<string, unknown>> {
    const { id, sha, state, context, description, targetUrl, login, createdAt } = status;
    const creator = this.#accounts.json(this.#accounts.named(login));
    return {
      url: this.#site.url(`/statuses/${sha}`),
      avatar_url: creator.avatar_url,
      id,
      node_id: nodeId("SC", id),
      state,
      description,
      target_url: targetUrl,
      context,
      created_at: createdAt,
      updated_at: createdAt,
      creator,
    };
  }
}
