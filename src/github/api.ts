import { DeployError, type ErrorCode } from "../errors.ts";
import { DecodeError, type Decoder, list } from "../flink/decode.ts";
import { parseJson } from "../flink/parse-json.ts";
import { nextPage, perPage } from "./page.ts";
import { askPatiently, type Patience } from "./patience.ts";
import { GithubRefusal, refusal } from "./refusal.ts";
import { type Answer, type Question, shown } from "./web.ts";

export interface ApiOptions extends Omit<Patience, "code"> {
  /** `https://api.github.com`. */
  readonly url: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly token: string;
  /** What everything throws; `github-failed` unless given. */
  readonly code?: ErrorCode;
}

/** What a request is answered with, and what it takes. */
export interface Wanted<T> {
  readonly decoder: Decoder<T>;
  /** What the token needs, as a workflow writes it: `pull-requests: write`. */
  readonly permission: string;
}

export interface WantedPages<T> extends Wanted<T> {
  /** Where the list is a field of the answer: `artifacts`. */
  readonly within?: string;
}

export interface Sent<T> extends Wanted<T> {
  readonly body?: unknown;
}

export interface Created<T> extends Sent<T> {
  /** Looks for what the request would make, should its answer have been lost; null where it is not there. */
  readonly look: () => Promise<T | null>;
}

/** Where the answer's body says nothing: that of a DELETE. */
export const nothing: Decoder<null> = () => null;

const mostPages = 100;
const largestKept = 1024 * 1024;

/**
 * GitHub's REST API for one repository, also on forges that speak it in part. Paths are below `/repos/{owner}/{repo}`,
 * but those that begin with `//` below the API's root: `//user`. Everything throws `github-failed`, or the code that the
 * options name; an answer that says no is a `GithubRefusal`. The token goes to the API's own origin only.
 */
export class GithubApi {
  readonly repository: string;
  readonly #options: ApiOptions;
  readonly #patience: Patience;
  /** Answers by URL, to be asked for again under their ETag, which costs nothing of the rate limit. */
  readonly #kept = new Map<string, Answer>();

  constructor(options: ApiOptions) {
    this.repository = options.repository;
    this.#options = { ...options, url: options.url.replace(/\/+$/, "") };
    this.#patience = { ...options, code: options.code ?? "github-failed" };
  }

  /** Of its server: `api.github.com`. */
  get host(): string {
    return new URL(this.#options.url).hostname;
  }

  async get<T>(path: string, wanted: Wanted<T>): Promise<T> {
    const { question, answer } = await this.#got(this.#url(path), wanted);
    return this.#decoded(question, answer, wanted.decoder);
  }

  /** Null where there is no such thing. */
  async find<T>(path: string, wanted: Wanted<T>): Promise<T | null> {
    return await this.get(path, wanted).catch(absent);
  }

  /** All of a list, each page asked for. The path may have a query. */
  async pages<T>(path: string, wanted: WantedPages<T>): Promise<readonly T[]> {
    const separator = path.includes("?") ? "&" : "?";
    const first = `${this.#url(path)}${separator}per_page=${perPage}`;
    const items: T[] = [];
    let url = first;
    let before: Buffer | null = null;
    for (let number = 1; number <= mostPages; number += 1) {
      const { question, answer } = await this.#got(url, wanted);
      // What knows no pages answers with the same whole list again.
      if (before !== null && answer.body.equals(before)) return items;
      before = answer.body;
      const page = this.#decoded(question, answer, listWithin(wanted));
      items.push(...page);
      const next = nextPage(answer, { here: page.length, seen: items.length });
      if (next.kind === "none") return items;
      // A forge behind a proxy may link to a name of its own, where the token must not go.
      url = next.kind === "url" && this.#isOwn(next.url) ? next.url : `${first}&page=${number + 1}`;
    }
    throw this.#failed(`GET ${new URL(first).pathname} has more than ${mostPages} pages, which are not read`);
  }

  /** For what may be done twice: PUT, PATCH, DELETE, and a POST that changes nothing the second time. */
  async send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, sent: Sent<T>): Promise<T> {
    const question = this.#question(method, this.#url(path), sent.body);
    const answer = await askPatiently(question, this.#patience);
    return this.#decoded(question, this.#accepted(question, answer, sent), sent.decoder);
  }

  /** A POST that makes one more each time: before it is sent again, `look` tells whether the first was heard. */
  async create<T>(path: string, created: Created<T>): Promise<T> {
    const question = this.#question("POST", this.#url(path), created.body);
    let found: T | null = null;
    const answer = await askPatiently(question, this.#patience, async () => {
      found = await created.look();
      return found !== null;
    });
    if (answer !== null) return this.#decoded(question, this.#accepted(question, answer, created), created.decoder);
    if (found === null) throw this.#failed(`${shown(question)} made nothing`);
    return found;
  }

