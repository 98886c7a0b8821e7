import { cell } from "./markdown-text.ts";

export interface StatusRow {
  readonly job: string;
  readonly recorded: "running" | "finished" | "suspended" | "removed" | "down" | "unknown";
  readonly commit: string | null;
  /** ISO 8601. */
  readonly since: string | null;
  readonly jobId: string | null;
  readonly clusterState: string | null;
  readonly savepoint: string | null;
  readonly problem: string | null;
}

export interface Status {
  readonly environment: string;
  readonly flinkVersion: string;
  readonly rows: readonly StatusRow[];
}

/** The ledger beside the cluster, a row per job, as Markdown. */
export function renderStatus({ environment, flinkVersion, rows }: Status): string {
  const wrong = rows.filter((row) => row.problem !== null).length;
  const verdict = wrong === 0 ? "the ledger and the cluster agree" : `${wrong} of ${rows.length} jobs need a look`;
  const lines = [
    `## Status of ${cell(environment)}: ${verdict}`,
    "",
    `Flink ${cell(flinkVersion)}, ${rows.length} jobs.`,
    "",
  ];
  if (rows.length === 0) return lines.join("\n");
  lines.push(
    "| Job | Ledger | Cluster | Job id | Savepoint | Commit | |",
    "| --- | --- | --- | --- | --- | --- | --- |",
  );
  for (const row of rows) {
    const cells = [
      `**${cell(row.job)}**`,
      row.recorded === "unknown" ? "—" : row.recorded,
      row.clusterState ?? "—",
      row.jobId === null ? "—" : `\`${row.jobId}\``,
      row.savepoint === null ? "—" : cell(row.savepoint),
      row.commit === null ? "—" : `\`${row.commit.slice(0, 10)}\``,
      row.problem === null ? "" : `⚠️ ${cell(row.problem)}`,
    ];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return `${lines.join("\n")}\n`;
}
