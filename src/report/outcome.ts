import type { Outcome } from "../deploy/deployment.ts";
import type { JobOutcome } from "../deploy/task.ts";
import type { Plan } from "../plan/plan.ts";
import { cell } from "./markdown-text.ts";

const words: { readonly [Ending in JobOutcome["ending"]]: string } = {
  unchanged: "unchanged",
  created: "🟢 created",
  upgraded: "🟢 upgraded",
  resumed: "🟢 resumed",
  suspended: "⏸️ suspended",
  saved: "💾 savepoint taken",
  removed: "⏹️ removed",
  finished: "🏁 finished",
  "rolled-back": "↩️ put back",
  failed: "🔴 failed",
  refused: "🔴 not done",
  skipped: "not begun",
};

/** What a deployment did, as Markdown: the verdict first, then what it was `about`, then a row per job that is not simply unchanged. */
export function renderOutcome(outcome: Outcome, plan: Plan | null, about: string | null = null): string {
  const failed = outcome.jobs.filter((job) => job.code !== null).length;
  const quiet = outcome.jobs.filter((job) => job.ending === "unchanged" && job.notes.length === 0);
  const shown = outcome.jobs.filter((job) => !quiet.includes(job));
  const lines = [`## ${cell(outcome.environment)}: ${verdict(outcome.jobs.length, shown, failed, plan)}`, ""];
  const commit = plan === null ? "" : `, commit \`${plan.head.slice(0, 10)}\``;
  lines.push(
    `Deployment \`${outcome.deployment.slice(0, 12)}\`${commit}. ${quiet.length} of ${outcome.jobs.length} jobs unchanged.`,
    "",
  );
  if (about !== null) lines.push(cell(about), "");
  if (shown.length > 0) {
    lines.push("| Job | Result | Job id | State | Interruption | Time |", "| --- | --- | --- | --- | --- | --- |");
    for (const job of shown) lines.push(row(job));
    lines.push("");
  }
  for (const job of shown) lines.push(...remarks(job));
  return `${lines.join("\n").trimEnd()}\n`;
}

function verdict(total: number, shown: readonly JobOutcome[], failed: number, plan: Plan | null): string {
  if (failed > 0) return `${failed} of ${total} jobs failed`;
  const saved = shown.filter((job) => job.ending === "saved");
  if (saved.length > 0) return `savepoints taken of ${saved.length} of ${total} jobs, which run on`;
  const changed = shown.filter((job) => job.ending !== "unchanged");
  if (changed.length === 0) return plan === null ? "nothing to do" : "nothing to do, every job is as the project says";
  return `${changed.length} of ${total} jobs changed, all of them hold`;
}

function row(job: JobOutcome): string {
  const cells = [
    `**${cell(job.job)}**`,
    words[job.ending],
    job.jobId === null ? "—" : `\`${job.jobId}\``,
    stateOf(job),
    job.interruptionMs === null ? "—" : seconds(job.interruptionMs),
    seconds(job.durationMs),
  ];
  return `| ${cells.join(" | ")} |`;
}

function stateOf(job: JobOutcome): string {
  if (job.restored !== null) return `from ${cell(job.restored)}`;
  if (job.ending === "upgraded") return "⚠️ dropped (`upgrade_mode` is not `savepoint`)";
  return job.savepoint === null ? "—" : `kept in ${cell(job.savepoint)}`;
}

function remarks(job: JobOutcome): readonly string[] {
  const said = [...(job.message === null ? [] : [`${job.code ?? job.ending}: ${job.message}`]), ...job.notes];
  return said.map((text) => `- **${cell(job.job)}**: ${cell(text)}`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
