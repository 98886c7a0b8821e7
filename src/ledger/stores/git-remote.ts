import { isAbsolute, resolve } from "node:path";
import { DeployError } from "../../errors.ts";
import { mask, maskSecrets } from "../../secrets.ts";

/** A repository, and how git is told to reach it. */
export interface GitRemote {
  /** Without secrets: it stands in argv, in errors and in logs. */
  readonly url: string;
  /** git's own config for this run, by name, after what the user's files say. May hold secrets. */
  readonly config: readonly (readonly [string, string])[];
  /** Environment variables for the helper below. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface GitRemoteRequest {
  /** A URL (https, http, ssh, file), `host:path` for ssh, or a path. */
  readonly location: string;
  /** What a path is relative to. */
  readonly folder: string;
  readonly token: string | null;
  /** Config of the project's own repository, such as the credentials that actions/checkout leaves there. */
  readonly config: readonly (readonly [string, string])[];
}

/** Who takes a token as password mostly takes any user; GitHub's own name for it is this. */
const anyUser = "x-access-token";

/**
 * A credential helper that is asked for one host alone, takes the secret from the environment, and writes nothing down. A
 * header in `http.extraHeader` would follow a redirect to another host; GIT_ASKPASS would come after the user's own
 * helpers, and those would be told to store the token. `printf` is the shell's own, so the secret is in no argv.
 */
const helper =
  '!f() { test "$1" = get || exit 0; printf "username=%s\\npassword=%s\\n" "$FLINK_DBT_DEPLOY_GIT_USER" "$FLINK_DBT_DEPLOY_GIT_PASSWORD"; }; f';

/** Reads where the ledger's repository is, or throws `inputs-invalid`. Secrets are taken out of the URL. */
export function gitRemote(request: GitRemoteRequest): GitRemote {
  const { location, folder, token, config } = request;
  if (token !== null && /\p{Cc}/u.test(token)) throw invalid("ledger-git-token holds a control character");
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(location)?.[1]?.toLowerCase() ?? null;
  if (scheme === "http" || scheme === "https") return overHttp(location, request);
  if (token !== null) {
    throw invalid(`ledger-git-token is for a repository at https://, and ledger-git is ${maskSecrets(location)}`);
  }
  const isRemote = scheme !== null || /^[^/]+:/.test(location);
  if (location.startsWith("-") || location.includes("::") || ![null, "ssh", "file"].includes(scheme)) {
    throw invalid(`ledger-git: ${maskSecrets(location)} must be https://, ssh://, file://, host:path or a path`);
  }
  if (scheme === "ssh" && /^ssh:\/\/[^/]*:[^/]*@/i.test(location)) {
    throw invalid(`ledger-git: ${maskSecrets(location)}: ssh takes no password; use a key`);
  }
  const url = isRemote || isAbsolute(location) ? location : resolve(folder, location);
  return { url, config, variables: {} };
}

function overHttp(location: string, { token, config }: GitRemoteRequest): GitRemote {
  if (!URL.canParse(location)) throw invalid(`ledger-git: ${location.replace(/^.*@/s, `${mask}@`)} is no URL`);
  const parsed = new URL(location);
  const user = decodeURIComponent(parsed.username);
  const password = token ?? decodeURIComponent(parsed.password);
  parsed.username = "";
  parsed.password = "";
  const url = parsed.href;
  // A user alone may be a token as well, so it does not stay in the URL either.
  const named = user === "" ? [] : [[`credential.${parsed.origin}.username`, user] as const];
  if (password === "") return { url, config: [...config, ...named], variables: {} };
  return {
    url,
    config: [
      ...config,
      // Empty is none of those before: not the user's helpers, and not the header that actions/checkout leaves.
      [`http.${url}.extraHeader`, ""],
      [`credential.${parsed.origin}.helper`, ""],
      [`credential.${parsed.origin}.helper`, helper],
    ],
    variables: { FLINK_DBT_DEPLOY_GIT_USER: user || anyUser, FLINK_DBT_DEPLOY_GIT_PASSWORD: password },
  };
}

/** No hooks, no signatures, no upkeep: the clone is ours and lives as long as we do. */
const ours = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsync", "none"],
  ["gc.auto", "0"],
  ["maintenance.auto", "false"],
  ["push.gpgSign", "false"],
  ["push.followTags", "false"],
  ["push.recurseSubmodules", "no"],
  ["fetch.recurseSubmodules", "no"],
] as const;

/** Of another repository than ours, of our own inputs, or what could write requests with their headers down. */
const foreign =
  /^(GIT_(DIR|WORK_TREE|INDEX_FILE|PREFIX|COMMON_DIR|NAMESPACE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|QUARANTINE_PATH|SHALLOW_FILE|CURL_VERBOSE|TRACE.*)|FLINK_DBT_DEPLOY_.*|INPUT_.*)$/;

/** The environment that git runs in: the user's own, and the config as GIT_CONFIG_* (git 2.31), which is in no argv. */
export function gitEnvironment(remote: GitRemote, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.fromEntries(Object.entries(environment).filter(([name]) => !foreign.test(name)));
  const given = Number(own.GIT_CONFIG_COUNT ?? 0) || 0;
  const config = [...remote.config, ...ours];
  const pairs = config.flatMap(([name, value], index) => [
    [`GIT_CONFIG_KEY_${given + index}`, name],
    [`GIT_CONFIG_VALUE_${given + index}`, value],
  ]);
  return {
    ...own,
    ...remote.variables,
    ...Object.fromEntries(pairs),
    GIT_CONFIG_COUNT: String(given + config.length),
    GIT_TERMINAL_PROMPT: "0",
    LC_ALL: "C",
  };
}

/** What git said, without any secret that it was given. */
export function maskGitWords(words: string, { variables, config }: GitRemote): string {
  const headers = config.filter(([name]) => /extraheader$/i.test(name)).map(([, value]) => value);
  const secrets = [variables.FLINK_DBT_DEPLOY_GIT_PASSWORD ?? "", ...headers].filter((secret) => secret !== "");
  const spelled = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]);
  return maskSecrets(spelled.reduce((text, secret) => text.replaceAll(secret, mask), words));
}

const invalid = (message: string): DeployError => new DeployError("inputs-invalid", message);
