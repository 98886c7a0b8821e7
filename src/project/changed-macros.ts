import type { CompiledManifest, Macro } from "./manifest.ts";

/**
 * Whether a macro differs that dbt calls when it runs a model, not when it compiles it: a materialization, an override
 * of a macro of dbt's or the adapter's, one that a hook calls, or one that any of these calls. What another macro does
 * shows in compiled code, in config or in a hook's statements.
 */
export function changedAtRun(base: CompiledManifest, head: CompiledManifest): boolean {
  const ids = new Set([...base.macros.keys(), ...head.macros.keys()]);
  const changed = [...ids].filter((id) => !sameMacro(base.macros.get(id), head.macros.get(id)));
  if (changed.length === 0) return false;
  const called = new Set([...calledAtRun(base), ...calledAtRun(head)]);
  return changed.some((id) => called.has(id));
}

function sameMacro(before: Macro | undefined, after: Macro | undefined): boolean {
  return before !== undefined && after !== undefined && before.text === after.text;
}

function calledAtRun({ macros, nodes, adapterType }: CompiledManifest): ReadonlySet<string> {
  const own = new Set(["dbt", `dbt_${adapterType}`]);
  const ownNames = new Set([...macros.values()].filter((macro) => own.has(macro.packageName)).map(({ name }) => name));
  const hooks = nodes.map((node) => hookText(node.config)).join("\n");
  const hookWords = new Set(hooks.match(/\w+/g));
  const roots = [...macros].filter(
    ([, { name }]) =>
      ownNames.has(name) ||
      hookWords.has(name) ||
      name.startsWith("materialization_") ||
      // An implementation that `adapter.dispatch` finds by its name.
      name.startsWith("default__") ||
      name.startsWith(`${adapterType}__`),
  );
  const reached = new Set(roots.map(([id]) => id));
  for (const id of reached) for (const used of macros.get(id)?.uses ?? []) reached.add(used);
  return reached;
}

function hookText(config: unknown): string {
  if (typeof config !== "object" || config === null) return "";
  const hooks = ["pre-hook", "post-hook", "pre_hook", "post_hook"].map((key): unknown => Reflect.get(config, key));
  return JSON.stringify(hooks);
}
