import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { canonical } from "./manifest.ts";
import { readProjectFile } from "./profile.ts";
import type { Side } from "./side.ts";

/** What the manifest holds node by node, or what names a folder that dbt does not use here. */
const elsewhere = new Set([
  ...["models", "sources", "seeds", "snapshots", "tests", "exposures", "metrics", "on-run-start", "on-run-end"],
  ...["version", "require-dbt-version", "clean-targets", "target-path", "log-path"],
  ...["docs-paths", "analysis-paths", "test-paths", "snapshot-paths"],
]);

/** What bears on every model alike and is not in the manifest: vars above all, of the project and of its packages. */
export async function projectSettings(side: Side): Promise<string> {
  const packages = await Promise.all(
    (await names(side.packagesFolder)).map(async (name) => [
      name,
      shared(await readProjectFile(join(side.packagesFolder, name)).catch(() => ({}))),
    ]),
  );
  const { target, vars, dbt } = side.options;
  return canonical({ target, vars, adapter: dbt.adapterVersion, project: shared(side.projectFile), packages });
}

/** Whether any seed file belongs to the project or its packages: before dbt has run, only the files can tell. */
export async function hasSeeds(side: Side): Promise<boolean> {
  const folders = [side.options.projectFolder];
  for (const name of await names(side.packagesFolder)) folders.push(join(side.packagesFolder, name));
  for (const folder of folders) {
    const file = await readProjectFile(folder).catch(() => ({}) as Readonly<Record<string, unknown>>);
    const paths: unknown = file["seed-paths"] ?? file["data-paths"] ?? ["seeds"];
    for (const path of Array.isArray(paths) ? paths : []) {
      const found = await readdir(join(folder, String(path)), { recursive: true }).catch(() => []);
      if (found.some((name) => name.endsWith(".csv"))) return true;
    }
  }
  return false;
}

function shared(file: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(file).filter(([key]) => !elsewhere.has(key)));
}

async function names(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith(".")).sort();
}
