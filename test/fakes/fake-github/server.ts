import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** GitHub's hosts are one server here, told apart by the first part of the path. */
export type ServiceName = "api" | "twirp" | "blobs";

/** One request that arrived. `path` is without the service's own part, and without the query. */
export interface GithubRequest {
  readonly service: ServiceName;
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  /** The token of the `authorization` header; "" where there is none. */
  readonly token: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A buffer is sent as it is, everything else as JSON. */
export interface GithubReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Exchange {
  readonly request: GithubRequest;
  readonly reply: GithubReply;
}

export type Service = (request: GithubRequest) => GithubReply;

/** What happens to matching requests instead of, or to, their answer. */
export interface Trouble {
  readonly matches: (request: GithubRequest) => boolean;
  /**
   * A reply of its own: the service never sees the request. `cut-before` and `cut-after`: the connection is lost, before
   * or after the service did what it was asked. `truncate`: half the answer's body comes, then the connection is lost.
   */
  readonly effect: GithubReply | "cut-before" | "cut-after" | "truncate";
  /** How many matching requests pass first; 0 unless given. */
  readonly skip?: number;
  /** How many are troubled; 1 unless given. */
  readonly times?: number;
}

/** Listens on a free loopback port, keeps a log, makes trouble. */
export class GithubServer {
  readonly #server: Server;
  readonly #services: Readonly<Record<ServiceName, Service>>;
  readonly #troubles: { readonly trouble: Trouble; skip: number; times: number }[] = [];
  readonly requests: GithubRequest[] = [];
  /** What the services themselves replied, without the troubles. */
  readonly exchanges: Exchange[] = [];

  constructor(services: Readonly<Record<ServiceName, Service>>) {
    this.#services = services;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(599).end(String(error));
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  trouble(trouble: Trouble): void {
    this.#troubles.push({ trouble, skip: trouble.skip ?? 0, times: trouble.times ?? 1 });
  }

  settleTroubles(): void {
    this.#troubles.length = 0;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await received(incoming);
    if (request === null) return void response.writeHead(404).end();
    this.requests.push(request);
    const effect = this.#effectOn(request);
    if (effect === "cut-before") return void incoming.socket.destroy();
    const reply = typeof effect === "object" && effect !== null ? effect : this.#replied(request);
    if (effect === "cut-after") return void incoming.socket.destroy();
    const isRaw = Buffer.isBuffer(reply.body);
    const body = isRaw
      ? (reply.body as Buffer)
      : Buffer.from(reply.body === undefined ? "" : JSON.stringify(reply.body));
    response.writeHead(reply.status, {
      "content-type": isRaw ? "application/octet-stream" : "application/json; charset=utf-8",
      ...(incoming.method === "HEAD" || [204, 304].includes(reply.status) ? {} : { "content-length": body.byteLength }),
      ...reply.headers,
    });
    if (effect !== "truncate") return void response.end(body);
    response.write(body.subarray(0, body.byteLength / 2), () => incoming.socket.destroy());
  }

  #replied(request: GithubRequest): GithubReply {
    const reply = this.#services[request.service](request);
    this.exchanges.push({ request, reply });
    return reply;
  }

  #effectOn(request: GithubRequest): Trouble["effect"] | null {
    for (const entry of this.#troubles) {
      if (entry.times === 0 || !entry.trouble.matches(request)) continue;
      if (entry.skip > 0) {
        entry.skip -= 1;
        continue;
      }
      entry.times -= 1;
      return entry.trouble.effect;
    }
    return null;
  }
}

async function received(incoming: IncomingMessage): Promise<GithubRequest | null> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array);
  const url = new URL(incoming.url ?? "/", "http://fake");
  const [, service = "", path = "/"] = /^\/(api|twirp|blobs)(\/.*)?$/.exec(url.pathname) ?? [];
  if (service === "") return null;
  return {
    service: service as ServiceName,
    method: incoming.method ?? "",
    path,
    query: url.searchParams,
    token: /^(?:bearer|token) (.+)$/i.exec(incoming.headers.authorization ?? "")?.[1] ?? "",
    headers: Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)])),
    body: Buffer.concat(chunks),
  };
}
