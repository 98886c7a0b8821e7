import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DeployError } from "../errors.ts";
import type { CompiledSide } from "./changed.ts";
import { runDbt } from "./dbt.ts";
import { unsafeValues } from "./hint-check.ts";
import { type CompiledManifest, readManifest } from "./manifest.ts";
import { hasSeeds, projectSettings } from "./project-settings.ts";
import { commentOf, isQuery } from "./query-comment.ts";
import type { Recording } from "./recording.ts";
import type { Side } from "./side.ts";
import { attributeByText, readWritten } from "./written.ts";

/**
 * Runs `dbt compile` against the recorder: cheap, and enough for `maybeChanged`. Null where it fails on a project whose
 * macros query, which may yet run. Throws `dbt-failed`.
 */
export async function compileSide(side: Side): Promise<CompiledSide | null> {
  side.recorder.clear();
  side.compiling.value = true;
  try {
    await runDbt(["compile"], side.run);
  } catch (error) {
    if (side.recorder.statements().some(({ sql }) => isQuery(sql))) return null;
    throw error;
  } finally {
    side.compiling.value = false;
  }
  return {
    manifest: await manifestOf(side),
    settings: await projectSettings(side),
    statements: side.recorder.statements(),
  };
}

/**
 * Runs dbt against the recorder: everything, or the models named by unique id with all they read (ids that this side
 * does not have are passed over; `compileSide` must have been called). Throws `dbt-failed`, and `hint-unsafe` where dbt
 * fails on a model whose config the adapter cannot read.
 */
export async function recordSide(side: Side, select: readonly string[] | null): Promise<Recording> {
  const compiled = select === null ? null : await manifestOf(side);
  const wanted = compiled === null ? null : compiled.nodes.filter((node) => select?.includes(node.uniqueId));
  if (compiled !== null && wanted?.length === 0) return recordingOf(side, compiled, []);
  side.recorder.clear();
  const seeds = compiled === null ? await hasSeeds(side) : readsSeed(compiled, wanted ?? []);
  // `build` for the DDL of seeds, which models read; tests and snapshots are never run.
  const verb = seeds ? ["build", "--resource-type", "model", "--resource-type", "seed"] : ["run"];
  const selection = wanted === null ? [] : ["--select", ...wanted.map((node) => `+${node.name}`)];
  try {
    await runDbt([...verb, ...selection], side.run);
  } catch (error) {
    throw (await hintError(side, error)) ?? error;
  }
  return recordingOf(side, await manifestOf(side), select === null ? null : await ranNodes(side));
}

function manifestOf(side: Side): Promise<CompiledManifest> {
  return readManifest(join(side.run.targetFolder, "manifest.json"), side.project);
}

async function recordingOf(
  side: Side,
  manifest: CompiledManifest,
  selected: readonly string[] | null,
): Promise<Recording> {
  const written = await readWritten(side.run.targetFolder, manifest.nodes);
  const statements = attributeByText(side.recorder.statements(), written);
  return {
    project: side.project,
    target: targetOf(side),
    dbtVersion: manifest.dbtVersion,
    adapterVersion: side.options.dbt.adapterVersion,
    statements,
    nodes: manifest.nodes,
    written,
    selected,
  };
}

/** The target that dbt chose; a profile may compute it, and dbt's query comment has its name. */
function targetOf(side: Side): string {
  if (side.options.target !== null) return side.options.target;
  for (const { sql } of side.recorder.statements()) {
    const name = commentOf(sql)?.target_name;
    if (typeof name === "string") return name;
  }
  return side.profileTarget;
}

function readsSeed({ nodes }: CompiledManifest, wanted: CompiledManifest["nodes"]): boolean {
  const byId = new Map(nodes.map((node) => [node.uniqueId, node]));
  const reached = new Set(wanted.map((node) => node.uniqueId));
  for (const id of reached) for (const read of byId.get(id)?.dependsOn ?? []) reached.add(read);
  return [...reached].some((id) => byId.get(id)?.resourceType === "seed");
}

/** dbt's error where it is not the adapter that breaks on a value of a model's config. */
async function hintError(side: Side, cause: unknown): Promise<DeployError | null> {
  if (!(cause instanceof DeployError) || !/Improper format of execution config/.test(cause.message)) return null;
  const manifest = await manifestOf(side).catch(() => null);
  const unsafe = unsafeValues(manifest?.nodes ?? []);
  if (unsafe.length === 0) return null;
  const named = unsafe.map(({ file, key, value }) => `${file}: execution_config "${key}" is "${value}"`).join("; ");
  return new DeployError("hint-unsafe", `dbt-flink-adapter cannot read a ";", "=" or ")" in a value: ${named}`, {
    cause,
  });
}

/** The unique ids in dbt's run_results.json. */
async function ranNodes(side: Side): Promise<readonly string[]> {
  const file = join(side.run.targetFolder, "run_results.json");
  const value: unknown = JSON.parse(await readFile(file, "utf8"));
  const results: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "results") : null;
  if (!Array.isArray(results)) throw new DeployError("manifest-unreadable", `${file} has no results`);
  return results.map((result: unknown) => {
    const id: unknown = typeof result === "object" && result !== null ? Reflect.get(result, "unique_id") : null;
    if (typeof id !== "string") throw new DeployError("manifest-unreadable", `${file}: a result has no unique_id`);
    return id;
  });
}
