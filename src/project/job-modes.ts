import type { Hints } from "./hints.ts";
import type { DesiredState, RuntimeMode, UpgradeMode } from "./job.ts";

/** How a job is upgraded, whether it is to run, and how Flink runs it. */
export interface JobModes {
  readonly upgradeMode: UpgradeMode;
  readonly desiredState: DesiredState;
  readonly runtimeMode: RuntimeMode;
}

const upgradeModes: Readonly<Record<string, UpgradeMode>> = {
  stateless: "stateless",
  savepoint: "savepoint",
  last_state: "last_state",
};

/**
 * The modes that hints and config ask for, with the adapter's defaults: stateless, running, batch. An upgrade mode
 * that is none is taken as `savepoint`, which loses nothing; `modeFindings` reports it.
 */
export function modesOf(hints: Hints, config: unknown): JobModes {
  const asked = metaUpgradeMode(config) ?? hints.upgradeMode?.toLowerCase() ?? "stateless";
  return {
    upgradeMode: upgradeModes[asked] ?? "savepoint",
    desiredState: hints.jobState?.toLowerCase() === "suspended" ? "suspended" : "running",
    runtimeMode: hints.mode?.toLowerCase() === "streaming" ? "streaming" : "batch",
  };
}

/** Each mode that is not one of the known words, with the words it could be. */
export function unknownModes(
  hints: Hints,
  config: unknown,
): readonly { readonly setting: string; readonly value: string; readonly known: readonly string[] }[] {
  const settings = [
    { setting: "meta.flink_dbt_deploy.upgrade_mode", value: metaUpgradeMode(config), known: Object.keys(upgradeModes) },
    { setting: "upgrade_mode", value: hints.upgradeMode, known: ["stateless", "savepoint"] },
    { setting: "job_state", value: hints.jobState, known: ["running", "suspended"] },
    { setting: "type", value: hints.mode, known: ["streaming", "batch"] },
  ];
  return settings.flatMap(({ setting, value, known }) =>
    value === null || known.includes(value.toLowerCase()) ? [] : [{ setting, value, known }],
  );
}

/** `meta: {flink_dbt_deploy: {upgrade_mode: ...}}`: the only way to `last_state`, which the adapter's hint refuses. */
function metaUpgradeMode(config: unknown): string | null {
  const mode = field(field(field(config, "meta"), "flink_dbt_deploy"), "upgrade_mode");
  return mode === undefined ? null : String(mode).toLowerCase();
}

/** A field of a value that may be no object. */
export function field(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}
