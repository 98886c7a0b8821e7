import type { CreateTableAs, Definition, JobDefinition, Origin } from "../../../src/project/job.ts";

/** Short ways to write what a recording of a small shop says. */
export const ordersSource: Definition = {
  kind: "table",
  name: "orders",
  sql: `CREATE TABLE orders (
  id BIGINT NOT NULL,
  customer STRING,
  amount DECIMAL(10, 2),
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'datagen', 'number-of-rows' = '10')`,
  origin: { nodeId: "source.shop.raw.orders", file: "models/sources.yml" },
};

export const bigOrdersView: Definition = view("big_orders", "SELECT * FROM orders WHERE amount > 10");

export function view(name: string, query: string): Definition {
  return { kind: "view", name, sql: `CREATE VIEW ${name} AS ${query}`, origin: modelOrigin(name) };
}

export function statement(sql: string): Definition {
  return { kind: "statement", name: null, sql, origin: { nodeId: "operation.shop.shop-on-run-start-0", file: null } };
}

export function tableAs(name: string, query: string, clauses = "WITH ('connector' = 'print')"): Definition {
  const select: CreateTableAs = { relation: name, clauses, query };
  const sql = `CREATE TABLE ${name} ${clauses} AS ${query}`;
  return { kind: "table-as", name, sql, origin: modelOrigin(name), select };
}

export function jobDefinition(
  name: string,
  query: string,
  definitions: readonly Definition[],
  more: Partial<JobDefinition> = {},
): JobDefinition {
  return {
    name,
    origin: modelOrigin(name),
    relation: name,
    upgradeMode: "savepoint",
    desiredState: "running",
    runtimeMode: "streaming",
    executionConfig: {},
    startFrom: null,
    definitions,
    sink: { relation: name, clauses: "WITH ('connector' = 'print')", query },
    preHooks: [],
    postHooks: [],
    ...more,
  };
}

function modelOrigin(name: string): Origin {
  return { nodeId: `model.shop.${name}`, file: `models/${name}.sql` };
}
