import type { CompiledNode } from "./manifest.ts";

export interface UnsafeValue {
  readonly uniqueId: string;
  readonly file: string;
  readonly key: string;
  readonly value: string;
}

/** The execution_config values that dbt-flink-adapter takes apart in the wrong place when it reads its own hint. */
export function unsafeValues(nodes: readonly CompiledNode[]): readonly UnsafeValue[] {
  return nodes.flatMap(({ uniqueId, file, config }) =>
    ["default_execution_config", "execution_config"]
      .flatMap((name) => entries(field(config, name)))
      .filter(([key, value]) => /[;=)\n]/.test(`${key}${value}`))
      .map(([key, value]) => ({ uniqueId, file, key, value })),
  );
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function entries(value: unknown): readonly (readonly [string, string])[] {
  return typeof value === "object" && value !== null
    ? Object.entries(value).map(([key, entry]) => [key, String(entry)] as const)
    : [];
}
