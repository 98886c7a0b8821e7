import { join } from "node:path";
import { DeployError } from "../errors.ts";
import type { CompiledSide } from "./changed.ts";
import { runDbt } from "./dbt.ts";
import { describeProblem, executionConfigOf, unsafeConfig } from "./hint-problems.ts";
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
  // Not all that ran: what a selected model reads is run for its definition, and is a job of the other side's too.
  const selected = wanted?.map((node) => node.uniqueId) ?? null;
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
  return recordingOf(side, await manifestOf(side), selected);
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
  const unsafe = (manifest?.nodes ?? []).flatMap(({ file, config }) =>
    unsafeConfig(executionConfigOf(config)).map((problem) => `${file}: ${describeProblem(problem)}`),
  );
  if (unsafe.length === 0) return null;
  return new DeployError("hint-unsafe", `dbt fails on a value that the adapter cannot read: ${unsafe.join("; ")}`, {
    cause,
  });
}
