import { DeployError, describeError } from "../errors.ts";
import { parseJson } from "../flink/parse-json.ts";
import { readText } from "../flink/read-text.ts";
import type { ManifestNode } from "./recording.ts";

/** A node with what decides whether it may be sent differently. */
export interface CompiledNode extends ManifestNode {
  readonly packageName: string;
  /** The file's path inside its package, as under `target/run/<package>/`. */
  readonly originalPath: string;
  /** As compiled; as written where dbt has not compiled it; null for a source. */
  readonly code: string | null;
  /** Of a seed's file; null for the others. */
  readonly checksum: string | null;
  /** Canonical JSON of what else the adapter may read of it: columns, hooks, names, tags, meta and so on. */
  readonly settings: string;
}

/** What dbt wrote to target/manifest.json, as far as it matters here. */
export interface CompiledManifest {
  readonly dbtVersion: string;
  readonly adapterType: string;
  readonly nodes: readonly CompiledNode[];
  /** Every macro, the adapter's and dbt's own included, by unique id. */
  readonly macros: ReadonlyMap<string, Macro>;
}

export interface Macro {
  readonly name: string;
  readonly packageName: string;
  readonly text: string;
  /** Unique ids of the macros that it calls by name. */
  readonly uses: readonly string[];
}

/** One of 500 models is 5 MB, with every macro of dbt's own; parsed, it takes several times its size of memory. */
const maxManifestBytes = 128 * 1024 * 1024;

/** Reads a manifest of dbt 1.0 to 1.9; throws `manifest-unreadable` with the path of what is wrong in it. */
export async function readManifest(file: string, project: string): Promise<CompiledManifest> {
  let value: unknown;
  try {
    value = parseJson(await readText(file, maxManifestBytes));
  } catch (error) {
    throw new DeployError("manifest-unreadable", `cannot read ${file}: ${describeError(error)}`, { cause: error });
  }
  try {
    return decodeManifest(value, project);
  } catch (error) {
    throw new DeployError("manifest-unreadable", `${file}: ${describeError(error)}`, { cause: error });
  }
}

/**
 * `project` is the root project's name, which dbt 1.3 does not write; other packages' files lie in dbt_packages. Throws
 * an Error that names the path of the first thing that is not as expected.
 */
export function decodeManifest(value: unknown, project: string): CompiledManifest {
  const manifest = object(value, "manifest");
  const metadata = object(manifest.metadata, "metadata");
  const schema = text(metadata.dbt_schema_version, "metadata.dbt_schema_version");
  if (!/\/manifest\/v\d+\.json$/.test(schema)) throw new Error(`metadata.dbt_schema_version is "${schema}"`);
  const nodes = Object.entries({ ...object(manifest.nodes, "nodes"), ...object(manifest.sources, "sources") });
  const macros = Object.entries(object(manifest.macros, "macros"));
  return {
    dbtVersion: text(metadata.dbt_version, "metadata.dbt_version"),
    adapterType: text(metadata.adapter_type, "metadata.adapter_type"),
    nodes: nodes.map(([id, node]) => decodeNode(id, object(node, `nodes.${id}`), project)),
    macros: new Map(macros.map(([id, macro]) => [id, decodeMacro(object(macro, `macros.${id}`), `macros.${id}`)])),
  };
}

function decodeMacro(macro: Fields, at: string): Macro {
  return {
    name: text(macro.name, `${at}.name`),
    packageName: text(macro.package_name, `${at}.package_name`),
    text: text(macro.macro_sql, `${at}.macro_sql`),
    uses: texts(object(macro.depends_on, `${at}.depends_on`).macros, `${at}.depends_on.macros`),
  };
}

const resourceTypes = ["model", "seed", "source", "snapshot", "test", "operation"] as const;

function decodeNode(uniqueId: string, node: Fields, project: string): CompiledNode {
  const at = (key: string) => `nodes.${uniqueId}.${key}`;
  const resource = text(node.resource_type, at("resource_type"));
  const config = object(node.config, at("config"));
  const name = text(node.name, at("name"));
  const alias = node.identifier ?? node.alias;
  const originalPath = text(node.original_file_path, at("original_file_path"));
  const packageName = text(node.package_name, at("package_name"));
  const compiled = node.compiled_code ?? node.compiled_sql ?? node.raw_code ?? node.raw_sql;
  return {
    uniqueId,
    resourceType: resourceTypes.find((known) => known === resource) ?? "other",
    materialized: typeof config.materialized === "string" ? config.materialized : null,
    name,
    relation: typeof alias === "string" ? alias : name,
    file: packageName === project ? originalPath : `dbt_packages/${packageName}/${originalPath}`,
    dependsOn: dependencies(node, at("depends_on")),
    config,
    packageName,
    originalPath,
    code: typeof compiled === "string" ? compiled : null,
    checksum: resource === "seed" ? canonical(node.checksum) : null,
    settings: canonical(settingsOf(node)),
  };
}

/** Changes from run to run, says where it was read, or is compared by itself. */
const passing = new Set([
  ...["created_at", "root_path", "build_path", "compiled_path", "patch_path", "checksum", "compiled", "depends_on"],
  ...["raw_code", "raw_sql", "compiled_code", "compiled_sql", "extra_ctes", "extra_ctes_injected", "deferred"],
  ...["unrendered_config", "refs", "sources", "metrics", "freshness"],
]);

function settingsOf(node: Fields): Fields {
  return Object.fromEntries(Object.entries(node).filter(([key]) => !passing.has(key)));
}

function dependencies(node: Fields, at: string): readonly string[] {
  if (node.depends_on === undefined) return [];
  return texts(object(node.depends_on, at).nodes, `${at}.nodes`);
}

function texts(value: unknown, at: string): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new Error(`${at} is not a list`);
  return value.map((entry: unknown, index) => text(entry, `${at}[${index}]`));
}

type Fields = Readonly<Record<string, unknown>>;

function object(value: unknown, at: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${at} is not an object`);
  return value as Fields;
}

function text(value: unknown, at: string): string {
  if (typeof value !== "string") throw new Error(`${at} is not a string`);
  return value;
}

/** JSON with sorted keys, so that equal values are equal texts. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, entry: unknown) =>
      typeof entry === "object" && entry !== null && !Array.isArray(entry)
        ? Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))
        : entry,
    ) ?? "null"
  );
}
