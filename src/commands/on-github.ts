import { GithubApi } from "../github/api.ts";
import type { Shell } from "./shell.ts";

/** A run of a workflow on GitHub, or on a forge that speaks its API, with a token for its repository. */
export interface OnGithub {
  readonly api: GithubApi;
  /** `https://github.com`. */
  readonly server: string;
  /** Page of the run. */
  readonly run: string;
  /** The commit that the workflow runs for; null where that is not told. */
  readonly commit: string | null;
  /** The branch that it runs for; null for a tag or a pull request. */
  readonly branch: string | null;
}

/** Null outside of a workflow, unless a pull request is given; and where no token is. */
export function onGithub(
  { githubToken, pullRequest }: { readonly githubToken: string | null; readonly pullRequest: number | null },
  shell: Pick<Shell, "environment" | "now" | "log" | "deadline" | "sleep">,
): OnGithub | null {
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
  const isMeant = GITHUB_ACTIONS === "true" || pullRequest !== null;
  if (!isMeant || !repository || token === "") return null;
  const server = (GITHUB_SERVER_URL || "https://github.com").replace(/\/+$/, "");
  const url = GITHUB_API_URL || "https://api.github.com";
  const { now, log, deadline } = shell;
  return {
    api: new GithubApi({ url, repository, token, sleep: (ms) => shell.sleep(ms, deadline), now, log }),
    server,
    run: `${server}/${repository}/actions/runs/${GITHUB_RUN_ID ?? ""}`,
    commit: /^[0-9a-f]{40}$/.test(GITHUB_SHA ?? "") ? (GITHUB_SHA ?? null) : null,
    branch: /^refs\/heads\/(.+)$/.exec(GITHUB_REF ?? "")?.[1] ?? null,
  };
}
