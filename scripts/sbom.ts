import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { npm } from "./npm.ts";

interface Bom {
  readonly components: readonly { readonly "bom-ref": string; readonly name: string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/**
 * Prints, or writes into the file that is named, a CycloneDX list of what the bundles are made of, by npm from
 * package-lock.json, without a network. What only development needs is left out here: npm's own `--omit dev` also leaves out
 * dependencies that a tool names as well, such as yaml.
 */
function main([file]: readonly string[]): void {
  const { code, out, err } = npm("sbom", "--sbom-format", "cyclonedx", "--package-lock-only");
  if (code !== 0) throw new Error(`npm sbom failed: ${err}`);
  const text = `${JSON.stringify(ofBundles(JSON.parse(out) as Bom), null, 2)}\n`;
  if (file === undefined) process.stdout.write(text);
  else writeFileSync(file, text);
}

function ofBundles(bom: Bom): Bom {
  const manifest = readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8");
  const { dependencies } = JSON.parse(manifest) as { readonly dependencies: Readonly<Record<string, string>> };
  const needs = new Map(bom.dependencies.map(({ ref, dependsOn = [] }) => [ref, dependsOn]));
  // Named first by the project itself: npm gives a package that is there in several versions a reference each.
  const [root] = bom.dependencies;
  const isDirect = (ref: string): boolean => Object.hasOwn(dependencies, ref.replace(/@[^@]*$/, ""));
  const reached = new Set((root?.dependsOn ?? []).filter(isDirect));
  for (const ref of reached) for (const needed of needs.get(ref) ?? []) reached.add(needed);
  const kept = (ref: string): boolean => reached.has(ref);
  return {
    ...bom,
    components: bom.components.filter((component) => kept(component["bom-ref"])),
    dependencies: [
      ...(root === undefined ? [] : [{ ...root, dependsOn: (root.dependsOn ?? []).filter(kept) }]),
      ...bom.dependencies.filter(({ ref }) => kept(ref)),
    ],
  };
}

main(process.argv.slice(2));
