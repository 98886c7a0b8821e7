import { duration, size } from "./amounts.ts";
import { cell, code, count, sentence } from "./markdown-text.ts";
import type { StatusRow } from "./status-row.ts";

export interface Status {
  readonly environment: string;
  readonly flinkVersion: string;
  readonly rows: readonly StatusRow[];
}

/** The ledger beside the cluster as Markdown: what needs a look first, then a row per job, then where each starts from. */
export function renderStatus({ environment, flinkVersion, rows }: Status): string {
  const wrong = rows.filter((row) => row.problem !== null).length;
  const warned = rows.filter((row) => row.warning !== null).length;
  const verdict = wrong === 0 ? "the ledger and the cluster agree" : `${wrong} of ${rows.length} jobs need a look`;
  const warnings = warned === 0 ? "" : `; ${count(warned, "warning")}`;
  const parts = [
    `## Status of ${cell(environment)}: ${verdict}${warnings}`,
    `Flink ${cell(flinkVersion)}, ${count(rows.length, "job")}.`,
    remarks(rows),
    table(rows),
    starts(rows),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

/** Problems before warnings: only they make the command end with an error. */
function remarks(rows: readonly StatusRow[]): string {
  const said = (sign: string, text: (row: StatusRow) => string | null): readonly string[] =>
    rows.flatMap((row) => {
      const remark = text(row);
      return remark === null ? [] : [`- ${sign} **${cell(row.job)}**: ${sentence(remark)}`];
    });
  return [...said("🔴", ({ problem }) => problem), ...said("⚠️", ({ warning }) => warning)].join("\n");
}

function table(rows: readonly StatusRow[]): string {
  if (rows.length === 0) return "";
  const lines = rows.map((row) => {
    const { jobId, clusterState, uptimeMs, lastCheckpoint, stateSize, commit } = row;
    const cells = [
      `**${cell(row.job)}**`,
      row.recorded === "unknown" ? "—" : row.recorded,
      clusterState ?? "—",
      jobId === null ? "—" : `\`${jobId}\``,
      uptimeMs === null ? "—" : inSeconds(uptimeMs),
      lastCheckpoint === null ? "—" : `${inSeconds(lastCheckpoint.ageMs)} ago`,
      stateSize === null ? "—" : size(stateSize),
      commit === null ? "—" : `\`${commit.slice(0, 10)}\``,
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| Job | Ledger | Cluster | Job id | Up for | Checkpoint | State | Commit |",
    "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}

const inSeconds = (ms: number): string => duration(ms - (ms % 1_000));

/** Below the table, since a path would make it wider than any screen; in code letters, so that it can be copied. */
function starts(rows: readonly StatusRow[]): string {
  const lines = rows.flatMap(({ job, startsFrom: from }) =>
    from === null ? [] : [`- **${cell(job)}**: ${from.kind} ${code(from.path)}`],
  );
  return lines.length === 0 ? "" : ["Where each would start from now:", "", ...lines].join("\n");
}
