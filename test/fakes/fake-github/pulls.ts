import type { Accounts } from "./accounts.ts";
import { paged } from "./paging.ts";
import { notFound, refused } from "./replies.ts";
import { repositoryJson } from "./repository.ts";
import type { Route } from "./rest-api.ts";
import type { GithubReply, GithubRequest } from "./server.ts";
import { nodeId, type Site } from "./site.ts";

export interface PullRequest {
  readonly number: number;
  readonly title: string;
  readonly login: string;
  /** All its commits; the last is its head. A push adds one. */
  readonly commits: string[];
  readonly headRef: string;
  /** `owner/name` of the head, which is a fork where it is another than the repository's. */
  readonly headRepository: { readonly fullName: string; readonly id: number };
  readonly baseRef: string;
  baseSha: string;
  readonly isDraft: boolean;
  state: "open" | "closed";
  /** The commit on the base branch that the merge made: of its own, of a squash, or the last of a rebase. */
  mergeCommit: string | null;
  mergedAt: string | null;
  /** Commits that a rebase put on the base branch; and what else of it lies there. */
  readonly landed: string[];
  readonly createdAt: string;
}

export interface PullOptions {
  readonly head: string;
  readonly headRef?: string;
  readonly fork?: { readonly fullName: string; readonly id: number };
  readonly base?: string;
  readonly baseRef?: string;
  readonly title?: string;
  readonly login?: string;
  readonly isDraft?: boolean;
}

/** The repository's pull requests. */
export class Pulls {
  readonly #site: Site;
  readonly #accounts: Accounts;
  readonly #nextNumber: () => number;
  readonly #all: PullRequest[] = [];

  constructor(site: Site, accounts: Accounts, nextNumber: () => number) {
    this.#site = site;
    this.#accounts = accounts;
    this.#nextNumber = nextNumber;
  }

  get all(): readonly PullRequest[] {
    return this.#all;
  }

