import { scryptSync } from "node:crypto";
import { KnownSecrets } from "./known-secrets.ts";

export const mask = "******";

/** Of this process, which runs one command: inputs, and what the project's options and configs turned out to hold. */
const known = new KnownSecrets();

/** From now on the value is masked wherever it stands; see `KnownSecrets` for the few that are not. */
export function rememberSecret(value: string): void {
  known.add(value);
}

/** Remembers every secret that a text holds under a key that looks like one. */
export function rememberSecretsIn(text: string): void {
  replaceSecrets(text, (secret) => {
    rememberSecret(secret);
    // Of user info the password is one by itself; a user alone may be a token.
    const password = /^[^:]*:(.+)$/s.exec(secret)?.[1];
    if (password !== undefined) rememberSecret(password);
    return secret;
  });
}

/** Remembers the values of a config's secret keys, and what the others hold. */
export function rememberSecretsOf(config: Readonly<Record<string, unknown>>): void {
  for (const [key, value] of Object.entries(config)) {
    if (typeof value !== "string") continue;
    if (isSecretKey(key)) rememberSecret(value);
    else rememberSecretsIn(value);
  }
}

/** Words that make a key a secret one; the list is Flink's own GlobalConfiguration list and what connectors add to it. */
const secretWords =
  /passw(or)?d|pass[-_.]?phrase|(?:^|[^a-z])(?:pwd|pass$)|secret|token|credential|api[-_.]?key|apikey|auth[-_.]?params|service[-_.]?key|access[-_.]?key|private[-_.]?key|account[-_.]?key|sasl\.jaas|basic-auth|http-headers|\.headers?\b|sas[-_.]?key|signature|fs\.azure\.account\.key|keystore\.key|certificate/i;
/** Keys that hold such a word and name no secret: a format's option, a path, a switch. */
const openKeys =
  /token[-_.]?(uri|url|endpoint|refresh|interval)|password[-_.]?file|delegation\.tokens\.enabled$|credentials?[-_.]?provider$/i;

/** Whether the value of an option or config of this key is masked wherever it is printed, posted or stored. */
export function isSecretKey(key: string): boolean {
  return secretWords.test(key) && !openKeys.test(key);
}

/** Blanks and comments, in a form that matches in one way only. */
const between = String.raw`(?:\s|\/\*(?:[^*]|\*(?!\/))*\*\/|(?:--|\/\/)[^\n]*\n)*`;
const prefix = "(?:[uU]&|[nNxX]|_[A-Za-z0-9][A-Za-z0-9:.\\-_]*)?";
const text = "(?:[^']|'')*";
/** Strings on lines that follow each other are one to Flink; its lists of options put the next key there instead. */
const continued = String.raw`(?:[ \t\r]*\n\s*'${text}'(?!'|\s*=))*`;
const quotedPair = new RegExp(
  `(${prefix})'(${text})'(${between}=${between})(?:([eE]')((?:[^'\\\\]|\\\\[\\s\\S]|'')*)'|(${prefix}')(${text}'${continued}))`,
  "g",
);
const jsonPair = /"((?:[^"\\\n]|\\.)*)"(\s*:\s*)(?:"((?:[^"\\\n]|\\.)*)"|(-?\d[\d.eE+-]*))/g;
/** JSON within a string of JSON. */
const escapedPair = /(\\+")([^"\\\n]*)(\1\s*:\s*\1)((?:(?!\1)[^\n])*)(?=\1)/g;
/** Flink reads SET by a pattern of its own: neither side needs quotes, and there may be blanks around the sign. */
const setPair = /((?:^|;|\*\/)\s*SET\s+)(?:'((?:[^']|'')*)'|([^\s'=]+))(\s*=\s*)([^\s';][^\s;]*)/gi;
/** What a message quotes, to the closing quote. */
const tickPair = /`([A-Za-z][\w.-]*)(=|:(?!\/\/) ?)([^`\n]+)`/g;
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
    .replace(quotedPair, (whole, unicode, key, equals, escapedQuote, escaped, quote, quoted) => {
      if (!isSecretKey(/^u/i.test(unicode) ? withoutUnicodeEscapes(key) : key)) return whole;
      const value: string = escaped ?? String(quoted).slice(0, -1);
      return `${unicode}'${key}'${equals}${escapedQuote ?? quote}${replacement(value)}'`;
    })
    .replace(jsonPair, (whole, key: string, colon: string, value: string | undefined, number: string | undefined) => {
      if (!isSecretKey(key)) return whole;
      return value === undefined
        ? `"${key}"${colon}${replacement(number ?? "")}`
        : `"${key}"${colon}"${replacement(value)}"`;
    })
    .replace(escapedPair, (whole, quote: string, key: string, colon: string, value: string) =>
      isSecretKey(key) ? `${quote}${key}${colon}${replacement(value)}` : whole,
    )
    .replace(setPair, (whole, set: string, quoted: string | undefined, bare: string | undefined, equals, value) => {
      const key = quoted === undefined ? (bare ?? "") : `'${quoted}'`;
      return isSecretKey(quoted ?? key) ? `${set}${key}${equals}${replacement(value)}` : whole;
    })
    .replace(tickPair, (whole, key: string, equals: string, value: string) =>
      isSecretKey(key) ? `\`${key}${equals}${replacement(value)}\`` : whole,
    )
    .replace(jaas, (_whole, before: string, value: string) => `${before}${replacement(value)}`)
    .replace(barePair, (whole, before: string, key: string, equals: string, value: string) =>
      isSecretKey(key) ? `${before}${key}${equals}${replacement(value)}` : whole,
    );
}

/** The inside of a `U&'...'`: `\\0070assword` is `password`. */
function withoutUnicodeEscapes(text: string): string {
  return text.replace(/\\(?:\+([0-9a-f]{6})|([0-9a-f]{4}))/gi, (whole, long?: string, short?: string) => {
    const code = Number.parseInt(long ?? short ?? "", 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/**
 * Masks what was remembered as a secret, the values of options and configs whose key looks secret, and URL user info, in
 * any text: SQL, config, JSON, error messages. What is masked stays recognisable as `******`; everything else is unchanged.
 */
export function maskSecrets(text: string): string {
  // First what is known in full: a pattern may end a value too soon, and leave a rest that is not known.
  return maskSecretsByKey(known.replace(text, mask));
}

/** The same without what was remembered: for a name that people and programs go by, whatever it is elsewhere. */
export function maskSecretsByKey(text: string): string {
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

/** Whether the user info of a URI, before its `@`, has a password. */
export function holdsPassword(uri: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/@]*:[^/]*@/i.test(uri);
}
