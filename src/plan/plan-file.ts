import { DeployError, describeError } from "../errors.ts";
import { DecodeError, type Decoder, fields, list, nullable, number, string } from "../flink/decode.ts";
import { megabytes } from "../flink/megabytes.ts";
import { parseJson } from "../flink/parse-json.ts";
import { maskSeals } from "../ledger/stored-job.ts";
import type { Explanation, GraphNode } from "../planner/explanation.ts";
import type { Config, Finding, Job, Origin, Program, ProgramStatement } from "../project/job.ts";
import { isSecretKey, mask, maskSecrets, maskSecretsByKey } from "../secrets.ts";
import { planDigest } from "./make-plan.ts";
import type { Change, Plan, Reason, StateVerdict } from "./plan.ts";

/** The plan as JSON of schemas/plan.schema.json. Secrets are masked, so it is for reading and comparing, not for running. */
export function encodePlan(plan: Plan): string {
  const jobs = new WeakSet<object>();
  function masked(this: object, key: string, value: unknown): unknown {
    const isOfJob = jobs.has(this) || key === "before" || key === "after";
    if (isOfJob && typeof value === "object" && value !== null) jobs.add(value);
    return isOfJob ? maskedInJob(key, value) : maskedValue(key, value);
  }
  return `${JSON.stringify(plan, masked, 2)}\n`;
}

/** Of 500 jobs with everything that Flink says of them it is a tenth; whoever reads one may have got it from a stranger. */
export const maxPlanFileBytes = 128 * 1024 * 1024;

/** Reads a plan file; throws `inputs-invalid` where it is none, is of another version, or was altered. */
export function decodePlan(text: string): Plan {
  if (text.length > maxPlanFileBytes) {
    const limit = megabytes(maxPlanFileBytes);
    throw new DeployError(
      "inputs-invalid",
      `the plan file is larger than ${limit}; make the plan again, of fewer jobs`,
    );
  }
  const plan = decoded(text);
  if (plan.digest !== planDigest(plan))
    throw new DeployError("inputs-invalid", "the plan file's digest is not that of its content; make the plan again");
  return plan;
}

function decoded(text: string): Plan {
  try {
    return decodeDocument(parseJson(text), "");
  } catch (error) {
    if (error instanceof DeployError) throw error;
    throw new DeployError(
      "inputs-invalid",
      `the plan file cannot be read: ${describeError(error)}; make the plan again`,
      {
        cause: error,
      },
    );
  }
}

/** What a reader goes by: a name that is some option's password as well stays that name. */
const names = new Set([
  ...["version", "project", "environment", "kind", "job", "name", "renamedFrom", "digest", "upgradeMode"],
  ...["desiredState", "runtimeMode", "severity", "code", "dbtVersion", "adapterVersion", "flinkVersion"],
]);

function maskedValue(key: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (isSecretKey(key)) return mask;
  return names.has(key) ? maskSecretsByKey(value) : maskSecrets(maskSeals(value));
}

/** By its text alone, since the same job must look the same to whoever knows its secrets and to whoever does not. */
function maskedInJob(key: string, value: unknown): unknown {
  if (typeof value !== "string") return value;
  return isSecretKey(key) ? mask : maskSecretsByKey(maskSeals(value));
}

/** A job as a plan file shows it, whether its secrets are in it, sealed, or masked already. */
export function maskedJob(one: Job): Job {
  return job(JSON.parse(JSON.stringify(one, maskedInJob)), "");
}

function oneOf<const T extends string>(...values: readonly T[]): Decoder<T> {
  return (value, path) => {
    const found = values.find((allowed) => allowed === value);
    if (found === undefined) throw new DecodeError(path, `one of ${values.join(", ")}`, value);
    return found;
  };
}

const config: Decoder<Config> = (value, path) =>
  fields((it) => Object.fromEntries(Object.keys(value as object).map((key) => [key, it.get(key, string)])))(
    value,
    path,
  );

const origin: Decoder<Origin> = fields((it) => ({
  nodeId: it.get("nodeId", nullable(string)),
  file: it.get("file", nullable(string)),
}));

