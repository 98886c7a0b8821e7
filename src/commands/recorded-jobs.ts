import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DeployError, type ErrorCode } from "../errors.ts";
import type { Planner } from "../planner/planner.ts";
import { maybeChanged } from "../project/changed.ts";
import type { Finding, Job, JobDefinition, Origin } from "../project/job.ts";
import { jobsOf } from "../project/jobs.ts";
import { compileSide, recordSide } from "../project/record.ts";
import type { ManifestNode, Recording } from "../project/recording.ts";
import type { Side } from "../project/side.ts";

/** One side's jobs. `unrecorded` are table models that are alike on both sides and were not run. */
export interface RecordedJobs {
  readonly recording: Recording;
  readonly jobs: readonly Job[];
  readonly findings: readonly Finding[];
  /** Names of jobs that Flink refuses; they are in `findings` and not in `jobs`. */
  readonly refused: ReadonlySet<string>;
  readonly unrecorded: readonly string[];
}

type Log = (line: string) => void;

/** Records everything: for a deployment, and for a plan against what the ledger says. */
export async function recordAll(side: Side, planner: () => Promise<Planner>, log: Log): Promise<RecordedJobs> {
  log(`recording all models of ${side.name} with dbt`);
  return await completeRecording(side, await recordSide(side, null), planner);
}

/** Compiles both sides and records only what may differ between them, side by side (design 4). */
export async function recordBoth(
  base: Side,
  head: Side,
  planner: () => Promise<Planner>,
  log: Log,
): Promise<{ readonly base: RecordedJobs; readonly head: RecordedJobs }> {
  log("compiling base and head with dbt, to see which models may differ");
  const [before, after] = await allOrFirstError([compileSide(base), compileSide(head)]);
  const changed = maybeChanged(before, after);
  const select = changed === "all" ? null : changed;
  log(
    select === null
      ? "recording all models of both"
      : `recording what may differ: ${select.length === 1 ? "1 model" : `${select.length} models`}`,
  );
  const [baseJobs, headJobs] = await allOrFirstError([
    recordSide(base, select).then((recording) => completeRecording(base, recording, planner)),
    recordSide(head, select).then((recording) => completeRecording(head, recording, planner)),
  ]);
  return { base: baseJobs, head: headJobs };
}

/** Waits for both even when one fails, so that nothing of ours runs on; base's error comes first. */
export async function allOrFirstError<A, B>(work: readonly [Promise<A>, Promise<B>]): Promise<readonly [A, B]> {
  const [first, second] = await Promise.allSettled(work);
  if (first.status === "rejected") throw first.reason;
  if (second.status === "rejected") throw second.reason;
  return [first.value, second.value];
}

async function completeRecording(
  side: Side,
  recording: Recording,
  planner: () => Promise<Planner>,
): Promise<RecordedJobs> {
  const { jobs: definitions, findings } = jobsOf(recording);
  const textOf = (origin: Origin): string | null => readModel(side.options.projectFolder, origin);
  const completed =
    definitions.length === 0 ? { jobs: [], findings: [] } : await (await planner()).complete(definitions, { textOf });
  const known = new Set(completed.jobs.map((job) => job.name));
  const unrecorded = unrecordedNodes(recording, definitions);
  return {
    recording,
    jobs: completed.jobs,
    findings: [...findings, ...twice(unrecorded, definitions), ...completed.findings],
    refused: new Set(definitions.map(({ name }) => name).filter((name) => !known.has(name))),
    unrecorded: unrecorded.map(nameOf),
  };
}

const maxModelBytes = 4 * 1024 * 1024;

function readModel(projectFolder: string, origin: Origin): string | null {
  if (origin.file === null) return null;
  try {
    const file = join(projectFolder, origin.file);
    // Only to find a line's number in; a link to a device must not be waited for.
    const found = statSync(file);
    return found.isFile() && found.size <= maxModelBytes ? readFileSync(file, "utf8") : null;
  } catch {
    // A package's model lies elsewhere; without its text the finding has no line.
    return null;
  }
}

function unrecordedNodes(recording: Recording, definitions: readonly JobDefinition[]): readonly ManifestNode[] {
  if (recording.selected === null) return [];
  const recorded = new Set(definitions.map(({ origin }) => origin.nodeId));
  return recording.nodes.filter(
    (node) => node.resourceType === "model" && node.materialized === "table" && !recorded.has(node.uniqueId),
  );
}

/** What was not run has its name from the manifest, where the adapter's merge of both configs has yet to happen. */
function nameOf(node: ManifestNode): string {
  for (const key of ["execution_config", "default_execution_config"]) {
    const config: unknown = isObject(node.config) ? node.config[key] : null;
    const name = isObject(config) ? config["pipeline.name"] : null;
    if (typeof name === "string") return name;
  }
  return node.relation;
}

function twice(unrecorded: readonly ManifestNode[], definitions: readonly JobDefinition[]): readonly Finding[] {
  const others = new Map(unrecorded.map((node) => [nameOf(node), node]));
  return definitions.flatMap(({ name, origin }) => {
    const other = others.get(name);
    if (other === undefined) return [];
    const message = `${origin.file ?? origin.nodeId} and ${other.file} both have the job name ${name}`;
    return [
      { severity: "error", code: "duplicate-job-name", message, job: name, file: origin.file, line: null } as const,
    ];
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

/** Ends a deployment before it begins where the project itself is not in order; a plan shows the same as findings. */
export function refuseErrors(findings: readonly Finding[]): void {
  const refusal = refusalOf(findings);
  if (refusal !== null) throw new DeployError(refusal.code, refusal.message);
}

/** The code and, a line each as compilers write them, the errors among the findings; null where there is none. */
export function refusalOf(findings: readonly Finding[]): { readonly code: ErrorCode; readonly message: string } | null {
  const errors = findings.filter((finding) => finding.severity === "error");
  if (errors.length === 0) return null;
  // What concerns the whole project first; a table of a catalog last, since what is wrong in the project may be the cause.
  const order = ["duplicate-job-name", "hint-unsafe", "model-invalid", "table-differs"] as const;
  const code = order.find((one) => errors.some((error) => error.code === one)) ?? "model-invalid";
  const lines = errors.map(({ file, line, job, message }) => {
    const place = file === null ? (job ?? "project") : line === null ? file : `${file}:${line}`;
    return `${place}: ${message}`;
  });
  return { code, message: [...new Set(lines)].join("\n") };
}

/** Ends where there is no job at all, neither a good one nor one that Flink refuses. */
export function refuseEmpty({ jobs, refused, unrecorded, recording }: RecordedJobs): void {
  if (jobs.length + refused.size + unrecorded.length > 0) return;
  throw new DeployError("no-jobs", `project ${recording.project} has no model with \`materialized: table\`, so no job`);
}
