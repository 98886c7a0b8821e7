import { DeployError, describeError, inOneLine } from "../errors.ts";
import {
  type PullRequest,
  pullRequestOfCommit,
  pullRequestOfNumber,
  recentPullRequests,
} from "../github/pull-request.ts";
import { GithubRefusal } from "../github/refusal.ts";
import { comparePlans, type PlanDifference } from "../plan/compare-plans.ts";
import type { Plan } from "../plan/plan.ts";
import { describeDifference, renderDifferences } from "../report/review.ts";
import { maskSecrets } from "../secrets.ts";
import type { OnGithub } from "./on-github.ts";
import { postRefusal } from "./post-outcome.ts";
import { type FoundPlan, reviewedPlan, type Sources } from "./reviewed-plans.ts";
import type { Shell } from "./shell.ts";

export interface ReviewRequest {
  readonly plan: Plan;
  /** That is deployed, by which its pull request is found. */
  readonly commit: string;
  /** Null: the one of the commit. */
  readonly pullRequest: number | null;
  readonly mode: "true" | "warn" | "false";
  /** How a refusal is told on the pull request. */
  readonly comment: "update" | "renew" | "off";
}

export interface Review {
  /** Of the commit, where one is known. */
  readonly pullRequest: PullRequest | null;
}

/** Merged pull requests that are looked through for changes that were not deployed: skipped runs are few. */
const otherPullRequests = 10;

/**
 * Holds what is about to be deployed against the plan that was reviewed in the commit's pull request. Throws
 * `plan-changed` or `plan-missing` where `mode` is `true`, and `github-failed` where GitHub does not tell; under `warn` it
 * says so and no more.
 */
export async function holdAgainstReview(
  { plan, commit, pullRequest: number, mode, comment }: ReviewRequest,
  github: OnGithub | null,
  shell: Pick<Shell, "log" | "print" | "environment">,
): Promise<Review> {
  if (github === null) {
    if (mode === "true") throw missing("`require-reviewed-plan: true` needs GitHub Actions and its token");
    return { pullRequest: null };
  }
  const isHeld = mode !== "false" && plan.changes.some(({ kind }) => kind !== "none");
  const unheld = "warning: not held against a reviewed plan";
  const unknown = `${isHeld ? `${unheld}: ` : ""}the pull request is not known`;
  const pullRequest = await found(() => pullRequestOf(github, commit, number), unknown, { mode, shell });
  if (!isHeld || pullRequest === undefined) return { pullRequest: pullRequest ?? null };
  const say = (why: string): void => {
    if (mode === "true") throw missing(why);
    shell.log(`${unheld}: ${why}`);
  };
  if (pullRequest === null) {
    say(`commit ${commit} came with no merged pull request`);
    return { pullRequest };
  }
  const { environment, project } = plan;
  const all: Sources = { api: github.api, log: shell.log };
  const sought = { environment, project };
  const reviewed = await found(() => reviewedPlan(pullRequest, sought, all), unheld, { mode, shell });
  if (reviewed === undefined) return { pullRequest };
  if (reviewed === null) {
    say(
      `pull request ${pullRequest.number} has no plan for ${project} on ${environment} of its commit ${pullRequest.head}`,
    );
    return { pullRequest };
  }
  const others = async (): Promise<readonly FoundPlan[]> => {
    const unseen = "the plans of other pull requests are not known";
    return (await found(() => plansOfOthers(pullRequest, sought, all), unseen, { mode, shell })) ?? [];
  };
  const differences = await differencesOf(plan, reviewed, others);
  if (differences.length === 0) {
    shell.log(`what is deployed is what pull request ${pullRequest.number} showed (${reviewed.source})`);
    return { pullRequest };
  }
  const isRefused = mode === "true";
  const { source } = reviewed;
  const told = { pullRequest: pullRequest.number, source, differences, isRefused };
  await shell.print(renderDifferences(told));
  const lines = differences.map(describeDifference);
  if (isRefused) {
    await postRefusal(told, { plan, pullRequest, mode: comment }, github, shell);
    const what = `this is not what pull request ${pullRequest.number} showed (${source}):`;
    throw new DeployError("plan-changed", [what, ...lines].join("\n"));
  }
  for (const line of lines) shell.log(`warning: not as reviewed: ${line}`);
  return { pullRequest };
}

const missing = (why: string): DeployError => new DeployError("plan-missing", why);

/**
 * An error of GitHub's ends a deployment that must be held against something; else it is a line of the log, which begins
 * with `otherwise`, and undefined: nothing is known, which is not null.
 */
async function found<T>(
  look: () => Promise<T>,
  otherwise: string,
  { mode, shell }: { readonly mode: ReviewRequest["mode"]; readonly shell: Pick<Shell, "log"> },
): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    if (mode === "true") throw error;
    shell.log(`${otherwise}: ${inOneLine(maskSecrets(describeError(error)))}`);
    return undefined;
  }
}

async function pullRequestOf(
  { api, branch }: OnGithub,
  commit: string,
  number: number | null,
): Promise<PullRequest | null> {
  return number === null ? await pullRequestOfCommit(api, { commit, branch }) : await pullRequestOfNumber(api, number);
}

/** Other pull requests are looked at only where something is left that this one does not explain. */
async function differencesOf(
  plan: Plan,
  reviewed: FoundPlan,
  others: () => Promise<readonly FoundPlan[]>,
): Promise<readonly PlanDifference[]> {
  const differences = comparePlans(plan, reviewed);
  if (!differences.some(({ kind }) => kind === "not-in-plan")) return differences;
  return comparePlans(plan, reviewed, await others());
}

/** Plans of pull requests that were merged into the same branch lately: a run that was skipped left their changes over. */
async function plansOfOthers(
  { number, baseBranch }: PullRequest,
  sought: { readonly environment: string; readonly project: string },
  sources: Sources,
): Promise<readonly FoundPlan[]> {
  const closed = await recentPullRequests(sources.api, { state: "closed", branch: baseBranch });
  const merged = closed.filter((one) => one.mergedAt !== null && one.number !== number).slice(0, otherPullRequests);
  const plans: FoundPlan[] = [];
  for (const one of merged) {
    const plan = await reviewedPlan(one, sought, sources).catch((error: unknown) => {
      // One whose plan the token may not see explains nothing; another may.
      if (error instanceof GithubRefusal) return null;
      throw error;
    });
    if (plan !== null) plans.push(plan);
  }
  return plans;
}