const statement: Decoder<ProgramStatement> = fields((it) => ({
  kind: it.get("kind", oneOf("table", "view", "statement")),
  name: it.get("name", nullable(string)),
  sql: it.get("sql", string),
  origin: it.get("origin", origin),
}));

const program: Decoder<Program> = fields((it) => ({
  setup: it.get("setup", list(statement)),
  sink: it.get("sink", statement),
  insert: it.get("insert", string),
  runtimeMode: it.get("runtimeMode", oneOf("streaming", "batch")),
  executionConfig: it.get("executionConfig", config),
  preHooks: it.get("preHooks", list(string)),
  postHooks: it.get("postHooks", list(string)),
}));

const job: Decoder<Job> = fields((it) => ({
  name: it.get("name", string),
  origin: it.get("origin", origin),
  upgradeMode: it.get("upgradeMode", oneOf("stateless", "savepoint", "last_state")),
  desiredState: it.get("desiredState", oneOf("running", "suspended")),
  startFrom: it.get("startFrom", nullable(string)),
  program: it.get("program", program),
  digest: it.get("digest", string),
}));

const finding: Decoder<Finding> = fields((it) => ({
  severity: it.get("severity", oneOf("error", "warning", "note")),
  code: it.get(
    "code",
    oneOf(
      "model-invalid",
      "hint-unsafe",
      "duplicate-job-name",
      "table-differs",
      "compiles-differently",
      "left-alone",
      "unknown",
    ),
  ),
  message: it.get("message", string),
  job: it.get("job", nullable(string)),
  file: it.get("file", nullable(string)),
  line: it.get("line", nullable(number)),
}));

const graphNode: Decoder<GraphNode> = fields((it) => ({
  id: it.get("id", number),
  label: it.get("label", string),
  description: it.get("description", string),
  inputs: it.get("inputs", list(number)),
  parallelism: it.get("parallelism", nullable(number)),
}));

const explanation: Decoder<Explanation> = fields((it) => ({
  plan: it.get("plan", string),
  advice: it.get("advice", nullable(string)),
  graph: it.get("graph", list(graphNode)),
  compiledPlan: it.get("compiledPlan", nullable(string)),
}));

const reason: Decoder<Reason> = fields((it) => ({ object: it.get("object", string), text: it.get("text", string) }));

const state: Decoder<StateVerdict> = fields((it) => ({
  kind: it.get("kind", oneOf("none", "kept", "dropped", "flink-decides", "unknown")),
  text: it.get("text", string),
}));

const change: Decoder<Change> = fields((it) => ({
  kind: it.get("kind", oneOf("create", "upgrade", "suspend", "resume", "remove", "none")),
  job: it.get("job", string),
  renamedFrom: it.get("renamedFrom", nullable(string)),
  before: it.get("before", nullable(job)),
  after: it.get("after", nullable(job)),
  reasons: it.get("reasons", list(reason)),
  state: it.get("state", state),
  explainedBefore: it.get("explainedBefore", nullable(explanation)),
  explainedAfter: it.get("explainedAfter", nullable(explanation)),
}));

const decodeDocument: Decoder<Plan> = fields((it) => ({
  version: it.get("version", versionOne),
  project: it.get("project", string),
  environment: it.get("environment", string),
  base: it.get("base", string),
  head: it.get("head", string),
  dbtVersion: it.get("dbtVersion", string),
  adapterVersion: it.get("adapterVersion", string),
  flinkVersion: it.get("flinkVersion", string),
  changes: it.get("changes", list(change)),
  unrecorded: it.get("unrecorded", list(string)),
  findings: it.get("findings", list(finding)),
  digest: it.get("digest", string),
}));

function versionOne(value: unknown): 1 {
  if (value === 1) return 1;
  throw new DeployError(
    "inputs-invalid",
    `the plan file has version ${JSON.stringify(value) ?? "none"}, and this flink-dbt-deploy reads version 1; make the plan again, or use the release that wrote it`,
  );
}
