import type { Accounts } from "./accounts.ts";
import { paged } from "./paging.ts";
import { fieldsOf, invalid, noContent, notFound } from "./replies.ts";
import type { GithubReply, GithubRequest } from "./server.ts";
import { nodeId, type Site } from "./site.ts";

export const reactionContents = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"] as const;
export type ReactionContent = (typeof reactionContents)[number];

export interface Reaction {
  readonly id: number;
  readonly content: ReactionContent;
  readonly login: string;
  readonly createdAt: string;
}

/** The reactions to one thing: each person has each of them once. */
export class Reactions {
  readonly #site: Site;
  readonly #accounts: Accounts;
  #all: Reaction[] = [];

  constructor(site: Site, accounts: Accounts) {
    this.#site = site;
    this.#accounts = accounts;
  }

  get all(): readonly Reaction[] {
    return this.#all;
  }

  list(request: GithubRequest): GithubReply {
    return paged(
      this.#all.map((one) => this.#json(one)),
      request,
      this.#site,
    );
  }

  /** 201 for one that is new, 200 for one that was there. */
  create({ token, body }: GithubRequest): GithubReply {
    const content = reactionContents.find((one) => one === fieldsOf(body).content);
    if (content === undefined) return invalid("Reaction", "content", "content is not included in the list");
    const { login } = this.#accounts.ofToken(token);
    const found = this.#all.find((one) => one.login === login && one.content === content);
    if (found !== undefined) return { status: 200, body: this.#json(found) };
    const made: Reaction = { id: this.#site.nextId(), content, login, createdAt: this.#site.now() };
    this.#all.push(made);
    return { status: 201, body: this.#json(made) };
  }

  remove(id: number): GithubReply {
    if (!this.#all.some((one) => one.id === id)) return notFound;
    this.#all = this.#all.filter((one) => one.id !== id);
    return noContent;
  }

  rollup(url: string): Readonly<Record<string, unknown>> {
    const counts = reactionContents.map((name) => [name, this.#all.filter(({ content }) => content === name).length]);
    return { url, total_count: this.#all.length, ...Object.fromEntries(counts) };
  }

  #json({ id, content, login, createdAt }: Reaction): Readonly<Record<string, unknown>> {
    const user = this.#accounts.json(this.#accounts.named(login));
    return { id, node_id: nodeId("REA", id), user, content, created_at: createdAt };
  }
}
