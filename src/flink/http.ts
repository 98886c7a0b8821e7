import { setTimeout as wait } from "node:timers/promises";
import { type Dispatcher, request } from "undici";
import { DeployError, type ErrorCode } from "../errors.ts";
import { DecodeError, type Decoder } from "./decode.ts";
import { megabytes } from "./megabytes.ts";
import { parseJson } from "./parse-json.ts";
import { handshakeProblem } from "./tls.ts";

/** What both of Flink's services are reached with. User info in `url` is sent as basic authorization. */
export interface HttpOptions {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Limit of one request, its body included; 30 s unless given. */
  readonly requestTimeoutMs?: number | undefined;
  /** Ends everything under way with `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  /** For a CA, a client certificate or a proxy of one's own. */
  readonly dispatcher?: Dispatcher | undefined;
  readonly sleep?: Sleep | undefined;
}

export type Sleep = (ms: number, signal: AbortSignal | undefined) => Promise<void>;

/** An answer of any status. `json` is undefined where the body is none; `request` is for messages, without secrets. */
export interface Answer {
  readonly request: string;
  readonly status: number;
  readonly json: unknown;
  /** Of the body as it came. */
  readonly bytes: number;
}

export interface Call {
  readonly body?: unknown;
  /** For tidying up: sent although the client's own signal is aborted. */
  readonly outlivesSignal?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** What the two services' errors are called, and the input a user would correct. */
export interface Service {
  readonly name: string;
  readonly unreachable: ErrorCode;
  readonly misplaced: ErrorCode;
  readonly input: string;
}

const defaultTimeoutMs = 30_000;
/** A page of 5000 rows, or the list of all jobs, is a hundredth of it; a service that never ends must not fill the memory. */
const maxBodyBytes = 64 * 1024 * 1024;
const backoffsMs = [50, 200, 800];
const resets = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);

export const sleep: Sleep = async (ms, signal) => {
  await wait(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
};

/** JSON over HTTP to one service: every request has a limit, GETs survive a reset connection, POSTs are sent once. */
export class HttpClient {
  readonly #options: HttpOptions;
  readonly #service: Service;
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #sleep: Sleep;

  constructor(options: HttpOptions, service: Service) {
    this.#options = options;
    this.#service = service;
    const { base, authorization } = parsedUrl(options.url, service);
    this.#base = base;
    this.#headers = { ...authorization, ...options.headers };
    this.#sleep = options.sleep ?? sleep;
  }

  /** `path` starts with a slash. Throws when there is no answer; an answer of any status is returned. */
  async send(method: Dispatcher.HttpMethod, path: string, call: Call = {}): Promise<Answer> {
    const url = new URL(this.#base.href.replace(/\/$/, "") + path);
    const shown = `${method} ${url.origin}${url.pathname}`;
    const backoffs = method === "GET" ? backoffsMs : [];
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#sendOnce(method, url, shown, call);
      } catch (error) {
        const backoff = backoffs[attempt];
        if (backoff === undefined || !resets.has(codeOf(error))) throw this.#described(error, shown);
        await this.#sleep(backoff, call.signal ?? this.#options.signal);
      }
    }
  }

  async #sendOnce(method: Dispatcher.HttpMethod, url: URL, shown: string, call: Call): Promise<Answer> {
    const ms = call.timeoutMs ?? this.#options.requestTimeoutMs ?? defaultTimeoutMs;
    const signals = [call.outlivesSignal ? undefined : this.#options.signal, call.signal];
    using limit = new Limit(ms, signals, () => this.unreachable(shown, `no answer within ${ms} ms`));
    try {
      const response = await request(url, {
        method,
        headers: {
          accept: "application/json",
          ...(call.body === undefined ? {} : { "content-type": "application/json" }),
          ...this.#headers,
        },
        body: call.body === undefined ? null : JSON.stringify(call.body),
        signal: limit.signal,
        ...(this.#options.dispatcher === undefined ? {} : { dispatcher: this.#options.dispatcher }),
      });
      const { statusCode: status, headers } = response;
      if (status >= 300 && status < 400) {
        response.body.on("error", () => undefined).destroy();
        throw this.misplaced(
          shown,
          `it leads to ${placeOf(headers.location, url)}, and what is sent stays with one host`,
        );
      }
      const text = await this.#text(response.body, shown);
      return { request: shown, status, json: this.#parsed(text, shown), bytes: text.length };
    } catch (error) {
      throw limit.signal.aborted ? limit.signal.reason : error;
    }
  }

  async #text(body: AsyncIterable<Uint8Array>, shown: string): Promise<string> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body) {
      size += chunk.byteLength;
      if (size > maxBodyBytes) throw this.misplaced(shown, `the answer is larger than ${megabytes(maxBodyBytes)}`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  }

  #parsed(text: string, shown: string): unknown {
    try {
      return parseJson(text);
    } catch (error) {
      // Not JSON: HTML of a proxy or of another service. The caller decides by status what that means.
      if (error instanceof SyntaxError) return undefined;
      throw this.misplaced(shown, error instanceof Error ? error.message : String(error), error);
    }
  }

  /** The answer as a type; one of another shape is not the service's. */
  decoded<T>(answer: Answer, decoder: Decoder<T>): T {
    try {
      return decoder(answer.json, "");
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const found = answer.json === undefined ? "the answer is not JSON" : error.message;
      throw this.misplaced(answer.request, found, error);
    }
  }

  /** The error for an answer that is not the service's. */
  misplaced(shown: string, found: string, cause?: unknown): DeployError {
    const { name, misplaced, input } = this.#service;
    return new DeployError(misplaced, `${shown} is not answered by ${name}: ${found}; check ${input}`, { cause });
  }

  unreachable(shown: string, found: string, cause?: unknown): DeployError {
    const { name, unreachable, input } = this.#service;
    return new DeployError(unreachable, `no ${name} answers ${shown}: ${found}; check ${input}`, { cause });
  }

  #described(error: unknown, shown: string): unknown {
    if (error instanceof DeployError) return error;
    const code = codeOf(error);
    const message = error instanceof Error ? error.message : String(error);
    // Many servers hang up on a client without the certificate that they want, and say nothing.
    const isHungUp = resets.has(code) && this.#base.protocol === "https:";
    const hint = isHungUp ? "; where it asks for a client certificate, give the right tls-cert and tls-key" : "";
    return this.unreachable(shown, handshakeProblem(code, message) ?? `${code || message}${hint}`, error);
  }
}

