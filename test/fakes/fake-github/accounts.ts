import { fieldsOf, notAccessible, notFound } from "./replies.ts";
import type { Route } from "./rest-api.ts";
import type { GithubReply, GithubRequest } from "./server.ts";
import { nodeId, type Site, timestamp } from "./site.ts";

export type Role = "admin" | "maintain" | "write" | "triage" | "read" | "none";

export interface Account {
  readonly login: string;
  readonly id: number;
  readonly type: "User" | "Bot";
}

/** Whose token it is that the workflow's job gets. */
export const actionsBot: Account = { login: "github-actions[bot]", id: 41_898_282, type: "Bot" };

/** Who there is, whose token is whose, and what each may do in the repository. */
export class Accounts {
  readonly #site: Site;
  readonly #accounts = new Map<string, Account>([[actionsBot.login, actionsBot]]);
  /** Tokens of people; every other token is the job's. */
  readonly #tokens = new Map<string, Account>();
  readonly #roles = new Map<string, Role>();

  constructor(site: Site) {
    this.#site = site;
  }

  /** The account of that name; it is made at its first mention. */
  named(login: string): Account {
    const found = this.#accounts.get(login);
    if (found !== undefined) return found;
    const type = login.endsWith("[bot]") ? "Bot" : "User";
    const made: Account = { login, id: this.#site.nextId(), type };
    this.#accounts.set(login, made);
    return made;
  }

  /** From now on the token is this person's, and no longer the job's. */
  give(token: string, login: string): void {
    this.#tokens.set(token, this.named(login));
  }

  setRole(login: string, role: Role): void {
    this.named(login);
    this.#roles.set(login, role);
  }

  ofToken(token: string): Account {
    return this.#tokens.get(token) ?? actionsBot;
  }

  json(account: Account): Readonly<Record<string, unknown>> {
    const { login, id, type } = account;
    const url = `${this.#site.api}/users/${encodeURIComponent(login)}`;
    return {
      login,
      id,
      node_id: nodeId("U", id),
      avatar_url: `${this.#site.web}/avatars/${id}`,
      gravatar_id: "",
      url,
      html_url: `${this.#site.web}/${login.replace(/\[bot\]$/, "")}`,
      ...Object.fromEntries(listsOfUsers.map((name) => [`${name}_url`, `${url}/${name}`])),
      type,
      site_admin: false,
    };
  }

  routes(): readonly Route[] {
    return [
      { method: "GET", path: /^\/user$/, isOfServer: true, reply: ({ token }) => this.#self(token) },
      { method: "POST", path: /^\/graphql$/, isOfServer: true, reply: (request) => this.#viewer(request) },
      {
        method: "GET",
        path: /^\/collaborators\/([^/]+)\/permission$/,
        reply: (_request, [login = ""]) => this.#permission(decodeURIComponent(login)),
      },
    ];
  }

  /** The job's token is no user's, and GitHub does not tell whose it is. */
  #self(token: string): GithubReply {
    const account = this.#tokens.get(token);
    if (account === undefined) return notAccessible;
    const nothing = ["name", "company", "email", "hireable", "bio", "location"].map((name) => [name, null] as const);
    const counts = ["public_repos", "public_gists", "followers", "following"].map((name) => [name, 0] as const);
    const body = {
      ...this.json(account),
      user_view_type: "public",
      blog: "",
      ...Object.fromEntries(nothing),
      ...Object.fromEntries(counts),
      created_at: timestamp(new Date(0)),
      updated_at: timestamp(new Date(0)),
    };
    return { status: 200, body };
  }

  /** GraphQL tells whose every token is; it is asked for nothing else here. */
  #viewer({ token, body }: GithubRequest): GithubReply {
    const { query } = fieldsOf(body);
    if (query !== "{viewer{login}}") return { status: 200, body: { errors: [{ message: `Parse error on ${query}` }] } };
    return { status: 200, body: { data: { viewer: { login: this.ofToken(token).login } } } };
  }

  #permission(login: string): GithubReply {
    const account = this.#accounts.get(login);
    if (account === undefined) return notFound;
    const role = this.#roles.get(login) ?? "none";
    // The field knows four levels; the role's own name is beside it.
    const permission = role === "maintain" ? "write" : role === "triage" ? "read" : role;
    return { status: 200, body: { permission, role_name: role, user: { ...this.json(account), role_name: role } } };
  }
}

const listsOfUsers = [
  "followers",
  "following",
  "gists",
  "starred",
  "subscriptions",
  "organizations",
  "repos",
  "events",
  "received_events",
];
