import type { PlanDifference } from "../plan/compare-plans.ts";
import { cell, count } from "./markdown-text.ts";

export interface Differences {
  /** The pull request whose plan was reviewed. */
  readonly pullRequest: number;
  /** Where that plan was found, for the middle of a sentence. */
  readonly source: string;
  readonly differences: readonly PlanDifference[];
  /** Whether the deployment ends with it. */
  readonly isRefused: boolean;
}

/** Where a deployment is not what was reviewed, as Markdown: a row for each job. */
export function renderDifferences({ pullRequest, source, differences, isRefused }: Differences): string {
  const end = isRefused ? "Nothing was touched." : "It is deployed all the same (`require-reviewed-plan: warn`).";
  const lines = [
    `### ${isRefused ? "⛔" : "⚠️"} ${count(differences.length, "difference")} from what was reviewed`,
    "",
    `The plan of pull request ${pullRequest} (${cell(source)}) showed something else. ${end}`,
    "",
    "| Job | Reviewed | To be deployed | |",
    "| --- | --- | --- | --- |",
    ...differences.map(({ kind, job, reviewed, planned }) => {
      const name = job === null ? "all" : `**${cell(job)}**`;
      return `| ${name} | ${cell(reviewed)} | ${cell(planned)} | ${meaning[kind]} |`;
    }),
  ];
  return `${lines.join("\n")}\n`;
}

/** One line for each difference, for a log or an error's message. */
export function describeDifference({ kind, job, reviewed, planned }: PlanDifference): string {
  return `${job ?? "all jobs"}: reviewed ${reviewed}, to be deployed ${planned} (${meaning[kind]})`;
}

const meaning: { readonly [Kind in PlanDifference["kind"]]: string } = {
  "other-flink": "another version of Flink plans in another way",
  "other-effect": "not the program or the mode that was reviewed",
  "loses-state": "its state would be lost",
  "not-in-plan": "no reviewed plan changes this job",
};
