import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const jobsPerView = 10;

/**
 * Writes a dbt project with that many table models into a git repository of its own: a source and a view for every ten
 * jobs, aggregates and filters in turn. Two commits: the second changes the SELECT of the first `changed` models.
 */
export function generateProject(folder: string, jobs: number, changed: number): void {
  const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);
  mkdirSync(join(folder, "models"), { recursive: true });
  write("dbt_project.yml", projectYml);
  write("profiles.yml", profilesYml);
  const groups = Math.ceil(jobs / jobsPerView);
  write("models/sources.yml", sourcesYml(groups));
  for (let group = 0; group < groups; group += 1) write(`models/orders_view_${group}.sql`, view(group));
  for (let job = 0; job < jobs; job += 1) write(`models/job_${job}.sql`, model(job, 0));
  const git = (...args: readonly string[]): unknown =>
    execFileSync("git", ["-c", "user.name=bench", "-c", "user.email=bench@localhost", ...args], { cwd: folder });
  git("init", "-q");
  git("add", "-A");
  git("commit", "-qm", "base");
  for (let job = 0; job < Math.min(changed, jobs); job += 1) write(`models/job_${job}.sql`, model(job, 1));
  git("commit", "-qam", "head");
}

const projectYml = `name: bench
version: 1.0.0
config-version: 2
profile: bench
on-run-start: ["{{ create_sources() }}"]
models:
  +type: streaming
  +upgrade_mode: savepoint
  +default_execution_config: {execution.checkpointing.interval: 10s}
  +default_connector_properties: {connector: blackhole}
`;

const profilesYml = `bench:
  target: dev
  outputs:
    dev: {type: flink, host: gateway.invalid, port: 8083, session_name: s, database: d, schema: s, threads: 1}
`;

function sourcesYml(groups: number): string {
  const tables = Array.from(
    { length: groups },
    (_, group) => `      - name: orders_${group}
        config:
          type: streaming
          connector_properties: {connector: datagen, rows-per-second: "10"}
          watermark: {column: ordered_at, strategy: "ordered_at - INTERVAL '5' SECOND"}
        columns:
          - {name: order_id, data_type: BIGINT}
          - {name: customer_id, data_type: INT}
          - {name: amount, data_type: "DECIMAL(10, 2)"}
          - {name: ordered_at, data_type: TIMESTAMP(3)}
`,
  );
  return `version: 2\nsources:\n  - name: raw\n    tables:\n${tables.join("")}`;
}

function view(group: number): string {
  return `{{ config(materialized='view') }}
select order_id, customer_id, amount, ordered_at from {{ source('raw', 'orders_${group}') }} where amount > 0
`;
}

function model(job: number, version: number): string {
  const from = `{{ ref('orders_view_${Math.floor(job / jobsPerView)}') }}`;
  const head = `{{ config(materialized='table', execution_config={'pipeline.name': 'job_${job}'}) }}\n`;
  if (job % 2 === 0) {
    // The aggregates stay, so that an upgrade keeps their state.
    return `${head}select customer_id, count(*) as orders, sum(amount) * ${version + 2} as total
from ${from} group by customer_id\n`;
  }
  return `${head}select order_id, customer_id, amount * ${version + 1} as amount from ${from} where customer_id > ${job}\n`;
}
