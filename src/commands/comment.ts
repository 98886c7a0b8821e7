import { existsSync } from "node:fs";
import { posix, resolve } from "node:path";
import { DeployError } from "../errors.ts";
import { readEventFile } from "../github/event-file.ts";
import { findPlanTarget, type PlanTarget } from "../github/plan-target.ts";
import { isOfHead } from "../github/pull-request.ts";
import { readRunEvent } from "../github/run-event.ts";
import type { PostInputs } from "../inputs/inputs.ts";
import type { Plan } from "../plan/plan.ts";
import { plainText } from "../report/markdown-text.ts";
import { type OnGithub, onGithub } from "./on-github.ts";
import { readPlanFile } from "./plan-from-file.ts";
import { postPlan } from "./post-plan.ts";
import type { CommandResult, Shell } from "./shell.ts";

/**
 * Tells a plan that another run made, which may be of a fork and so anybody's: the file is read with a limit and decoded
 * strictly, and must be of the commit that run was for. Whatever it says, it is what its pull request's comment says; a
 * deployment compares with the programs themselves. Throws `inputs-invalid`, or `github-failed` where it cannot be told.
 */
export async function comment(inputs: PostInputs, shell: Shell): Promise<CommandResult> {
  const github = onGithub(inputs, shell);
  if (github === null) {
    const needs = "needs GITHUB_REPOSITORY, `github-token`, and a workflow or `pull-request`";
    throw new DeployError("inputs-invalid", `comment: ${needs}`);
  }
  if (!existsSync(resolve(shell.cwd, inputs.planFile))) return await tellMissing(inputs, shell);
  const plan = await readPlanFile(inputs.planFile, shell.cwd);
  const invalid = (why: string): DeployError =>
    new DeployError("inputs-invalid", `plan-file: ${inputs.planFile} ${why}`);
  if (plan.environment !== inputs.environment) {
    throw invalid(`is of environment ${plan.environment}, not of ${inputs.environment}`);
  }
  const event = await readRunEvent(shell.environment, readEventFile);
  const target = await findPlanTarget(github.api, { event, number: inputs.pullRequest });
  if (target.head === null) {
    shell.log("no open pull request has this commit as its newest: nothing is told");
    return done(plan);
  }
  if (!(await isOf(plan, target, github))) throw invalid(`is of commit ${plan.head}, not of ${target.head}`);
  const folder = posix.join(inputs.projectDir).replace(/^\.\/?|\/$/g, "");
  const problems = await postPlan({ kind: "made", plan, folder }, inputs, shell);
  if (problems.length > 0) return { reason: "github-failed", message: problems.join("\n"), outputs: {} };
  const where = target.number === null ? "the merge queue's commit" : `pull request ${target.number}`;
  await shell.print(`## Told the plan of ${plainText(plan.project)} on ${where}\n`);
  return done(plan);
}

/** A run that died before it had a plan: only the commit's status can tell, or it would stay as if nothing had been tried. */
async function tellMissing(inputs: PostInputs, shell: Shell): Promise<never> {
  const why = `plan-file: ${inputs.planFile} is not there: the run that was to make it ended without a plan`;
  const error = new DeployError("inputs-invalid", why);
  await postPlan({ kind: "failed", error }, inputs, shell);
  throw error;
}

async function isOf({ head: planned }: Plan, { head }: PlanTarget, { api }: OnGithub): Promise<boolean> {
  return head !== null && (await isOfHead(api, planned, { head }));
}

function done({ changes, digest }: Plan): CommandResult {
  const isChange = changes.some(({ kind }) => kind !== "none");
  return { reason: "ok", message: null, outputs: { "has-changes": String(isChange), "plan-digest": digest } };
}
