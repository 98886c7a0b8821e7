import type { Outcome } from "../deploy/deployment.ts";
import type { Plan } from "../plan/plan.ts";
import { longestComment } from "./comment.ts";
import { commentMarker } from "./comment-marker.ts";
import { bytesOf } from "./fit-details.ts";
import { code, link, withVisibleSigns } from "./markdown-text.ts";
import { outcomeVerdict, renderOutcome } from "./outcome.ts";
import { type Differences, renderDifferences } from "./review.ts";

/** What a merged pull request is told of its deployment, at most 60,000 bytes: a comment of its own beside the plan's. */
export function renderOutcomeComment(outcome: Outcome, plan: Plan, { runUrl }: { readonly runUrl: string }): string {
  const marker = `${commentMarker("outcome", plan)}\n`;
  const end = `\n<sub>${link("run", runUrl)}</sub>\n`;
  const whole = withVisibleSigns(`${renderOutcome(outcome, plan)}${end}`);
  if (bytesOf(marker) + bytesOf(whole) <= longestComment) return marker + whole;
  const short = `## ${outcomeVerdict(outcome, plan)}\n\nEach job is in the ${link("run's summary", runUrl)}.\n`;
  return marker + withVisibleSigns(short);
}

/** What it is told where the deployment was refused for not being what was reviewed: in the place of an outcome. */
export function renderRefusedComment(
  differences: Differences,
  plan: Pick<Plan, "project" | "environment">,
  { runUrl }: { readonly runUrl: string },
): string {
  const marker = `${commentMarker("outcome", plan)}\n`;
  const title = `## ${code(plan.environment)}: not deployed\n\n`;
  const end = `\n<sub>${link("run", runUrl)}</sub>\n`;
  const whole = withVisibleSigns(`${title}${renderDifferences(differences)}${end}`);
  if (bytesOf(marker) + bytesOf(whole) <= longestComment) return marker + whole;
  return `${marker}${title}It is not what was reviewed; the ${link("run's summary", runUrl)} has the differences.\n`;
}

export interface BaseChange {
  readonly project: string;
  readonly environment: string;
  readonly commit: string;
  readonly runUrl: string;
  /** ISO 8601. */
  readonly at: string;
}

/** One line for open pull requests of the project. It stays true when a new plan follows it. */
export function renderBaseChanged({ project, environment, commit, runUrl, at }: BaseChange): string {
  const since = `${at.slice(0, 16).replace("T", " ")} UTC`;
  const line = `ℹ️ ${code(project)} on ${code(environment)} is ${link(`deployed from ${commit.slice(0, 10)}`, runUrl)} since ${since}: a plan made before compares with what ran before. Push, or run the plan again, for a new one.`;
  return `${commentMarker("base-changed", { project, environment })}\n${withVisibleSigns(line)}\n`;
}
