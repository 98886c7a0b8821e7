import type { DeployError } from "../errors.ts";
import type { InputName } from "./table.ts";

/** How the gateway and the JobManager are reached besides by their URLs. Paths are as the user gave them. */
export interface AccessInputs {
  /** What they are sent with each request; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tlsCa: string | null;
  /** Both or none. */
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
}

/** What is asked of the reader of inputs. */
export interface AccessReader {
  textOrNull(name: InputName): string | null;
  refused(name: InputName, rule: string): DeployError;
}

/** What HTTP, or we ourselves, decide: another value would make two requests of one, or none that can be answered. */
const ofHttp = /^(host|connection|content-.*|transfer-encoding|upgrade|te|trailer|expect|keep-alive|proxy-.*)$/i;

/** Reads and compares them with each other and with the URLs. */
export function accessInputs(read: AccessReader, urls: readonly string[]): AccessInputs {
  const headers = headersOf(read);
  const [tlsCa, tlsCert, tlsKey] = [read.textOrNull("tls-ca"), read.textOrNull("tls-cert"), read.textOrNull("tls-key")];
  if (headers.authorization !== undefined && urls.some(holdsUser)) {
    throw read.refused("flink-token", "is one authorization too many: the URL holds a user; give one of them");
  }
  if ((tlsCert === null) !== (tlsKey === null)) {
    const [missing, given] = tlsCert === null ? (["tls-cert", "tls-key"] as const) : (["tls-key", "tls-cert"] as const);
    throw read.refused(missing, `is required with \`${given}\``);
  }
  const named = tlsCa !== null ? "tls-ca" : tlsCert !== null ? "tls-cert" : null;
  if (named !== null && !urls.some((url) => url.startsWith("https:"))) {
    throw read.refused(named, "says nothing without a URL that begins with https://");
  }
  return { headers, tlsCa, tlsCert, tlsKey };
}

/** The values are secrets and are not repeated in messages. */
function headersOf(read: AccessReader): Readonly<Record<string, string>> {
  const token = read.textOrNull("flink-token");
  const headers = new Map<string, string>();
  if (token !== null) {
    if (!/^[\x21-\x7e]+$/.test(token)) throw read.refused("flink-token", "must be one word of printable ASCII");
    headers.set("authorization", `Bearer ${token}`);
  }
  for (const line of (read.textOrNull("flink-header") ?? "").split(/\r?\n/).filter((one) => one.trim() !== "")) {
    const [, name = "", value = ""] = /^([^:]*):(.*)$/s.exec(line) ?? [];
    const key = name.trim().toLowerCase();
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(key)) {
      throw read.refused("flink-header", "must be written `name: value`, a header a line");
    }
    if (ofHttp.test(key)) throw read.refused("flink-header", `may not be ${key}, which is HTTP's own`);
    if (!/^[\t\x20-\x7e]+$/.test(value.trim()) || value.trim() === "") {
      throw read.refused("flink-header", `needs a value of printable ASCII for ${key}`);
    }
    if (headers.has(key)) throw read.refused("flink-header", `gives ${key} twice`);
    headers.set(key, value.trim());
  }
  return Object.fromEntries(headers);
}

function holdsUser(url: string): boolean {
  const { username, password } = new URL(url);
  return username !== "" || password !== "";
}
