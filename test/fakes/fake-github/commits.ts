import { notFound } from "./replies.ts";
import type { Route } from "./rest-api.ts";
import { nodeId, type Site } from "./site.ts";

/** The repository's git commits, as far as their parents go. */
export class Commits {
  readonly #site: Site;
  readonly #parents = new Map<string, readonly string[]>();

  constructor(site: Site) {
    this.#site = site;
  }

  add(sha: string, ...parents: readonly string[]): void {
    this.#parents.set(sha, parents);
  }

  routes(): readonly Route[] {
    return [
      {
        method: "GET",
        path: /^\/git\/commits\/([^/]+)$/,
        permission: "contents",
        reply: (_request, [sha = ""]) => {
          const parents = this.#parents.get(sha);
          if (parents === undefined) return notFound;
          const link = (of: string) => ({
            sha: of,
            url: this.#site.url(`/git/commits/${of}`),
            html_url: this.#site.page(`/commit/${of}`),
          });
          const who = { name: "mona", email: "mona@example.org", date: this.#site.now() };
          const verification = {
            verified: false,
            reason: "unsigned",
            signature: null,
            payload: null,
            verified_at: null,
          };
          const body = {
            ...link(sha),
            node_id: nodeId("C", Number.parseInt(sha.slice(0, 8), 16)),
            author: who,
            committer: who,
            message: "Change the jobs",
            tree: { sha: "0".repeat(40), url: this.#site.url(`/git/trees/${"0".repeat(40)}`) },
            parents: parents.map(link),
            verification,
          };
          return { status: 200, body };
        },
      },
    ];
  }
}
