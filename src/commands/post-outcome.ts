import type { Outcome } from "../deploy/deployment.ts";
import { describeError, inOneLine } from "../errors.ts";
import { ownComments, postComment } from "../github/comment.ts";
import { type PullRequest, recentPullRequests } from "../github/pull-request.ts";
import type { Plan } from "../plan/plan.ts";
import { commentMarker } from "../report/comment-marker.ts";
import { renderNotPosted } from "../report/not-posted.ts";
import { renderBaseChanged, renderOutcomeComment, renderRefusedComment } from "../report/outcome-comment.ts";
import type { Differences } from "../report/review.ts";
import { maskSecrets } from "../secrets.ts";
import type { OnGithub } from "./on-github.ts";
import type { Shell } from "./shell.ts";

export interface Ended {
  readonly outcome: Outcome;
  readonly plan: Plan;
  /** That brought the commit; null where none is known. */
  readonly pullRequest: PullRequest | null;
  readonly mode: "update" | "renew" | "off";
}

/** Each takes up to eight requests, of which a job's token has 1000 an hour. */
const mostOpen = 10;

/**
 * Tells a deployment on the pull request that brought its commit, and the open ones with a plan of ours that what they compare
 * with has changed. It never fails: what is in the way is a line of the log and of the summary.
 */
export async function postOutcome(
  { outcome, plan, pullRequest, mode }: Ended,
  github: OnGithub | null,
  shell: Shell,
): Promise<void> {
  if (github === null || mode === "off" || shell.signal.aborted) return;
  const { run: runUrl, branch } = github;
  const { problems, attempt } = attempts();
  if (pullRequest !== null) {
    const body = renderOutcomeComment(outcome, plan, { runUrl });
    await attempt(notPosted(pullRequest), () => postOne({ plan, pullRequest, mode, body }, github, shell));
  }
  const isChanged = outcome.jobs.some(({ ending }) => !["unchanged", "refused", "skipped"].includes(ending));
  const of = pullRequest?.baseBranch ?? branch;
  if (isChanged && of !== null) {
    await attempt("open pull requests were not told that what is deployed has changed", async () => {
      const { project, environment, head: commit } = plan;
      const body = renderBaseChanged({ project, environment, commit, runUrl, at: shell.now().toISOString() });
      await tellOpenOnes(github, plan, { branch: of, body, except: pullRequest?.number ?? null, attempt });
    });
  }
  await sayProblems(problems, shell);
}

/** Tells on its pull request that a deployment was refused, in the place of its outcome. It never fails either. */
export async function postRefusal(
  differences: Differences,
  { plan, pullRequest, mode }: Pick<Ended, "plan" | "mode"> & { readonly pullRequest: PullRequest },
  github: OnGithub,
  shell: Pick<Shell, "log" | "print">,
): Promise<void> {
  if (mode === "off") return;
  const { problems, attempt } = attempts();
  const body = renderRefusedComment(differences, plan, { runUrl: github.run });
  await attempt(notPosted(pullRequest), () => postOne({ plan, pullRequest, mode, body }, github, shell));
  await sayProblems(problems, shell);
}

type Attempt = (what: string, work: () => Promise<void>) => Promise<void>;

/** Errors become problems, in words. */
function attempts(): { readonly problems: readonly string[]; readonly attempt: Attempt } {
  const problems: string[] = [];
  const attempt: Attempt = async (what, work) => {
    await work().catch((error: unknown) => {
      problems.push(`${what}: ${inOneLine(maskSecrets(describeError(error)))}`);
    });
  };
  return { problems, attempt };
}

async function sayProblems(problems: readonly string[], { log, print }: Pick<Shell, "log" | "print">): Promise<void> {
  if (problems.length === 0) return;
  for (const problem of problems) log(`warning: ${problem}`);
  await print(renderNotPosted(problems));
}

const notPosted = ({ number }: PullRequest): string => `the outcome was not posted to pull request ${number}`;

interface Post {
  readonly plan: Plan;
  readonly pullRequest: PullRequest;
  readonly mode: "update" | "renew";
  readonly body: string;
}

async function postOne(
  { plan, pullRequest: { number }, mode, body }: Post,
  { api }: OnGithub,
  { log }: Pick<Shell, "log">,
): Promise<void> {
  const own = { number, marker: commentMarker("outcome", plan), body: maskSecrets(body) };
  const { kind, url } = await postComment(api, own, mode);
  log(`comment on pull request ${number} ${kind}: ${url}`);
}

interface Telling {
  readonly branch: string;
  readonly body: string;
  readonly except: number | null;
  readonly attempt: Attempt;
}

/** Those that changed last, and have a plan of ours for this project and environment. */
async function tellOpenOnes({ api }: OnGithub, plan: Plan, { branch, body, except, attempt }: Telling): Promise<void> {
  const open = await recentPullRequests(api, { state: "open", branch });
  for (const { number } of open.filter((one) => one.number !== except).slice(0, mostOpen)) {
    await attempt(`pull request ${number} was not told that what is deployed has changed`, async () => {
      if ((await ownComments(api, { number, marker: commentMarker("plan", plan) })).length === 0) return;
      await postComment(api, { number, marker: commentMarker("base-changed", plan), body }, "update");
    });
  }
}