/** A time limit and callers' signals as one signal; it lets go of them when what it limits is over. */
export class Limit implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #sources: readonly { readonly signal: AbortSignal; readonly listener: () => void }[];

  constructor(ms: number, signals: readonly (AbortSignal | undefined)[], timedOut: () => DeployError) {
    this.#timer = setTimeout(() => this.#controller.abort(timedOut()), ms);
    this.#sources = signals
      .filter((signal) => signal !== undefined)
      .map((signal) => ({ signal, listener: () => this.#controller.abort(interruption(signal)) }));
    for (const { signal, listener } of this.#sources) {
      if (signal.aborted) listener();
      else signal.addEventListener("abort", listener, { once: true });
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const { signal, listener } of this.#sources) signal.removeEventListener("abort", listener);
  }
}

/** What an aborted signal means for a command: its own reason where that is one of ours, else `interrupted`. */
export function interruption(signal: AbortSignal): DeployError {
  const reason: unknown = signal.reason;
  if (reason instanceof DeployError) return reason;
  return new DeployError("interrupted", "interrupted while waiting for flink; run the same command again", {
    cause: reason,
  });
}

function parsedUrl(url: string, service: Service): { base: URL; authorization: Readonly<Record<string, string>> } {
  const absolute = url.includes("://") ? url : `http://${url}`;
  const base = URL.canParse(absolute) ? new URL(absolute) : undefined;
  if (base === undefined || !/^https?:$/.test(base.protocol))
    throw new DeployError(
      "inputs-invalid",
      `${service.input} is not an http or https url; give one as http://host:port`,
    );
  const { username, password } = base;
  base.username = "";
  base.password = "";
  base.search = "";
  base.hash = "";
  if (username === "" && password === "") return { base, authorization: {} };
  const credentials = `${decoded(username)}:${decoded(password)}`;
  return { base, authorization: { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` } };
}

/** Of user info; where a `%` is only a sign of a password, as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Where a redirect leads, without what may be a secret in it: `https://login.example/oauth`. */
function placeOf(location: string | string[] | undefined, from: URL): string {
  const first = Array.isArray(location) ? location[0] : location;
  if (first === undefined || !URL.canParse(first, from.href)) return "nowhere";
  const { protocol, host, pathname } = new URL(first, from.href);
  return `${protocol}//${host}${pathname.slice(0, 100)}`;
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "";
}
