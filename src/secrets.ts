import { scryptSync } from "node:crypto";

export const mask = "******";

/** Words that make a key a secret one; the list is Flink's own GlobalConfiguration list and what connectors add to it. */
const secretWords =
  /passw(or)?d|secret|token|credential|api[-_.]?key|apikey|auth[-_.]?params|service[-_.]?key|access[-_.]?key|private[-_.]?key|account[-_.]?key|sasl\.jaas|basic-auth|http-headers|\.headers?\b|sas[-_.]?key|signature|fs\.azure\.account\.key|keystore\.key|certificate/i;
/** Keys that hold such a word and name no secret: a format's option, a path, a switch. */
const openKeys =
  /token[-_.]?(uri|url|endpoint|refresh|interval)|password[-_.]?file|delegation\.tokens\.enabled$|credentials?[-_.]?provider$/i;

/** Whether the value of an option or config of this key is masked wherever it is printed, posted or stored. */
export function isSecretKey(key: string): boolean {
  return secretWords.test(key) && !openKeys.test(key);
}

const quotedPair = /'((?:[^']|'')*)'(\s*=\s*)'((?:[^']|'')*)'/g;
const jsonPair = /"((?:[^"\\\n]|\\.)*)"(\s*:\s*)"((?:[^"\\\n]|\\.)*)"/g;
/** `key=value` and `key: value`, without blanks before the sign: in SQL `token = x` compares columns. */
const barePair = /(^|[\s;,&?{('"])([A-Za-z][\w.-]*)(=|:(?!\/\/) ?)([^\s;,&'"})]+)/g;
const jaas = /\b((?:password|secret|token)\s*=\s*\\?["'])([^"'\\]*)/gi;
const userInfo = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s/@:'"]*)(?::([^\s/@'"]*))?@/gi;

/** Puts something else in the place of every secret that a text holds: SQL, config, JSON, error messages. */
export function replaceSecrets(text: string, replacement: (secret: string) => string): string {
  return text
    .replace(userInfo, (_whole, scheme: string, user: string, password: string | undefined) => {
      return `${scheme}${replacement(password === undefined ? user : `${user}:${password}`)}@`;
    })
    .replace(quotedPair, (whole, key: string, equals: string, value: string) =>
      isSecretKey(key) ? `'${key}'${equals}'${replacement(value)}'` : whole,
    )
    .replace(jsonPair, (whole, key: string, colon: string, value: string) =>
      isSecretKey(key) ? `"${key}"${colon}"${replacement(value)}"` : whole,
    )
    .replace(jaas, (_whole, before: string, value: string) => `${before}${replacement(value)}`)
    .replace(barePair, (whole, before: string, key: string, equals: string, value: string) =>
      isSecretKey(key) ? `${before}${key}${equals}${replacement(value)}` : whole,
    );
}

/**
 * Masks the values of options and configs whose key looks secret, and URL user info, in any text: SQL, config,
 * JSON, error messages. What is masked stays recognisable as `******`; everything else is unchanged.
 */
export function maskSecrets(text: string): string {
  return replaceSecrets(text, () => mask);
}

/** A config with the values of secret keys masked, and URL user info taken out of the rest. */
export function maskConfig(config: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, isSecretKey(key) ? mask : maskSecrets(value)]),
  );
}

const fingerprints = new Map<string, string>();

/**
 * A slow hash of a secret (scrypt, N=2^14, 8 bytes in hex), so that a changed secret changes a program's digest while
 * the digest, which is published, does not let anyone try out passwords cheaply.
 */
export function fingerprintSecret(value: string): string {
  const known = fingerprints.get(value);
  if (known !== undefined) return known;
  const fingerprint = scryptSync(value, "flink-dbt-deploy", 8).toString("hex");
  fingerprints.set(value, fingerprint);
  return fingerprint;
}
