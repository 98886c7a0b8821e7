import type { Accounts } from "./accounts.ts";
import { paged } from "./paging.ts";
import { Reactions } from "./reactions.ts";
import { fieldsOf, invalid, noContent, notFound } from "./replies.ts";
import type { Route } from "./rest-api.ts";
import type { GithubReply, GithubRequest } from "./server.ts";
import { nodeId, type Site } from "./site.ts";

export interface Comment {
  readonly id: number;
  /** The issue or pull request that it is on. */
  readonly number: number;
  /** Null: the account was deleted ("ghost"). */
  readonly login: string | null;
  body: string;
  readonly createdAt: string;
  updatedAt: string;
  readonly reactions: Reactions;
}

const longestBody = 65_536;
const permission = ["issues", "pull-requests"];

/** The comments on the repository's issues and pull requests, which share their numbers. */
export class Comments {
  readonly #site: Site;
  readonly #accounts: Accounts;
  readonly #isThere: (number: number) => boolean;
  #all: Comment[] = [];

  constructor(site: Site, accounts: Accounts, isThere: (number: number) => boolean) {
    this.#site = site;
    this.#accounts = accounts;
    this.#isThere = isThere;
  }

  /** Oldest first. */
  on(number: number): readonly Comment[] {
    return this.#all.filter((comment) => comment.number === number);
  }

  /** As that person does. */
  add(number: number, login: string | null, body: string): Comment {
    const now = this.#site.now();
    const reactions = new Reactions(this.#site, this.#accounts);
    const made = { id: this.#site.nextId(), number, login, body, createdAt: now, updatedAt: now, reactions };
    this.#all.push(made);
    return made;
  }

  remove(id: number): void {
    this.#all = this.#all.filter((comment) => comment.id !== id);
  }

  routes(): readonly Route[] {
    const list = /^\/issues\/(\d+)\/comments$/;
    const one = /^\/issues\/comments\/(\d+)$/;
    const reactions = /^\/issues\/comments\/(\d+)\/reactions$/;
    const found = (id: string | undefined, reply: (comment: Comment) => GithubReply): GithubReply => {
      const comment = this.#all.find((each) => each.id === Number(id));
      return comment === undefined ? notFound : reply(comment);
    };
    return [
      { method: "GET", path: list, permission, reply: (request, [number]) => this.#list(request, Number(number)) },
      { method: "POST", path: list, permission, reply: (request, [number]) => this.#create(request, Number(number)) },
      { method: "GET", path: one, permission, reply: (_request, [id]) => found(id, (comment) => this.#ok(comment)) },
      {
        method: "PATCH",
        path: one,
        permission,
        reply: (request, [id]) => found(id, (comment) => this.#update(request, comment)),
      },
      {
        method: "DELETE",
        path: one,
        permission,
        reply: (_request, [id]) =>
          found(id, (comment) => {
            this.remove(comment.id);
            return noContent;
          }),
      },
      {
        method: "GET",
        path: reactions,
        permission,
        reply: (request, [id]) => found(id, (comment) => comment.reactions.list(request)),
      },
      {
        method: "POST",
        path: reactions,
        permission,
        reply: (request, [id]) => found(id, (comment) => comment.reactions.create(request)),
      },
      {
        method: "DELETE",
        path: /^\/issues\/comments\/(\d+)\/reactions\/(\d+)$/,
        permission,
        reply: (_request, [id, reaction]) => found(id, (comment) => comment.reactions.remove(Number(reaction))),
      },
    ];
  }

  #list(request: GithubRequest, number: number): GithubReply {
    if (!this.#isThere(number)) return notFound;
    const since = Date.parse(request.query.get("since") ?? "");
    const listed = this.on(number).filter(({ updatedAt }) => Number.isNaN(since) || Date.parse(updatedAt) >= since);
    return paged(
      listed.map((comment) => this.#json(comment)),
      request,
      this.#site,
    );
  }

  #create(request: GithubRequest, number: number): GithubReply {
    if (!this.#isThere(number)) return notFound;
    const { body } = fieldsOf(request.body);
    const wrong = refusedBody(body);
    if (wrong !== null) return wrong;
    const made = this.add(number, this.#accounts.ofToken(request.token).login, String(body));
    return { status: 201, headers: { location: this.#url(made) }, body: this.#json(made) };
  }

  /** Anybody with the permission may change anybody's comment. */
  #update(request: GithubRequest, comment: Comment): GithubReply {
    const { body } = fieldsOf(request.body);
    const wrong = refusedBody(body);
    if (wrong !== null) return wrong;
    comment.body = String(body);
    comment.updatedAt = this.#site.now();
    return this.#ok(comment);
  }

  #ok(comment: Comment): GithubReply {
    return { status: 200, body: this.#json(comment) };
  }

  #url({ id }: Comment): string {
    return this.#site.url(`/issues/comments/${id}`);
  }

  #json(comment: Comment): Readonly<Record<string, unknown>> {
    const { id, number, login, body, createdAt, updatedAt, reactions } = comment;
    return {
      url: this.#url(comment),
      html_url: this.#site.page(`/pull/${number}#issuecomment-${id}`),
      issue_url: this.#site.url(`/issues/${number}`),
      id,
      node_id: nodeId("IC", id),
      user: login === null ? null : this.#accounts.json(this.#accounts.named(login)),
      created_at: createdAt,
      updated_at: updatedAt,
      author_association: login?.endsWith("[bot]") ? "NONE" : "CONTRIBUTOR",
      body,
      reactions: reactions.rollup(`${this.#url(comment)}/reactions`),
      performed_via_github_app: null,
    };
  }
}

/** Counted in characters, as MySQL counts them: one outside the basic plane is one. */
function refusedBody(body: unknown): GithubReply | null {
  if (typeof body !== "string" || body.trim() === "") return invalid("IssueComment", "body", "body can't be blank");
  if ([...body].length <= longestBody) return null;
  return invalid("IssueComment", "body", `body is too long (maximum is ${longestBody} characters)`);
}
