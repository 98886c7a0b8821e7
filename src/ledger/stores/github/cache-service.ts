import { createHash } from "node:crypto";
import { DeployError } from "../../../errors.ts";
import { boolean, DecodeError, fields, string } from "../../../flink/decode.ts";
import { parseJson } from "../../../flink/parse-json.ts";
import { askPatiently, type Patience } from "../../../github/patience.ts";
import { type Question, shown } from "../../../github/web.ts";
import { largestFile } from "./largest-file.ts";
import { readTar } from "./tar.ts";

export interface CacheServiceOptions extends Omit<Patience, "code"> {
  /** `ACTIONS_RESULTS_URL`. */
  readonly url: string;
  /** `ACTIONS_RUNTIME_TOKEN`. */
  readonly token: string;
}

/** A cache that was found; its URL is signed, for some minutes. */
export interface FoundCache {
  readonly key: string;
  readonly url: string;
}

/**
 * How the toolkit packs: by zstd where the machine has one, else by gzip. What it packed by one is not found by the other
 * (`getCacheVersion` in @actions/cache), so both are asked for.
 */
const packings = ["zstd-without-long", "gzip"];

const response = fields((read) => ({
  ok: read.get("ok", boolean),
  url: read.get("signed_download_url", string),
  key: read.get("matched_key", string),
}));

/**
 * The cache service, as `restoreCache` of @actions/cache 6.3 asks it (`internal/shared/cacheTwirpClient`). It is asked
 * here, since `restoreCache` answers an outage, a refusal and a download that broke off like a cache that is not there.
 * `"ok": false` alone proves that: the service answers it where no key matches. Everything throws `ledger-unreadable`.
 */
export class CacheService {
  readonly #options: CacheServiceOptions & Patience;

  constructor(options: CacheServiceOptions) {
    this.#options = { ...options, code: "ledger-unreadable" };
  }

  /** The cache of this key for a file, packed in either way: none, one, or, where two machines raced, two. */
  async find(key: string, file: string): Promise<readonly FoundCache[]> {
    return await this.#ask(file, { key, restore_keys: [] }, (found) => found === key);
  }

  /** The newest cache for a file whose key begins so, by each way of packing. */
  async findNewest(prefix: string, file: string): Promise<readonly FoundCache[]> {
    return await this.#ask(file, { key: prefix, restore_keys: [prefix] }, (found) => found.startsWith(prefix));
  }

  /** The text of its one file. Reading it puts its eviction off. */
  async read({ key, url }: FoundCache): Promise<string> {
    const question: Question = { method: "GET", url, maxBytes: largestFile };
    const { status, body } = await askPatiently(question, this.#options);
    if (status !== 200) throw new DeployError("ledger-unreadable", `${shown(question)} answered ${status}`);
    return readTar(body, `cache ${key}`);
  }

  async #ask(file: string, asked: object, isRight: (key: string) => boolean): Promise<readonly FoundCache[]> {
    const all = await Promise.all(
      packings.map((packing) => this.#lookUp({ ...asked, version: versionOf(file, packing) })),
    );
    const found = all.filter((one) => one !== null);
    const wrong = found.find(({ key }) => !isRight(key));
    if (wrong === undefined) return found;
    throw new DeployError("ledger-unreadable", `the cache service answered with ${wrong.key}, which was not asked for`);
  }

  async #lookUp(asked: object): Promise<FoundCache | null> {
    const { url, token } = this.#options;
    const question: Question = {
      method: "POST",
      url: new URL("/twirp/github.actions.results.api.v1.CacheService/GetCacheEntryDownloadURL", url).href,
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify(asked),
    };
    const { status, body } = await askPatiently(question, this.#options);
    const text = body.toString("utf8");
    if (status !== 200) throw unreadable(question, `answered ${status}: ${text.slice(0, 200)}`);
    try {
      const answer = response(parseJson(text), "");
      return answer.ok ? { key: answer.key, url: answer.url } : null;
    } catch (cause) {
      const why = cause instanceof DecodeError ? cause.message : "no JSON";
      throw unreadable(question, `gave no answer that can be read: ${why}`, cause);
    }
  }
}

function unreadable(question: Question, why: string, cause?: unknown): DeployError {
  return new DeployError("ledger-unreadable", `${shown(question)} ${why}`, { cause });
}

/** As `getCacheVersion` of @actions/cache 6.3 has it, for one path, saved for every system (`enableCrossOsArchive`). */
function versionOf(file: string, packing: string): string {
  return createHash("sha256").update([file, packing, "1.0"].join("|")).digest("hex");
}
