import { deflateRawSync, inflateRawSync } from "node:zlib";
import { DeployError, describeError } from "../errors.ts";
import { DecodeError, type Decoder, fields, list, nullable, string } from "../flink/decode.ts";
import { parseJson } from "../flink/parse-json.ts";
import { reviewDigest } from "../plan/compare-plans.ts";
import type { Change, ChangeKind, Plan, StateVerdict } from "../plan/plan.ts";
import type { DesiredState, UpgradeMode } from "../project/job.ts";
import { maskSecrets } from "../secrets.ts";
import { isShown } from "./changes-table.ts";

/** What a plan's comment says to a later run, in a hidden line at its end: enough to tell whether that run does the same. */
export interface Trailer {
  readonly version: 1;
  readonly project: string;
  readonly environment: string;
  readonly base: string;
  readonly head: string;
  readonly dbtVersion: string;
  readonly adapterVersion: string;
  readonly flinkVersion: string;
  /** Of the plan, whole: where it is the same, so is all that a deployment would do. */
  readonly digest: string;
  /** The jobs that change, and those whose change waits until they are resumed; null where they are too many to be told. */
  readonly jobs: readonly TrailerJob[] | null;
}

/** One job of a plan, as far as `planDigest` covers it, for saying in what two plans differ; masked as in the plan file. */
export interface TrailerJob {
  readonly job: string;
  readonly kind: ChangeKind;
  readonly renamedFrom: string | null;
  readonly state: StateVerdict["kind"];
  /** The first 12 digits of the digest of the program before; null for a job that is new. */
  readonly before: string | null;
  /** `reviewDigest` of what is to run, which no secret is in; null for a job that is removed. */
  readonly after: string | null;
  readonly upgradeMode: UpgradeMode | null;
  readonly desiredState: DesiredState | null;
  readonly startFrom: string | null;
}

const opening = "<!-- flink-dbt-deploy-plan:";
/** Far above what a comment holds, far below what hurts. */
const mostBytes = 4_000_000;

/** With all its jobs. */
export function trailerOf(plan: Plan): Trailer & { readonly jobs: readonly TrailerJob[] } {
  const { project, environment, base, head, dbtVersion, adapterVersion, flinkVersion, digest } = plan;
  const jobs = plan.changes.filter(isShown).map(trailerJob);
  return { version: 1, project, environment, base, head, dbtVersion, adapterVersion, flinkVersion, digest, jobs };
}

export function trailerJob({ job, kind, renamedFrom, state, before, after }: Change): TrailerJob {
  return {
    job: maskSecrets(job),
    kind,
    renamedFrom: renamedFrom === null ? null : maskSecrets(renamedFrom),
    state: state.kind,
    before: before?.digest.slice(0, 12) ?? null,
    after: after === null ? null : reviewDigest(after),
    upgradeMode: after?.upgradeMode ?? null,
    desiredState: after?.desiredState ?? null,
    startFrom: after?.startFrom == null ? null : maskSecrets(after.startFrom),
  };
}

/**
 * The trailer as an HTML comment of one line, which a page does not show. Base64 has no `-` and no `>`, so nothing in it
 * ends the comment. Digests stand in one text each: 500 jobs take about 22 kB.
 */
export function encodeTrailer({ jobs, ...plan }: Trailer): string {
  const text = JSON.stringify({
    ...plan,
    jobs: jobs?.map((job) => [
      job.job,
      job.kind,
      job.state,
      job.upgradeMode,
      job.desiredState,
      job.renamedFrom,
      job.startFrom,
    ]),
    before: jobs?.map(({ before }) => before ?? "").join(),
    after: jobs?.map(({ after }) => after ?? "").join(),
  });
  return `${opening}${deflateRawSync(text, { level: 9 }).toString("base64")} -->`;
}

/**
 * Reads the trailer at the end of a comment's text; null where the text ends with none. Throws `plan-changed` where it is
 * cut off, altered or of another version. Who wrote the comment is for the caller to ask: whoever can edit it can forge it.
 */
export function decodeTrailer(body: string): Trailer | null {
  // At the end only: what stands anywhere else may be the SQL of a pull request.
  const last = body.trimEnd().split("\n").at(-1) ?? "";
  if (!last.startsWith(opening)) return null;
  const [, encoded] = /^([A-Za-z0-9+/]+={0,2}) -->$/.exec(last.slice(opening.length)) ?? [];
  try {
    if (encoded === undefined) throw new DecodeError("the last line", "a whole trailer", last);
    const bytes = inflateRawSync(Buffer.from(encoded, "base64"), { maxOutputLength: mostBytes });
    return decodeDocument(parseJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes)), "");
  } catch (error) {
    throw new DeployError("plan-changed", `the plan in the comment cannot be read: ${describeError(error)}`, {
      cause: error,
    });
  }
}

const decodeDocument: Decoder<Trailer> = (value, path) => {
  const read = fields((it) => ({
    version: it.get("version", oneOf(1)),
    project: it.get("project", string),
    environment: it.get("environment", string),
    base: it.get("base", string),
    head: it.get("head", string),
    dbtVersion: it.get("dbtVersion", string),
    adapterVersion: it.get("adapterVersion", string),
    flinkVersion: it.get("flinkVersion", string),
    digest: it.get("digest", hex(64)),
    jobs: it.get("jobs", nullable(list(decodeRow))),
  }))(value, path);
  if (read.jobs === null) return { ...read, jobs: null };
  const number = read.jobs.length;
  const digests = fields((it) => ({
    before: it.get("before", digestsOf(12, number)),
    after: it.get("after", digestsOf(40, number)),
  }))(value, path);
  const jobs = read.jobs.map((job, index) => ({
    ...job,
    before: digests.before[index] ?? null,
    after: digests.after[index] ?? null,
  }));
  return { ...read, jobs };
};

const decodeRow: Decoder<Omit<TrailerJob, "before" | "after">> = (value, path) => {
  const row = list((cell) => cell)(value, path);
  if (row.length !== 7) throw new DecodeError(path, "a list of 7", value);
  return {
    job: string(row[0], `${path}[0]`),
    kind: oneOf("create", "upgrade", "suspend", "resume", "remove", "none")(row[1], `${path}[1]`),
    state: oneOf("none", "kept", "dropped", "flink-decides", "unknown")(row[2], `${path}[2]`),
    upgradeMode: nullable(oneOf("stateless", "savepoint", "last_state"))(row[3], `${path}[3]`),
    desiredState: nullable(oneOf("running", "suspended"))(row[4], `${path}[4]`),
    renamedFrom: nullable(string)(row[5], `${path}[5]`),
    startFrom: nullable(string)(row[6], `${path}[6]`),
  };
};

function digestsOf(digits: number, number: number): Decoder<readonly (string | null)[]> {
  return (value, path) => {
    const text = string(value, path);
    const digests = number === 0 && text === "" ? [] : text.split(",");
    if (digests.length !== number) throw new DecodeError(path, `${number} digests`, value);
    return digests.map((digest, index) => (digest === "" ? null : hex(digits)(digest, `${path}[${index}]`)));
  };
}

function hex(digits: number): Decoder<string> {
  return (value, path) => {
    if (typeof value === "string" && value.length === digits && /^[0-9a-f]*$/.test(value)) return value;
    throw new DecodeError(path, `${digits} digits in hex`, value);
  };
}

function oneOf<const T extends string | number>(...values: readonly T[]): Decoder<T> {
  return (value, path) => {
    const found = values.find((allowed) => allowed === value);
    if (found === undefined) throw new DecodeError(path, `one of ${values.join(", ")}`, value);
    return found;
  };
}
