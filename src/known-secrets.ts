/** Shorter values are found by their key alone: they would be masked in every other word. */
const leastLength = 4;
/** From here on a value is looked for within words and in base64 too; a shorter one only where it stands by itself. */
const leastWithinWords = 8;
/** What options say that name no secret, under whatever key, and numbers that are too common to be hidden everywhere. */
const everyday = /^(?:true|false|yes|no|on|off|null|none|default|unknown|required|\*+|\d{1,7})$/i;

/**
 * Secret values that are known as such, wherever they came from. A text that holds one is found to hold it as it is,
 * URL-encoded (wholly or in part), escaped for JSON (twice over as well), SQL, Markdown or HTML, and in base64, also where
 * it stands within something longer, in the usual alphabet and that of URLs.
 */
export class KnownSecrets {
  readonly #values = new Set<string>();
  #pattern: RegExp | null = null;

  /** Blanks around it do not count. Values that are no use to look for everywhere are passed over. */
  add(value: string): void {
    const secret = value.trim();
    if (secret.length < leastLength || everyday.test(secret) || this.#values.has(secret)) return;
    this.#values.add(secret);
    this.#pattern = null;
  }

  replace(text: string, replacement: string): string {
    if (this.#values.size === 0) return text;
    // The longest first: one that begins like another must not leave its own end behind.
    this.#pattern ??= new RegExp(
      [...this.#values]
        .sort((a, b) => b.length - a.length)
        .flatMap(formsOf)
        .join("|"),
      "g",
    );
    return text.replace(this.#pattern, () => replacement);
  }
}

function formsOf(secret: string): readonly string[] {
  const spelled = spelling(secret);
  if (secret.length >= leastWithinWords) return [spelled, ...base64Forms(secret)];
  return [String.raw`(?<![\w-](?<!%[0-9A-Fa-f]{2})(?<!\\[nrt]))${spelled}(?![\w-])`];
}

/** Each run is bounded, and none begins as the one before it may go on, so that no text takes long to look through. */
function spelling(secret: string): string {
  const runs = secret.match(/\s+|\\+|'+|[\s\S]/gu) ?? [];
  return runs.map(formsOfRun).join("");
}

const named: Readonly<Record<string, string>> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos" };
/** What JSON, SQL and Markdown put before a sign. */
const escapes = String.raw`\\{0,8}`;

function formsOfRun(run: string): string {
  const [sign = ""] = run;
  if (/\s/.test(sign))
    return String.raw`(?:\s|\+|%[02][0-9A-Da-d]|\\{1,8}(?:[nrt]|u00[02][0-9A-Da-d])){1,${run.length * 2}}`;
  if (sign === "\\") return String.raw`(?:\\|%5[Cc]|&#92;){1,${run.length * 8}}`;
  const encoded = [...Buffer.from(run.length > 1 && sign === "'" ? sign : run)].map(
    (byte) => `%${anyCase(hex(byte, 2))}`,
  );
  const units = run.split("").map((_, at) => String.raw`\\{1,8}u${anyCase(hex(run.charCodeAt(at), 4))}`);
  if (/[\p{L}\p{N}]/u.test(run)) return `(?:${literal(run)}|${encoded.join("")}|${units.join("")})`;
  const code = sign.codePointAt(0) ?? 0;
  const entity = `&(?:#${code}|#x0*${anyCase(hex(code, 1))}${named[sign] === undefined ? "" : `|${named[sign]}`});`;
  // Our Markdown puts an invisible space behind what GitHub would make a mention or a link of.
  if (sign !== "'") return `(?:${escapes}${literal(run)}|${encoded.join("")}|${units.join("")}|${entity})\\u200b?`;
  // SQL writes it twice.
  return `(?:${escapes}'|${encoded.join("")}|${units[0]}|${entity}){${run.length},${run.length * 2}}`;
}

/**
 * Base64 of a text that holds the secret, by where in three bytes it begins. The signs at its ends that also hold bits of
 * what is around it go with it.
 */
function base64Forms(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].map((offset) => {
    const signs = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
    const [first, end] = [Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6)];
    const whole = signs
      .slice(first, end)
      .split("")
      .map((sign) => base64Signs[sign] ?? sign);
    const shared = "(?:[A-Za-z0-9+/_-]|%2[BFbf])?";
    const isShared = ((offset + bytes.length) * 8) % 6 !== 0;
    return `${offset === 0 ? "" : shared}${whole.join("")}${isShared ? shared : ""}`;
  });
}

const base64Signs: Readonly<Record<string, string>> = {
  "+": "(?:[+-]|%2[Bb])",
  "/": String.raw`(?:\\{0,8}/|_|%2[Ff])`,
};

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, "0");
const anyCase = (digits: string): string => digits.replace(/[a-f]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