  open(options: PullOptions): PullRequest {
    const made: PullRequest = {
      number: this.#nextNumber(),
      title: options.title ?? "Change the jobs",
      login: options.login ?? "mona",
      commits: [options.head],
      headRef: options.headRef ?? "change",
      headRepository: options.fork ?? { fullName: this.#site.repository, id: this.#site.repositoryId },
      baseRef: options.baseRef ?? "main",
      baseSha: options.base ?? "b".repeat(40),
      isDraft: options.isDraft ?? false,
      state: "open",
      mergeCommit: null,
      mergedAt: null,
      landed: [],
      createdAt: this.#site.now(),
    };
    this.#all.push(made);
    return made;
  }

  /** The commits are those that it put on the base branch: one for a merge or a squash, each of its own for a rebase. */
  merge(pull: PullRequest, ...commits: readonly [string, ...string[]]): void {
    pull.state = "closed";
    pull.mergedAt = this.#site.now();
    pull.mergeCommit = commits.at(-1) ?? null;
    pull.landed.push(...commits);
  }

  close(pull: PullRequest): void {
    pull.state = "closed";
  }

  routes(): readonly Route[] {
    const permission = "pull-requests";
    return [
      { method: "GET", path: /^\/pulls$/, permission, reply: (request) => this.#list(request) },
      {
        method: "GET",
        path: /^\/pulls\/(\d+)$/,
        permission,
        reply: (_request, [number]) => this.#one(Number(number)),
      },
      {
        method: "GET",
        path: /^\/commits\/([^/]+)\/pulls$/,
        permission,
        reply: (request, [sha = ""]) => this.#ofCommit(request, sha),
      },
    ];
  }

  #list(request: GithubRequest): GithubReply {
    const state = request.query.get("state") ?? "open";
    const [head, base] = [request.query.get("head"), request.query.get("base")];
    const direction = request.query.get("direction") ?? "desc";
    const listed = this.#all
      .filter((pull) => state === "all" || pull.state === state)
      .filter((pull) => head === null || head === labelOf(pull))
      .filter((pull) => base === null || base === pull.baseRef)
      .map((pull) => this.#json(pull));
    return paged(direction === "desc" ? listed.toReversed() : listed, request, this.#site);
  }

  #one(number: number): GithubReply {
    const pull = this.#all.find((each) => each.number === number);
    if (pull === undefined) return notFound;
    const counts = ["comments", "review_comments", "additions", "deletions", "changed_files"];
    const body = {
      ...this.#json(pull),
      merged: pull.mergedAt !== null,
      mergeable: pull.state === "open" ? true : null,
      rebaseable: null,
      mergeable_state: "unknown",
      merged_by: null,
      maintainer_can_modify: false,
      commits: pull.commits.length,
      ...Object.fromEntries(counts.map((name) => [name, 0])),
    };
    return { status: 200, body };
  }

  /** On the base branch the one whose merge put it there; elsewhere all that hold it, but for those of forks. */
  #ofCommit(request: GithubRequest, sha: string): GithubReply {
    if (!/^[0-9a-f]{40}$/.test(sha)) {
      return refused(422, `No commit found for SHA: ${sha}`);
    }
    const merged = this.#all.filter(({ landed }) => landed.includes(sha));
    const own = this.#all.filter(({ headRepository }) => headRepository.id === this.#site.repositoryId);
    const found = merged.length > 0 ? merged : own.filter(({ commits }) => commits.includes(sha));
    return paged(
      found.map((pull) => this.#json(pull)),
      request,
      this.#site,
    );
  }

  #json(pull: PullRequest): Readonly<Record<string, unknown>> {
    const { number, baseRef, baseSha } = pull;
    const [url, page] = [this.#site.url(`/pulls/${number}`), this.#site.page(`/pull/${number}`)];
    const own = { fullName: this.#site.repository, id: this.#site.repositoryId };
    const end = (repository: typeof own, ref: string, sha: string) => ({
      label: `${repository.fullName.split("/")[0]}:${ref}`,
      ref,
      sha,
      user: this.#accounts.json(this.#accounts.named(repository.fullName.split("/")[0] ?? "")),
      repo: repositoryJson(this.#site, this.#accounts, repository),
    });
    const head = pull.commits.at(-1) ?? "";
    const links = {
      self: url,
      html: page,
      issue: this.#site.url(`/issues/${number}`),
      comments: this.#site.url(`/issues/${number}/comments`),
      review_comments: `${url}/comments`,
      review_comment: `${url}/comments{/number}`,
      commits: `${url}/commits`,
      statuses: this.#site.url(`/statuses/${head}`),
    };
    return {
      url,
      id: 5_000_000 + number,
      node_id: nodeId("PR", number),
      html_url: page,
      diff_url: `${page}.diff`,
      patch_url: `${page}.patch`,
      issue_url: links.issue,
      commits_url: links.commits,
      review_comments_url: links.review_comments,
      review_comment_url: links.review_comment,
      comments_url: links.comments,
      statuses_url: links.statuses,
      number,
      state: pull.state,
      locked: false,
      title: pull.title,
      user: this.#accounts.json(this.#accounts.named(pull.login)),
      body: null,
      labels: [],
      milestone: null,
      assignee: null,
      assignees: [],
      requested_reviewers: [],
      requested_teams: [],
      created_at: pull.createdAt,
      updated_at: pull.createdAt,
      closed_at: pull.state === "open" ? null : (pull.mergedAt ?? pull.createdAt),
      merged_at: pull.mergedAt,
      merge_commit_sha: pull.mergeCommit,
      head: end(pull.headRepository, pull.headRef, head),
      base: end(own, baseRef, baseSha),
      _links: Object.fromEntries(Object.entries(links).map(([name, href]) => [name, { href }])),
      author_association: "CONTRIBUTOR",
      auto_merge: null,
      draft: pull.isDraft,
    };
  }
}

function labelOf({ headRepository, headRef }: PullRequest): string {
  return `${headRepository.fullName.split("/")[0]}:${headRef}`;
}
