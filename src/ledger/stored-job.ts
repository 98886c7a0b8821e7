import { createHash } from "node:crypto";
import { DeployError, describeError } from "../errors.ts";
import { parseJson } from "../flink/parse-json.ts";
import type { Config, Job, Program, ProgramStatement } from "../project/job.ts";
import { fingerprintSecret, isSecretKey, mask, replaceSecrets } from "../secrets.ts";
import type { JobReference } from "./entry.ts";
import type { Ledger } from "./ledger.ts";

/** What the ledger keeps of a job: its program with secrets sealed, and the compiled plan that it runs. */
export interface StoredJob {
  readonly version: 1;
  readonly job: Job;
  readonly compiledPlan: string | null;
  readonly flinkVersion: string;
}

/** The secrets of programs at hand, by their seals; what opens a stored program again. */
export type Secrets = ReadonlyMap<string, string>;

const seal = (secret: string): string => `{{secret:${fingerprintSecret(secret)}}}`;
const sealPattern = /\{\{secret:[0-9a-f]{16}\}\}/g;

/** A text with the mask in the place of seals: a plan shows neither a secret nor its fingerprint. */
export function maskSeals(text: string): string {
  return text.replace(sealPattern, mask);
}

/** A job with seals in the place of its secrets: what is stored, and what is compared with what was stored. */
export function sealJob(job: Job): Job {
  return { ...job, program: mapTexts(job.program, (text) => replaceSecrets(text, seal), seal) };
}

/** Keeps a job for the entry that will refer to it; the same job gets the same reference. */
export function keepJob(
  ledger: Pick<Ledger, "keep">,
  job: Job,
  compiledPlan: string | null,
  flinkVersion: string,
): JobReference {
  const stored: StoredJob = {
    version: 1,
    job: sealJob(job),
    compiledPlan: compiledPlan === null ? null : replaceSecrets(compiledPlan, seal),
    flinkVersion,
  };
  return { digest: job.digest, value: ledger.keep(JSON.stringify(stored)) };
}

/** Reads a stored job, or throws `ledger-unreadable`. */
export async function loadJob(from: Pick<Ledger, "value">, reference: JobReference): Promise<StoredJob> {
  const text = await from.value(reference.value);
  if (createHash("sha256").update(text).digest("hex") !== reference.value) {
    throw new DeployError("ledger-unreadable", `the ledger's value ${reference.value} is not what was written`);
  }
  const stored = storedIn(text, reference.value);
  if (stored.version !== 1) {
    throw new DeployError(
      "ledger-unreadable",
      `the ledger's value ${reference.value} has version ${String(stored.version)}`,
    );
  }
  return stored as StoredJob;
}

function storedIn(text: string, key: string): { readonly version: unknown } {
  try {
    return parseJson(text) as { version: unknown };
  } catch (cause) {
    throw new DeployError("ledger-unreadable", `the ledger's value ${key} cannot be read: ${describeError(cause)}`);
  }
}

/** All secrets that programs hold, by their seals. */
export function secretsOf(programs: readonly Program[]): Secrets {
  const found = new Collected();
  for (const program of programs) mapTexts(program, found.inText, found.keep);
  return found.secrets;
}

/** All secrets that statements hold, by their seals. */
export function secretsIn(statements: readonly { readonly sql: string; readonly executionConfig: Config }[]): Secrets {
  const found = new Collected();
  for (const { sql, executionConfig } of statements) {
    found.inText(sql);
    for (const [key, value] of Object.entries(executionConfig)) {
      if (isSecretKey(key)) found.keep(value);
      else found.inText(value);
    }
  }
  return found.secrets;
}

class Collected {
  readonly secrets = new Map<string, string>();
  readonly keep = (secret: string): string => {
    const sealed = seal(secret);
    this.secrets.set(sealed, secret);
    return sealed;
  };
  readonly inText = (text: string): string => replaceSecrets(text, this.keep);
}

/** A stored program with its secrets put back, or null where one of them is not at hand. */
export function unsealProgram(program: Program, secrets: Secrets): Program | null {
  let missing = false;
  const open = (text: string): string => {
    const opened = text.replace(sealPattern, (sealed) => {
      const secret = secrets.get(sealed);
      if (secret === undefined) missing = true;
      return secret ?? sealed;
    });
    return missing || opened === text ? opened : open(opened);
  };
  const opened = mapTexts(program, open, open);
  return missing ? null : opened;
}

function mapTexts(program: Program, text: (sql: string) => string, secret: (value: string) => string): Program {
  const statement = (one: ProgramStatement): ProgramStatement => ({ ...one, sql: text(one.sql) });
  const config = (all: Config): Config =>
    Object.fromEntries(
      Object.entries(all).map(([key, value]) => [key, isSecretKey(key) ? secret(value) : text(value)]),
    );
  return {
    setup: program.setup.map(statement),
    sink: statement(program.sink),
    insert: text(program.insert),
    runtimeMode: program.runtimeMode,
    executionConfig: config(program.executionConfig),
    preHooks: program.preHooks.map(text),
    postHooks: program.postHooks.map(text),
  };
}
