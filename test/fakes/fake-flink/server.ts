import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Reply } from "./gateway-answers.ts";

/** One request that arrived, in order over both services. */
export interface ReceivedRequest {
  readonly service: "gateway" | "jobmanager";
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** Cuts the connection of matching requests: `before` the service sees them, or `after` it did what they ask. */
export interface Cut {
  readonly when: "before" | "after";
  readonly matches: (request: ReceivedRequest) => boolean;
  /** How many matching requests pass first; 0 unless given. */
  readonly skip?: number;
  /** How many are cut; 1 unless given. */
  readonly times?: number;
}

/** The HTTP side of a service: listens on a free loopback port, keeps a log, cuts connections. */
export class FakeServer {
  readonly #server: Server;
  readonly #service: ReceivedRequest["service"];
  readonly #log: ReceivedRequest[];
  readonly #reply: (method: string, path: string, body: unknown) => Reply;
  readonly #cuts: { readonly cut: Cut; skip: number; times: number }[] = [];
  /** While true every connection is cut, as of a service that is down. */
  isDown = false;

  constructor(
    service: ReceivedRequest["service"],
    log: ReceivedRequest[],
    reply: (method: string, path: string, body: unknown) => Reply,
  ) {
    this.#service = service;
    this.#log = log;
    this.#reply = reply;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => request.socket.destroy());
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  cut(cut: Cut): void {
    this.#cuts.push({ cut, skip: cut.skip ?? 0, times: cut.times ?? 1 });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk as Uint8Array);
    const text = Buffer.concat(chunks).toString("utf8");
    const path = new URL(request.url ?? "/", "http://fake").pathname;
    const method = request.method ?? "";
    const received = { service: this.#service, method, path, body: text === "" ? null : (JSON.parse(text) as unknown) };
    const cut = this.isDown ? "before" : this.#cutOf(received);
    if (cut === "before") return void request.socket.destroy();
    this.#log.push(received);
    const { status, body } = this.#reply(method, path, received.body);
    if (cut === "after") return void request.socket.destroy();
    response.writeHead(status, { "content-type": "application/json; charset=UTF-8" }).end(JSON.stringify(body));
  }

  #cutOf(request: ReceivedRequest): Cut["when"] | null {
    for (const entry of this.#cuts) {
      if (entry.times === 0 || !entry.cut.matches(request)) continue;
      if (entry.skip > 0) {
        entry.skip -= 1;
        continue;
      }
      entry.times -= 1;
      return entry.cut.when;
    }
    return null;
  }
}
