import { type Dispatcher, request } from "undici";
import { DeployError } from "../errors.ts";
import { Limit } from "../flink/http.ts";

export interface Question {
  readonly method: Dispatcher.HttpMethod;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The answer's size at most; 64 MiB unless given. */
  readonly maxBytes?: number;
}

/** A whole answer, of any status; one that breaks off is none. Names of headers are in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** It would be as large the next time. */
export class OversizedAnswer extends Error {}

const limitMs = 60_000;
const usualMaxBytes = 64 * 1024 * 1024;

/** `GET https://api.github.com/repos/acme/shop/actions/artifacts`: without the query, which may hold a signature. */
export function shown({ method, url }: Question): string {
  const { origin, pathname } = new URL(url);
  return `${method} ${origin}${pathname}`;
}

/** One request, sent once. Redirects are left to the caller: a token goes only to the host that it was given for. */
export async function ask(question: Question): Promise<Answer> {
  const late = (): DeployError =>
    new DeployError("github-failed", `${shown(question)} gave no whole answer within ${limitMs / 1000} s`);
  const { maxBytes = usualMaxBytes } = question;
  using limit = new Limit(limitMs, [], late);
  try {
    const response = await request(question.url, {
      method: question.method,
      headers: { "user-agent": "flink-dbt-deploy", ...question.headers },
      body: question.body ?? null,
      signal: limit.signal,
    });
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      size += (chunk as Uint8Array).byteLength;
      if (size > maxBytes) throw new OversizedAnswer(`the answer is larger than ${maxBytes} bytes`);
      chunks.push(chunk as Uint8Array);
    }
    const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as const);
    return { status: response.statusCode, headers: Object.fromEntries(headers), body: Buffer.concat(chunks) };
  } catch (error) {
    throw limit.signal.aborted ? limit.signal.reason : error;
  }
}
