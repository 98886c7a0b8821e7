import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";

export type Files = Readonly<Record<string, string>>;

/** A folder with these files, removed at the end of the test that made it. */
export async function folderWith(files: Files): Promise<{ path: string } & AsyncDisposable> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "recording-")));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), text);
  }
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Where downloads are kept between runs. */
export const cacheFolder = process.env.FLINK_DBT_DEPLOY_CACHE ?? join(homedir(), ".cache", "flink-dbt-deploy");

export const requirements = ["dbt-core==1.3.8", "dbt-flink-adapter==1.3.11"];

/** Nobody listens at its host and port: whatever reached them would fail. */
export const profiles = `shop:
  target: dev
  outputs:
    dev:
      type: flink
      host: "{{ env_var('FLINK_HOST', 'gateway.invalid') }}"
      port: 1
      session_name: shop
      database: default_catalog
      schema: default_database
`;

/** A project file with nothing in it but what dbt asks for. */
export const bareProject = `name: shop
version: "1.0"
config-version: 2
profile: shop
model-paths: [models]
`;

/** The style of the adapter's own example: a seed and two models over it. */
export const seedAndTwoModels: Files = {
  "profiles.yml": profiles,
  "dbt_project.yml": `${bareProject}
models:
  +materialized: table
  +type: streaming
  +connector_properties: { connector: blackhole }
seeds:
  +connector_properties: { connector: filesystem, path: /tmp/words, format: csv }
`,
  "seeds/words.csv": "id,word\n1,a\n2,it's\n",
  "models/first.sql": "select id, word from {{ ref('words') }}",
  "models/second.sql": "select id from {{ ref('first') }} where id > 1",
};

/** Sources made by a hook, views on views, jobs on jobs, every mode, hooks, vars and macros. */
export const shop: Files = {
  "profiles.yml": profiles,
  "dbt_project.yml": `${bareProject}
macro-paths: [macros]
on-run-start: ["{{ create_sources() }}"]
vars: { smallest: 10 }
models:
  +type: streaming
  +default_connector_properties: { connector: kafka, "properties.bootstrap.servers": "kafka:9092" }
  +default_execution_config: { "parallelism.default": "1" }
`,
  "macros/large.sql": "{% macro large(column) %}{{ column }} > {{ var('smallest') }}{% endmacro %}",
  "models/sources.yml": `version: 2
sources:
  - name: raw
    config:
      type: streaming
      default_connector_properties: { connector: kafka }
    tables:
      - name: orders
        identifier: raw_orders
        config:
          connector_properties: { topic: orders }
          watermark: { column: order_time, strategy: "order_time - INTERVAL '5' SECOND" }
        columns:
          - { name: id, data_type: BIGINT }
          - { name: price, data_type: "DECIMAL(10, 2)" }
          - { name: order_time, data_type: TIMESTAMP(3) }
          - { name: arrived, data_type: TIMESTAMP(3), column_type: metadata, expression: timestamp }
          - { name: cents, column_type: computed, expression: "price * 100" }
`,
  "models/order_view.sql": `{{ config(materialized='view') }}
select id, price, order_time from {{ source('raw', 'orders') }} where {{ large('price') }}`,
  "models/order_view_2.sql": "{{ config(materialized='view') }} select * from {{ ref('order_view') }}",
  "models/orders.sql": `{{ config(materialized='table', upgrade_mode='savepoint',
    execution_config={'pipeline.name': 'orders'}, connector_properties={'topic': 'orders_out'},
    pre_hook="create table if not exists audit (id bigint) with ('connector' = 'blackhole')",
    post_hook="insert into audit values (1)") }}
select id, count(*) as n from {{ ref('order_view_2') }} group by id`,
  "models/orders_2.sql": `{{ config(materialized='table', execution_config={'pipeline.name': 'orders_2'}) }}
select id, n from {{ ref('orders') }}`,
  "models/paused.sql": `{{ config(materialized='table', job_state='suspended',
    execution_config={'pipeline.name': 'paused'}) }}
select id from {{ ref('order_view') }}`,
  "models/nightly.sql": `{{ config(materialized='table', type=none, execution_config={'pipeline.name': 'nightly'}) }}
select max(id) as top from {{ ref('order_view') }}`,
};