  /** A file that the API redirects to, whole; null where there is none any more. The token is not sent there. */
  async download(
    path: string,
    { permission, maxBytes }: { permission: string; maxBytes: number },
  ): Promise<Buffer | null> {
    const question = this.#question("GET", this.#url(path));
    const answer = await askPatiently(question, this.#patience);
    if (answer.status === 404 || answer.status === 410) return null;
    const { location } = answer.headers;
    if (answer.status !== 302 || location === undefined) throw this.#refused(question, answer, permission);
    const there: Question = { method: "GET", url: location, maxBytes };
    const { status, body } = await askPatiently(there, this.#patience);
    if (status === 404) return null;
    if (status !== 200) throw this.#failed(`${shown(there)} answered ${status}`);
    return body;
  }

  /**
   * Work on a resource that a forge may lack, or a token may not see: null then, and a line in the log that says so.
   * `what` is a plural: `commit statuses`.
   */
  async optional<T>(what: string, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof GithubRefusal && error.isAbsence)) throw error;
      this.#options.log(`no ${what} here: ${error.message}`);
      return null;
    }
  }

  #url(path: string): string {
    const { url, repository } = this.#options;
    return path.startsWith("//") ? `${url}${path.slice(1)}` : `${url}/repos/${repository}${path}`;
  }

  #isOwn(url: string): boolean {
    return URL.canParse(url) && new URL(url).origin === new URL(this.#options.url).origin;
  }

  #question(method: Question["method"], url: string, body?: unknown): Question {
    const headers = {
      accept: "application/vnd.github+json",
      "x-github-api-version": "2022-11-28",
      authorization: `Bearer ${this.#options.token}`,
    };
    if (body === undefined) return { method, url, headers };
    return {
      method,
      url,
      headers: { ...headers, "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify(body),
    };
  }

  async #got(url: string, { permission }: Wanted<unknown>): Promise<{ question: Question; answer: Answer }> {
    const plain = this.#question("GET", url);
    const kept = this.#kept.get(url);
    const etag = kept?.headers.etag;
    const question = etag === undefined ? plain : { ...plain, headers: { ...plain.headers, "if-none-match": etag } };
    const answer = await askPatiently(question, this.#patience);
    if (answer.status === 304 && kept !== undefined) return { question, answer: kept };
    if (answer.status !== 200) throw this.#refused(question, answer, permission);
    if (answer.headers.etag !== undefined && answer.body.byteLength <= largestKept) this.#kept.set(url, answer);
    return { question, answer };
  }

  #accepted(question: Question, answer: Answer, { permission }: Wanted<unknown>): Answer {
    if (answer.status < 200 || answer.status > 299) throw this.#refused(question, answer, permission);
    return answer;
  }

  #decoded<T>(question: Question, { body }: Answer, decoder: Decoder<T>): T {
    try {
      const text = body.toString("utf8");
      return decoder(text === "" ? undefined : parseJson(text), "");
    } catch (cause) {
      const why = cause instanceof DecodeError ? cause.message : "it is not JSON";
      throw this.#failed(`the answer to ${shown(question)} cannot be read: ${why}`, cause);
    }
  }

  #refused(question: Question, answer: Answer, permission: string): GithubRefusal {
    return refusal(question, answer, { permission, code: this.#patience.code });
  }

  #failed(message: string, cause?: unknown): DeployError {
    return new DeployError(this.#patience.code, message, cause === undefined ? {} : { cause });
  }
}

function absent(error: unknown): null {
  if (error instanceof GithubRefusal && error.isAbsence) return null;
  throw error;
}

function listWithin<T>({ decoder, within }: WantedPages<T>): Decoder<readonly T[]> {
  const items = list(decoder);
  if (within === undefined) return items;
  return (value, path) => {
    const field: unknown = typeof value === "object" && value !== null ? Reflect.get(value, within) : undefined;
    return items(field, path === "" ? within : `${path}.${within}`);
  };
}
