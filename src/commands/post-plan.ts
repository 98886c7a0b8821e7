import { DeployError, describeError, inOneLine } from "../errors.ts";
import { postComment } from "../github/comment.ts";
import { type CommitStatus, setCommitStatus } from "../github/commit-status.ts";
import { readEventFile } from "../github/event-file.ts";
import { findPlanTarget, type PlanTarget } from "../github/plan-target.ts";
import { GithubRefusal } from "../github/refusal.ts";
import { readRunEvent } from "../github/run-event.ts";
import type { PlanInputs } from "../inputs/inputs.ts";
import type { Plan } from "../plan/plan.ts";
import { renderComment } from "../report/comment.ts";
import { commentMarker } from "../report/comment-marker.ts";
import { renderNotPosted } from "../report/not-posted.ts";
import { planStatusLine } from "../report/status-line.ts";
import { maskSecrets } from "../secrets.ts";
import { type OnGithub, onGithub } from "./on-github.ts";
import type { Shell } from "./shell.ts";

export type PostingInputs = Pick<
  PlanInputs,
  "environment" | "comment" | "pullRequest" | "commitStatus" | "githubToken"
>;

/** What became of a plan. `folder` is the project's in the repository. */
export type PlanEnding =
  | { readonly kind: "made"; readonly plan: Plan; readonly folder: string }
  | { readonly kind: "failed"; readonly error: unknown };

/**
 * Tells a plan on GitHub: by a comment on its pull request, and by a status of the commit. Outside of GitHub it does
 * nothing, and nowhere does it fail: what is in the way is a line of the log and one of the summary, and is returned.
 */
export async function postPlan(ending: PlanEnding, inputs: PostingInputs, shell: Shell): Promise<readonly string[]> {
  if ((inputs.comment === "off" && !inputs.commitStatus) || shell.signal.aborted) return [];
  const github = onGithub(inputs, shell);
  const problems = github === null ? whyNot(inputs, shell) : await tell(ending, inputs, { github, shell });
  if (problems.length === 0) return [];
  for (const problem of problems) shell.log(`warning: ${problem}`);
  await shell.print(renderNotPosted(problems));
  return problems;
}

/** Silent where nobody asked for it. */
function whyNot({ pullRequest }: PostingInputs, { environment, log }: Shell): readonly string[] {
  const missing = environment.GITHUB_REPOSITORY ? "`github-token`" : "GITHUB_REPOSITORY";
  if (pullRequest !== null) return [`nothing is posted to pull request ${pullRequest}: ${missing} is not given`];
  if (environment.GITHUB_ACTIONS === "true") log(`no comment and no commit status: ${missing} is not given`);
  return [];
}

interface Place {
  readonly github: OnGithub;
  readonly shell: Shell;
}

/** The problems that it met. */
async function tell(ending: PlanEnding, inputs: PostingInputs, place: Place): Promise<readonly string[]> {
  const { github, shell } = place;
  const event = await readRunEvent(shell.environment, readEventFile);
  let target: PlanTarget;
  try {
    target = await findPlanTarget(github.api, { event, number: inputs.pullRequest });
  } catch (error) {
    const problem = `the pull request was not found: ${said(error)}`;
    if (event.kind === "pull-request" || inputs.pullRequest !== null) return [problem];
    // There may well be none.
    shell.log(problem);
    return [];
  }
  const posts = [
    ["the comment", () => comment(ending, target, inputs, place)],
    ["the commit status", () => status(ending, target, inputs, place)],
  ] as const;
  const problems: string[] = [];
  for (const [what, post] of posts) {
    try {
      await post();
    } catch (error) {
      const { fork } = target;
      if (fork !== null && error instanceof GithubRefusal && error.status === 403) return [readOnly(fork)];
      problems.push(`${what} was not posted: ${said(error)}`);
    }
  }
  return problems;
}

function readOnly(fork: string): string {
  return (
    `the pull request comes from ${fork}, and its run has a token that only reads: neither comment nor commit status ` +
    "is posted; a job that a `workflow_run` of this repository starts can post them"
  );
}

function said(error: unknown): string {
  return inOneLine(maskSecrets(describeError(error)));
}

async function comment(
  ending: PlanEnding,
  { number, fork }: PlanTarget,
  { comment: mode }: PostingInputs,
  { github, shell }: Place,
): Promise<void> {
  if (mode === "off" || number === null || ending.kind === "failed") return;
  const { plan, folder } = ending;
  const { api, server } = github;
  const isCommit = /^[0-9a-f]{40}$/.test(plan.head);
  const files = isCommit ? { server, repository: api.repository, commit: plan.head, folder } : null;
  const body = maskSecrets(renderComment(plan, { files, runUrl: runOf(github, shell), planUrl: null, fork }));
  const posted = await postComment(api, { number, marker: commentMarker("plan", plan), body }, mode);
  shell.log(`comment on pull request ${number} ${posted.kind}: ${posted.url}`);
}

async function status(
  ending: PlanEnding,
  { number, head: commit }: PlanTarget,
  { environment, commitStatus }: PostingInputs,
  { github, shell }: Place,
): Promise<void> {
  if (!commitStatus || commit === null) return;
  const { api, server } = github;
  const url = runOf(github, shell) ?? `${server}/${api.repository}/pull/${number}`;
  const made: CommitStatus = { commit, context: `flink-dbt-deploy / ${environment}`, url, ...verdict(ending) };
  await api.optional("commit statuses", () => setCommitStatus(api, made));
}

function verdict(ending: PlanEnding): Pick<CommitStatus, "state" | "description"> {
  if (ending.kind === "made") {
    const isRefused = ending.plan.findings.some(({ severity }) => severity === "error");
    return { state: isRefused ? "failure" : "success", description: planStatusLine(ending.plan) };
  }
  const { error } = ending;
  const description = error instanceof DeployError ? `${error.code}: ${said(error)}` : "internal";
  return { state: "error", description };
}

/** Null outside of a workflow. */
function runOf({ run }: OnGithub, { environment }: Shell): string | null {
  return environment.GITHUB_RUN_ID ? run : null;
}
