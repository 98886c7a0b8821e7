import { programDigest } from "../../../src/project/digest.ts";
import type { Job, Program, ProgramStatement } from "../../../src/project/job.ts";

/** Short ways to write the jobs of a small shop. */
export const orders = source(
  "orders",
  "CREATE TABLE orders (id BIGINT, amount INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'kafka', 'topic' = 'a')",
);

export function source(name: string, sql: string): ProgramStatement {
  return { kind: "table", name, sql, origin: { nodeId: `source.shop.raw.${name}`, file: "models/sources.yml" } };
}

export function view(name: string, query: string): ProgramStatement {
  const origin = { nodeId: `model.shop.${name}`, file: `models/${name}.sql` };
  return { kind: "view", name, sql: `CREATE VIEW ${name} AS ${query}`, origin };
}

export function setting(sql: string): ProgramStatement {
  return { kind: "statement", name: null, sql, origin: { nodeId: null, file: null } };
}

export function job(name: string, program: Partial<Program> = {}, more: Partial<Job> = {}): Job {
  const origin = { nodeId: `model.shop.${name}`, file: `models/${name}.sql` };
  const whole: Program = {
    setup: [orders],
    sink: { kind: "table", name, sql: `CREATE TABLE ${name} (\`id\` BIGINT) WITH ('connector' = 'print')`, origin },
    insert: `INSERT INTO ${name} SELECT id FROM orders`,
    runtimeMode: "streaming",
    executionConfig: { "pipeline.name": name },
    preHooks: [],
    postHooks: [],
    ...program,
  };
  return {
    name,
    origin,
    upgradeMode: "savepoint",
    desiredState: "running",
    startFrom: null,
    program: whole,
    digest: programDigest(whole),
    ...more,
  };
}
