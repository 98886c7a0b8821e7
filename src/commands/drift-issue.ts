import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { DeployError } from "../errors.ts";
import { keepIssue } from "../github/issue.ts";
import type { StatusInputs } from "../inputs/inputs.ts";
import { type PlannedDrift, renderDrift } from "../report/drift.ts";
import { code } from "../report/markdown-text.ts";
import type { StatusRow } from "../report/status-row.ts";
import { maskSecrets } from "../secrets.ts";
import { type OnGithub, onGithub } from "./on-github.ts";
import { readPlanFile } from "./plan-from-file.ts";
import type { Shell } from "./shell.ts";

export const driftLabel = "flink-drift";

/** Where the issue is kept; null where none is wanted. Throws `inputs-invalid` before anything is looked at. */
export function driftIssuePlace(inputs: StatusInputs, shell: Shell): OnGithub | null {
  if (!inputs.driftIssue) return null;
  const github = onGithub({ ...inputs, pullRequest: null }, shell);
  if (github !== null) return github;
  const needs = "needs a workflow on GitHub with `issues: write` and its token in `github-token`";
  throw new DeployError("inputs-invalid", `drift-issue: ${needs}`);
}

/** Opens, brings up to date or closes the environment's issue. Throws `github-failed`: nobody would look elsewhere. */
export async function keepDriftIssue(
  rows: readonly StatusRow[],
  { api }: OnGithub,
  inputs: StatusInputs,
  shell: Shell,
): Promise<void> {
  const { environment, planFile } = inputs;
  const planned = planFile === null ? null : await plannedDrift(planFile, environment, shell.cwd);
  const drift = renderDrift({ environment, rows, planned });
  const { what, url } = await keepIssue(api, {
    marker: `<!-- flink-dbt-deploy drift ${environment} -->`,
    label: driftLabel,
    title: maskSecrets(drift?.title ?? ""),
    body: drift === null ? null : maskSecrets(drift.body),
  });
  shell.log(url === null ? `no issue for ${environment}, since all is well` : `issue ${what}: ${url}`);
  if (url !== null && what !== "unchanged")
    await shell.print(`The issue of ${code(environment)} was ${what}: ${url}\n`);
}

/** A plan that is not there failed: what is wrong with the jobs is told all the same. */
async function plannedDrift(file: string, environment: string, cwd: string): Promise<PlannedDrift | "failed"> {
  if (!existsSync(resolve(cwd, file))) return "failed";
  const planned = await readPlanFile(file, cwd);
  if (planned.environment === environment) return planned;
  const why = `is of environment ${planned.environment}, not of ${environment}`;
  throw new DeployError("inputs-invalid", `plan-file: ${file} ${why}`);
}
