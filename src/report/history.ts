import { inUtc, type JobChange, type PastDeployment } from "../ledger/history.ts";
import { cell, code, count } from "./markdown-text.ts";

/** What a rollback would do to one job, that is not as it was then. */
export interface WayBack {
  readonly job: string;
  /** `remove`: it did not exist. `impossible`: unless a person lets it go on from what it has now, or start empty. */
  readonly how: "restore" | "start-empty" | "remove" | "impossible";
  readonly savepoint: string | null;
  /** Where no savepoint is named. */
  readonly why: string | null;
}

export interface HistoryRow {
  readonly deployment: string;
  readonly commit: string | null;
  /** ISO 8601. */
  readonly at: string;
  readonly kind: PastDeployment["kind"];
  readonly changes: readonly JobChange[];
  /** Of the jobs that a rollback to it would change: none where all of them are as they were. */
  readonly rollback: readonly WayBack[];
}

export interface PastDeployments {
  readonly environment: string;
  /** Newest first. */
  readonly rows: readonly HistoryRow[];
}

/** The deployments that can be rolled back to, a row each, as Markdown. */
export function renderHistory({ environment, rows }: PastDeployments): string {
  const lines = [`## History of ${cell(environment)}: ${count(rows.length, "deployment")} that changed jobs`, ""];
  if (rows.length === 0) return lines.join("\n");
  lines.push(
    "| Deployment | Commit | When | What | Jobs | A rollback would start |",
    "| --- | --- | --- | --- | --- | --- |",
  );
  for (const row of rows) {
    const { deployment, commit, at, kind, changes, rollback } = row;
    const cells = [
      `\`${cell(deployment.slice(0, 12))}\``,
      commit === null ? "—" : `\`${cell(commit.slice(0, 10))}\``,
      inUtc(at),
      kind,
      changes.map(({ job, what }) => `${cell(job)} ${what}`).join("<br>"),
      rollback.length === 0 ? "nothing: the jobs are as they were" : rollback.map(wayBack).join("<br>"),
    ];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return `${lines.join("\n")}\n`;
}

function wayBack({ job, how, savepoint, why }: WayBack): string {
  const name = `**${cell(job)}**`;
  const because = why === null ? "" : ` (${cell(why)})`;
  switch (how) {
    case "restore":
      return savepoint === null ? `${name}${because}` : `${name} from ${code(savepoint)}`;
    case "start-empty":
      return `${name} empty${because}`;
    case "remove":
      return `${name}: removed${because}`;
    case "impossible":
      return `⚠️ ${name}: not${because}`;
  }
}
