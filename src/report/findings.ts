import type { Finding } from "../project/job.ts";
import { maskSecrets } from "../secrets.ts";
import { jobName } from "./changes-table.ts";
import { type Files, fileAddress } from "./file-address.ts";
import { code, count, link, plainText, sentence, shortened } from "./markdown-text.ts";

/** How much of the findings is shown. */
export interface FindingsStyle {
  /** Lines, and bytes of all of them. */
  readonly most: number;
  readonly lineBytes: number;
  /** Characters of a message. */
  readonly messageLength: number;
}

interface Grouped {
  readonly finding: Finding;
  readonly jobs: readonly string[];
}

const signs = { error: "⛔", warning: "⚠️", note: "ℹ️" } as const;
const all = Number.POSITIVE_INFINITY;
const everything: FindingsStyle = { most: all, lineBytes: all, messageLength: all };

/** A heading and a line per problem, errors first; jobs with the same problem share its line. */
export function renderFindings(
  findings: readonly Finding[],
  files: Files | null = null,
  style: FindingsStyle = everything,
): readonly string[] {
  if (findings.length === 0) return [];
  const groups = (["error", "warning", "note"] as const).flatMap((severity) =>
    grouped(findings.filter((finding) => finding.severity === severity)),
  );
  const lines: string[] = [];
  let bytes = 0;
  for (const group of groups.slice(0, style.most)) {
    const line = renderFinding(group, files, style);
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > style.lineBytes) break;
    lines.push(line);
  }
  const more = groups.length - lines.length;
  return ["### Findings", [...lines, ...(more === 0 ? [] : [`- and ${count(more, "more finding")}`])].join("\n")];
}

function renderFinding({ finding, jobs }: Grouped, files: Files | null, { messageLength }: FindingsStyle): string {
  const { severity, file, line, message } = finding;
  const place = file === null ? "" : placeOf(maskSecrets(file), line, fileAddress(files, file, line));
  const names = jobs.slice(0, 5).map(jobName);
  const more = jobs.length > 5 ? ` and ${jobs.length - 5} more` : "";
  const of = jobs.length === 0 ? "" : ` (${jobs.length === 1 ? "job" : "jobs"} ${names.join(", ")}${more})`;
  return `- ${signs[severity]} ${place}${sentence(shortened(maskSecrets(message), messageLength))}${of}`;
}

/** With a colon behind it; in plain text that must not make an emoji of the line's number. */
function placeOf(file: string, line: number | null, address: string | null): string {
  const where = shortened(line === null ? file : `${file}:${line}`, 300);
  const label = code(where);
  return label.startsWith("`") || address !== null ? `${link(label, address)}: ` : `${plainText(`${where}:`)} `;
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
