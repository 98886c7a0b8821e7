import { GithubApi } from "../github/api.ts";
import type { Shell } from "./shell.ts";

/** A run of a workflow on GitHub, or on a forge that speaks its API, with a token for its repository. */
export interface OnGithub {
  readonly api: GithubApi;
  /** Page of the run. */
  readonly run: string;
  /** The commit that the workflow runs for; null where that is not told. */
  readonly commit: string | null;
  /** The branch that it runs for; null for a tag or a pull request. */
  readonly branch: string | null;
}

/** Null outside of a workflow, and in one whose token was not given. */
export function onGithub({ githubToken }: { readonly githubToken: string | null }, shell: Shell): OnGithub | null {
  const {
    GITHUB_ACTIONS,
    GITHUB_API_URL,
    GITHUB_REPOSITORY: repository,
    GITHUB_SERVER_URL,
    GITHUB_RUN_ID,
    GITHUB_SHA,
    GITHUB_REF,
    GITHUB_TOKEN,
  } = shell.environment;
  const token = githubToken ?? GITHUB_TOKEN ?? "";
  if (GITHUB_ACTIONS !== "true" || !repository || token === "") return null;
  const url = GITHUB_API_URL || "https://api.github.com";
  const { now, log, deadline } = shell;
  return {
    api: new GithubApi({ url, repository, token, sleep: (ms) => shell.sleep(ms, deadline), now, log }),
    run: `${GITHUB_SERVER_URL || "https://github.com"}/${repository}/actions/runs/${GITHUB_RUN_ID ?? ""}`,
    commit: /^[0-9a-f]{40}$/.test(GITHUB_SHA ?? "") ? (GITHUB_SHA ?? null) : null,
    branch: /^refs\/heads\/(.+)$/.exec(GITHUB_REF ?? "")?.[1] ?? null,
  };
}
