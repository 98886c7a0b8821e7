import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { defaultCacheFolder, provideDistribution } from "../../src/flink/distribution.ts";
import { provideDbt } from "../../src/project/python.ts";
import { type Folders, writeFiles } from "../process/harness.ts";

export type Files = Readonly<Record<string, string>>;

/** A git repository with a project in it, as a checkout on a runner. */
export interface Repository {
  readonly folder: string;
  /** Writes these files (null removes one) and commits everything; the commit's hash. */
  commit(files: Readonly<Record<string, string | null>>): Promise<string>;
  git(...words: readonly string[]): string;
}

export async function openRepository(folders: Folders, files: Files): Promise<Repository> {
  const folder = await folders.make();
  const git = (...words: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...words], {
      cwd: folder,
      encoding: "utf8",
    }).trim();
  git("init", "--quiet", "--initial-branch=main");
  const commit = async (changed: Readonly<Record<string, string | null>>): Promise<string> => {
    for (const [name, text] of Object.entries(changed)) if (text === null) rmSync(join(folder, name));
    const written = Object.entries(changed).flatMap(([name, text]) => (text === null ? [] : [[name, text] as const]));
    await writeFiles(folder, Object.fromEntries(written));
    git("add", "--all");
    git("commit", "--quiet", "--message", "a change");
    return git("rev-parse", "HEAD");
  };
  await commit({ ".gitignore": ".flink-dbt-deploy/\n", ...files });
  return { folder, commit, git };
}

export const cacheFolder = defaultCacheFolder(process.env);

/** What a door needs to find Java and what was downloaded; its HOME is empty. */
export const environment: Readonly<Record<string, string>> = {
  FLINK_DBT_DEPLOY_CACHE: cacheFolder,
  ...(process.env.JAVA_HOME === undefined ? {} : { JAVA_HOME: process.env.JAVA_HOME }),
};

/** Downloads what is missing with the machine's own settings, which a door with an empty HOME would not find. */
export async function provideAll(): Promise<Awaited<ReturnType<typeof provideDistribution>>> {
  const shared = { cacheFolder, log: () => undefined, environment: process.env };
  const requirements = ["dbt-core==1.3.8", "dbt-flink-adapter==1.3.11"];
  const [distribution] = await Promise.all([
    provideDistribution({ version: "1.20.3", flinkHome: null, connectors: [], ...shared }),
    provideDbt({ dbtCommand: null, requirements, ...shared }),
  ]);
  return distribution;
}

/** A profile whose gateway does not exist: whatever would reach for it fails. */
export const profiles = `shop:
  target: dev
  outputs:
    dev:
      type: flink
      host: gateway.invalid
      port: 1
      session_name: shop
      database: default_catalog
      schema: default_database
`;

export const projectFile = (more: string): string => `name: shop
version: "1.0"
config-version: 2
profile: shop
model-paths: [models]
${more}`;

/** A seed and two models over it, the style of the adapter's own example. */
export const seedAndTwoModels: Files = {
  "profiles.yml": profiles,
  "dbt_project.yml": projectFile(`models:
  +materialized: table
  +type: streaming
  +connector_properties: { connector: filesystem, path: /tmp/models, format: csv }
seeds:
  +connector_properties: { connector: filesystem, path: /tmp/words, format: csv }
`),
  "seeds/words.csv": "id,word\n1,a\n2,it's\n",
  "models/first_model.sql": "select id, word from {{ ref('words') }}",
  "models/second_model.sql": "select id from {{ ref('first_model') }} where id > 1",
};

export interface TableModel {
  readonly name: string;
  readonly query: string;
  readonly connector?: Readonly<Record<string, string>>;
  readonly execution?: Readonly<Record<string, string>>;
  /** More of dbt's config, as written in Jinja: `upgrade_mode='stateless'`. */
  readonly config?: string;
}

export function tableModel({ name, query, connector, execution = {}, config }: TableModel): string {
  return `{{ config(
    materialized='table',
    execution_config=${JSON.stringify({ "pipeline.name": name, ...execution })},
    connector_properties=${JSON.stringify(connector ?? { connector: "blackhole" })}${config === undefined ? "" : `,\n    ${config}`}
) }}

${query}
`;
}

export const ordersSource = (rowsPerSecond: number): string => `version: 2
sources:
  - name: raw
    tables:
      - name: orders
        config:
          type: streaming
          connector_properties:
            connector: datagen
            rows-per-second: "${rowsPerSecond}"
            fields.order_number.kind: sequence
            fields.order_number.start: "1"
            fields.order_number.end: "20000"
            fields.amount.min: "1"
            fields.amount.max: "100"
        columns:
          - {name: order_number, data_type: BIGINT}
          - {name: amount, data_type: INT}
`;

export const largeOrders = (least: number): string =>
  `{{ config(materialized='view') }}\nselect order_number, amount from {{ source('raw', 'orders') }} where amount >= ${least}\n`;

export const shopProject = projectFile(`on-run-start: "{{ create_sources() }}"
models:
  +type: streaming
  +upgrade_mode: savepoint
  +default_execution_config: { "execution.checkpointing.interval": 500ms }
`);
