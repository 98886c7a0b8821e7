import type { Finding } from "../project/job.ts";
import { maskSecrets } from "../secrets.ts";
import { code, plainText } from "./markdown-text.ts";

interface Grouped {
  readonly finding: Finding;
  readonly jobs: readonly string[];
}

const signs = { error: "⛔", warning: "⚠️", note: "ℹ️" } as const;

/** A heading and a line per problem, errors first; jobs with the same problem share its line. */
export function renderFindings(findings: readonly Finding[]): readonly string[] {
  if (findings.length === 0) return [];
  const lines = (["error", "warning", "note"] as const).flatMap((severity) =>
    grouped(findings.filter((finding) => finding.severity === severity)).map(renderFinding),
  );
  return ["### Findings", lines.join("\n")];
}

function renderFinding({ finding, jobs }: Grouped): string {
  const { severity, file, line, message } = finding;
  const place = file === null ? "" : `${code(line === null ? file : `${file}:${line}`)}: `;
  const shown = jobs.slice(0, 5).map(code).join(", ");
  const more = jobs.length > 5 ? ` and ${jobs.length - 5} more` : "";
  const of = jobs.length === 0 ? "" : ` (${jobs.length === 1 ? "job" : "jobs"} ${shown}${more})`;
  return `- ${signs[severity]} ${place}${plainText(maskSecrets(message))}${of}`;
}

function grouped(findings: readonly Finding[]): readonly Grouped[] {
  const groups = new Map<string, { finding: Finding; jobs: string[] }>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.code, finding.file, finding.line, finding.message]);
    const group = groups.get(key) ?? { finding, jobs: [] };
    if (finding.job !== null) group.jobs.push(finding.job);
    groups.set(key, group);
  }
  return [...groups.values()];
}
