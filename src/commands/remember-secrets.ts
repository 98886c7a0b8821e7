import type { RawInputs } from "../inputs/inputs.ts";
import { inputNames, isSecretInput } from "../inputs/table.ts";
import { isSecretVariable } from "../project/dbt-environment.ts";
import { rememberSecret, rememberSecretsIn } from "../secrets.ts";

/** Tokens that the runner gives to the step itself. */
const ofTheRunner = [
  "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
  "ACTIONS_RUNTIME_TOKEN",
  "CI_JOB_TOKEN",
  "GH_TOKEN",
  "GITHUB_TOKEN",
];

/** The values of a command's inputs that are secrets as a whole; of a header its value alone. */
export function secretInputs(raw: RawInputs): readonly string[] {
  return inputNames.filter(isSecretInput).flatMap((name) => {
    const given = raw[name]?.trim() ?? "";
    if (name !== "flink-header") return given === "" ? [] : [given];
    return given.split("\n").flatMap((line) => /^[^:]*:\s*(.*\S)/.exec(line)?.[1] ?? []);
  });
}

/**
 * Remembers, before anything is said, what must never be shown: secret inputs, passwords in the others, the runner's tokens,
 * and the variables that dbt gets although they look like secrets.
 */
export function rememberSecrets(raw: RawInputs, environment: NodeJS.ProcessEnv): void {
  for (const secret of secretInputs(raw)) rememberSecret(secret);
  for (const value of Object.values(raw)) {
    rememberSecretsIn(value);
    rememberUserInfo(value);
  }
  const named = (raw["dbt-env"] ?? "").split(/[,\n]/).map((name) => name.trim());
  for (const name of [...ofTheRunner, ...named.filter(isSecretVariable)]) rememberSecret(environment[name] ?? "");
}

/** As it is sent: without the URL's own encoding, and, for basic authorization, with the user. */
function rememberUserInfo(value: string): void {
  const { username, password } = URL.canParse(value.trim()) ? new URL(value.trim()) : { username: "", password: "" };
  if (username === "" && password === "") return;
  const [user, secret] = [username, password].map(decoded);
  rememberSecret(password === "" ? (user ?? "") : (secret ?? ""));
  rememberSecret(`${user}:${secret}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // No encoding of its own, only a sign that looks like one.
    return text;
  }
}
