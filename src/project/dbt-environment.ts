/** What every Python program needs to run, find its certificates and print; nothing here holds a secret. */
const always = [
  ...["PATH", "LANG", "LANGUAGE", "LC_*", "TMPDIR", "TZ", "VIRTUAL_ENV", "PYENV_ROOT", "PYENV_VERSION"],
  ...["LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"],
];

/** A pattern never reaches these: they hold tokens, and a pull request's project runs in this environment. */
const guarded =
  /^(GITHUB_|GH_|ACTIONS_|RUNNER_|INPUT_|FLINK_DBT_DEPLOY_|AWS_|AZURE_|GOOGLE_)|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH(?!OR)|_KEY$|_PASS$|_PWD$/i;
/** Of those the ones whose value, passed on by name, is a secret and not only a name or a path. */
const secret = /TOKEN|SECRET|PASSW|CREDENTIAL|_KEY$|_PASS$|_PWD$/i;

/** Whether the value of an environment variable of this name is a secret, by the name's look. */
export function isSecretVariable(name: string): boolean {
  return secret.test(name);
}

/**
 * The allow-listed part of an environment: what every program needs, and what `allow` names. `*` in a name stands for
 * any characters, but variables that look like tokens are passed only when they are named in full.
 */
export function scrubEnvironment(environment: NodeJS.ProcessEnv, allow: readonly string[]): NodeJS.ProcessEnv {
  const patterns = [...always, ...allow];
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => patterns.some((pattern) => matches(name, pattern))),
  );
}

function matches(name: string, pattern: string): boolean {
  if (!pattern.includes("*")) return name === pattern;
  if (guarded.test(name)) return false;
  const literal = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${literal.join(".*")}$`).test(name);
}
