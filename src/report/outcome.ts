import type { Outcome } from "../deploy/deployment.ts";
import type { JobOutcome } from "../deploy/task.ts";
import type { Deployed } from "../ledger/fold.ts";
import type { Plan } from "../plan/plan.ts";
import { cell, code, sentence } from "./markdown-text.ts";

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
  const quiet = outcome.jobs.filter((job) => job.ending === "unchanged" && job.notes.length === 0);
  const shown = outcome.jobs.filter((job) => !quiet.includes(job));
  const { before } = outcome;
  const lines = [`## ${outcomeVerdict(outcome, plan)}`, ""];
  const commit = plan === null ? "" : `, commit \`${plan.head.slice(0, 10)}\``;
  lines.push(
    `Deployment \`${outcome.deployment.slice(0, 12)}\`${commit}. ${quiet.length} of ${outcome.jobs.length} jobs unchanged.`,
    "",
  );
  if (about !== null) lines.push(sentence(about), "");
  if (shown.length > 0) {
    const columns = [
      "Job",
      "Result",
      "Job id",
      "State",
      ...(before === undefined ? [] : ["Before"]),
      "Interruption",
      "Time",
    ];
    lines.push(`| ${columns.join(" | ")} |`, `| ${columns.map(() => "---").join(" | ")} |`);
    const renamed = new Map(plan?.changes.map(({ job, renamedFrom }) => [job, renamedFrom]));
    for (const job of shown) lines.push(row(job, before === undefined ? null : standing(before, job, renamed)));
    lines.push("");
  }
  for (const job of shown) lines.push(...remarks(job));
  return `${lines.join("\n").trimEnd()}\n`;
}

/** What a deployment came to, in one line of Markdown. */
export function outcomeVerdict({ environment, jobs }: Outcome, plan: Plan | null): string {
  return `${cell(environment)}: ${verdict(jobs, plan)}`;
}

function verdict(jobs: readonly JobOutcome[], plan: Plan | null): string {
  const total = jobs.length;
  const failed = jobs.filter((job) => job.code !== null).length;
  if (failed > 0) return `${failed} of ${total} jobs failed`;
  const saved = jobs.filter((job) => job.ending === "saved").length;
  if (saved > 0) return `savepoints taken of ${saved} of ${total} jobs, which run on`;
  const changed = jobs.filter((job) => job.ending !== "unchanged").length;
  if (changed === 0) return plan === null ? "nothing to do" : "nothing to do, every job is as the project says";
  return `${changed} of ${total} jobs changed, all of them hold`;
}

/** `running 5f0c2e1a of commit 1234567890`, as the ledger said before. */
function standing(before: Deployed, { job }: JobOutcome, renamed: ReadonlyMap<string, string | null>): string {
  const old = renamed.get(job) ?? job;
  const recorded = before.get(old);
  const settled = recorded?.settled ?? null;
  const under = old === job ? "" : ` as ${cell(old)}`;
  if (settled === null) return recorded?.attempt ? "a deployment that did not end" : "not there";
  const id = settled.kind === "running" ? ` \`${settled.jobId.slice(0, 8)}\`` : "";
  const commit = recorded?.commit == null ? "" : ` of commit \`${cell(recorded.commit.slice(0, 10))}\``;
  return `${settled.kind}${id}${under}${commit}`;
}

function row(job: JobOutcome, before: string | null): string {
  const cells = [
    `**${cell(job.job)}**`,
    words[job.ending],
    job.jobId === null ? "—" : `\`${job.jobId}\``,
    stateOf(job),
    ...(before === null ? [] : [before]),
    job.interruptionMs === null ? "—" : seconds(job.interruptionMs),
    seconds(job.durationMs),
  ];
  return `| ${cells.join(" | ")} |`;
}

function stateOf(job: JobOutcome): string {
  if (job.restored !== null) return `from ${code(job.restored)}`;
  if (job.ending === "upgraded") return "⚠️ dropped (`upgrade_mode` is not `savepoint`)";
  return job.savepoint === null ? "—" : `kept in ${code(job.savepoint)}`;
}

function remarks(job: JobOutcome): readonly string[] {
  const said = [...(job.message === null ? [] : [`${job.code ?? job.ending}: ${job.message}`]), ...job.notes];
  return said.map((text) => `- **${cell(job.job)}**: ${sentence(text)}`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
