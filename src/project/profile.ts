import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { DeployError, describeError } from "../errors.ts";
import { isMissing, readText } from "../flink/read-text.ts";
import { rememberSecretsOf } from "../secrets.ts";

export interface ProfileSearch {
  readonly projectFolder: string;
  /** `--profiles-dir`; null where none was given. */
  readonly profilesFolder: string | null;
  readonly environment: NodeJS.ProcessEnv;
}

/** The user's profiles.yml, found as dbt finds it; throws `dbt-failed` where dbt would find none. */
export async function findProfile(search: ProfileSearch): Promise<string> {
  const named = search.profilesFolder ?? search.environment.DBT_PROFILES_DIR;
  const home = search.environment.HOME ?? homedir();
  const folders = named ? [resolve(named.replace(/^~(?=\/|$)/, home))] : [search.projectFolder, join(home, ".dbt")];
  for (const folder of folders) {
    const file = join(folder, "profiles.yml");
    if (await access(file).then(() => true, () => false)) return file; // biome-ignore format: one question
  }
  throw new DeployError(
    "dbt-failed",
    `dbt needs a profiles.yml and there is none in ${folders.join(" or ")}; commit one or set \`profiles-dir\``,
  );
}

/**
 * The same profile with every host and port set to the recorder's. Only the profile that the project uses is kept,
 * where its name is plain to see. The text is JSON, which is YAML that no reader takes differently.
 */
export function redirectProfile(
  text: string,
  profileName: string | null,
  gateway: { readonly host: string; readonly port: number },
): string {
  const profiles = asRecord(parseYaml(text, "profiles.yml"));
  const kept = profileName !== null && profileName in profiles ? [profileName] : Object.keys(profiles);
  const redirected = kept
    .filter((name) => name !== "config")
    .map((name) => [name, redirectOutputs(profiles[name], gateway)]);
  const config = { ...asRecord(profiles.config), send_anonymous_usage_stats: false, use_colors: false };
  return JSON.stringify({ ...Object.fromEntries(redirected), config }, null, 2);
}

/** Remembers what a profile holds under keys that look secret, so that no message shows it. */
export function rememberSecretsOfProfile(text: string): void {
  const walk = (value: unknown): void => {
    rememberSecretsOf(asRecord(value));
    for (const one of Object.values(asRecord(value))) walk(one);
  };
  walk(parseYaml(text, "profiles.yml"));
}

/** The `target` that a profile names, as written; `default` where it names none, as dbt has it. */
export function defaultTarget(text: string, profileName: unknown): string {
  const target = asRecord(asRecord(parseYaml(text, "profiles.yml"))[String(profileName)]).target;
  return typeof target === "string" ? target : "default";
}

function redirectOutputs(profile: unknown, { host, port }: { host: string; port: number }): unknown {
  const outputs = Object.entries(asRecord(asRecord(profile).outputs));
  const redirected = outputs.map(([name, output]) => [name, { ...asRecord(output), host, port }]);
  return { ...asRecord(profile), outputs: Object.fromEntries(redirected) };
}

/** Written by hand; anchors are limited by the parser. */
const maxYamlBytes = 1024 * 1024;

/** A profiles.yml's text; throws `dbt-failed`. */
export async function readProfile(file: string): Promise<string> {
  return await readText(file, maxYamlBytes).catch((cause: unknown) => {
    throw new DeployError("dbt-failed", `profiles.yml cannot be read: ${describeError(cause)}`, { cause });
  });
}

/** dbt_project.yml as a value; throws `manifest-unreadable` where the folder holds no project. */
export async function readProjectFile(projectFolder: string): Promise<Readonly<Record<string, unknown>>> {
  const file = join(projectFolder, "dbt_project.yml");
  const text = await readText(file, maxYamlBytes).catch((cause: unknown) => {
    const why = isMissing(cause) ? `no dbt_project.yml in ${dirname(file)}` : `cannot read ${describeError(cause)}`;
    throw new DeployError("manifest-unreadable", why, { cause });
  });
  return asRecord(parseYaml(text, file));
}

/** dbt reads YAML 1.1, in which `yes` is true. */
function parseYaml(text: string, file: string): unknown {
  try {
    return parse(text, { version: "1.1" });
  } catch (error) {
    throw new DeployError("dbt-failed", `${file} is not YAML: ${describeError(error)}`, { cause: error });
  }
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}
