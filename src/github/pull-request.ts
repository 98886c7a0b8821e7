import { type Decoder, fields, list, nullable, number, string } from "../flink/decode.ts";
import type { GithubApi } from "./api.ts";
import { GithubRefusal } from "./refusal.ts";
import type { HeadBranch } from "./run-event.ts";

/** A pull request, as far as it matters which commits it brought where. */
export interface PullRequest {
  readonly number: number;
  readonly isOpen: boolean;
  /** ISO 8601; null where it was not merged. */
  readonly mergedAt: string | null;
  /** The commit on the base branch that its merge, squash or rebase ended with; of an open one, that of a trial merge. */
  readonly mergeCommit: string | null;
  /** The newest of its own commits. */
  readonly head: string;
  /** Without `refs/heads/`. */
  readonly baseBranch: string;
  /** `owner/name` of the repository that its head is in, where it is another; null where it is this one. */
  readonly fork: string | null;
}

const permission = "pull-requests: read";

/** The repository of a head is null once a fork is deleted. */
const end = fields((it) => ({
  sha: it.get("sha", string),
  ref: it.get("ref", string),
  repository: it.get("repo", nullable(fields((repository) => repository.get("full_name", string)))),
}));

const pullRequest: Decoder<PullRequest> = (value, path) => {
  const { head, base, state, ...rest } = fields((it) => ({
    number: it.get("number", number),
    state: it.get("state", string),
    mergedAt: it.get("merged_at", nullable(string)),
    mergeCommit: it.get("merge_commit_sha", nullable(string)),
    head: it.get("head", end),
    base: it.get("base", end),
  }))(value, path);
  const fork = head.repository === base.repository ? null : (head.repository ?? "a deleted repository");
  return { ...rest, isOpen: state === "open", head: head.sha, baseBranch: base.ref, fork };
};

/** Throws `github-failed` where there is none of that number. */
export async function pullRequestOfNumber(api: GithubApi, wanted: number): Promise<PullRequest> {
  return await api.get(`/pulls/${wanted}`, { decoder: pullRequest, permission });
}

/**
 * The merged pull request that brought a commit onto its branch, by a merge, a squash, a rebase or a queue; null where there
 * is none, such as for a direct push.
 */
export async function pullRequestOfCommit(
  api: GithubApi,
  { commit, branch }: { readonly commit: string; readonly branch: string | null },
): Promise<PullRequest | null> {
  const listed = await pullRequestsOfCommit(api, commit);
  const merged = listed.filter(({ mergedAt }) => mergedAt !== null);
  const here = merged.filter(({ baseBranch }) => branch === null || baseBranch === branch);
  // A commit that came through another branch first is of that one's pull request too.
  return here.find(({ mergeCommit }) => mergeCommit === commit) ?? here[0] ?? null;
}

/**
 * The open pull request whose newest commit it is, from that branch where it is known; null where there is none. GitHub lists
 * none for a commit that only a fork has, and so is asked for those of the branch.
 */
export async function openPullRequestOfHead(
  api: GithubApi,
  commit: string,
  pushedTo: HeadBranch | null,
): Promise<PullRequest | null> {
  const isMeant = ({ isOpen, head, fork }: PullRequest): boolean =>
    isOpen && head === commit && (pushedTo === null || (fork ?? api.repository) === pushedTo.repository);
  const wanted = { decoder: list(pullRequest), permission };
  const listed =
    (await api.find(`/commits/${commit}/pulls?per_page=100`, wanted)) ??
    (await recentPullRequests(api, { state: "open", branch: null }));
  const found = listed.find(isMeant) ?? null;
  if (found !== null || pushedTo === null) return found;
  const head = encodeURIComponent(`${pushedTo.owner}:${pushedTo.branch}`);
  const ofBranch = await api.get(`/pulls?state=open&head=${head}&per_page=100`, wanted);
  return ofBranch.find(isMeant) ?? null;
}

async function pullRequestsOfCommit(api: GithubApi, commit: string): Promise<readonly PullRequest[]> {
  try {
    return await api.pages(`/commits/${commit}/pulls`, { decoder: pullRequest, permission });
  } catch (error) {
    if (!(error instanceof GithubRefusal)) throw error;
    // 422: GitHub does not know the commit. Other forges have no such list; a rebase is not found there.
    if (error.status === 422) return [];
    if (!error.isAbsence) throw error;
    const closed = await recentPullRequests(api, { state: "closed", branch: null });
    return closed.filter(({ mergeCommit }) => mergeCommit === commit);
  }
}

/** The newest hundred at most; those that changed last come first. */
export async function recentPullRequests(
  api: GithubApi,
  { state, branch }: { readonly state: "open" | "closed"; readonly branch: string | null },
): Promise<readonly PullRequest[]> {
  const base = branch === null ? "" : `&base=${encodeURIComponent(branch)}`;
  const path = `/pulls?state=${state}${base}&sort=updated&direction=desc&per_page=100`;
  return await api.get(path, { decoder: list(pullRequest), permission });
}

/** Whether a commit is the pull request's newest, or the trial merge of it that a workflow of a pull request checks out. */
export async function isOfHead(api: GithubApi, commit: string, { head }: Pick<PullRequest, "head">): Promise<boolean> {
  if (commit === head) return true;
  if (!/^[0-9a-f]{40}$/.test(commit)) return false;
  const parents = await api
    .find(`/git/commits/${commit}`, { decoder: commitParents, permission: "contents: read" })
    .catch((error: unknown) => {
      if (error instanceof GithubRefusal && error.status === 422) return null;
      throw error;
    });
  return parents?.includes(head) ?? false;
}

const commitParents: Decoder<readonly string[]> = fields((it) =>
  it.get("parents", list(fields((parent) => parent.get("sha", string)))),
);
