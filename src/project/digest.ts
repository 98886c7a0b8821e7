import { createHash } from "node:crypto";
import { fingerprintSecret, isSecretKey, replaceSecrets } from "../secrets.ts";
import { canonicalSql } from "./canonical-sql.ts";
import type { Config, Program, ProgramStatement } from "./job.ts";

/**
 * sha-256 in hex over everything Flink sees of a program, in canonical form: formatting, comments, quoting and the
 * order of independent tables do not count. Secrets are in it as slow fingerprints, so a changed one still counts.
 */
export function programDigest(program: Program): string {
  const canonical = {
    setup: canonicalSetup(program.setup),
    sink: canonicalStatement(program.sink.sql),
    insert: canonicalStatement(program.insert),
    runtimeMode: program.runtimeMode,
    executionConfig: canonicalConfig(program.executionConfig),
    preHooks: program.preHooks.map(canonicalStatement),
    postHooks: program.postHooks.map(canonicalStatement),
  };
  return createHash("sha256").update(JSON.stringify(canonical)).digest("hex");
}

/**
 * Tables and views that follow each other are sorted: each name is made once, so one order at most is possible where
 * one reads another, and dbt's own order changes with its threads. Other statements keep their place.
 */
function canonicalSetup(setup: readonly ProgramStatement[]): readonly string[] {
  const groups: { readonly areObjects: boolean; readonly statements: string[] }[] = [];
  for (const { kind, sql } of setup) {
    const areObjects = kind !== "statement";
    const group = groups.at(-1);
    if (group?.areObjects === true && areObjects) group.statements.push(canonicalStatement(sql));
    else groups.push({ areObjects, statements: [canonicalStatement(sql)] });
  }
  return groups.flatMap(({ statements }) => statements.sort());
}

/** By text: the same source stands in the programs of many jobs. */
const canonicalStatements = new Map<string, string>();

function canonicalStatement(sql: string): string {
  const known = canonicalStatements.get(sql);
  if (known !== undefined) return known;
  const canonical = replaceSecrets(canonicalSql(sql), fingerprintSecret);
  canonicalStatements.set(sql, canonical);
  return canonical;
}

function canonicalConfig(config: Config): readonly (readonly [string, string])[] {
  return Object.entries(config)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => [
      key,
      isSecretKey(key) ? fingerprintSecret(value) : replaceSecrets(value, fingerprintSecret),
    ]);
}
