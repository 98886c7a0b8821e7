import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import type { SeenRequest } from "./request-points.ts";

/** What happens to one request, or around it. */
export type Interference =
  /** `act` runs before the request is sent on, after its answer has come, or after the answer was passed on. */
  | { readonly kind: "act"; readonly when: "before" | "after-send" | "after-answer"; readonly act: () => unknown }
  | { readonly kind: "reset" | "reset-answer" | "hang" | "half" | "status-500" };

export interface FaultyNetworkOptions {
  readonly gatewayUrl: string;
  readonly jobmanagerUrl: string;
  /** Asked for every request, numbered from 1 over both services. */
  readonly interfere: (number: number, request: SeenRequest) => Interference | null;
  readonly answered?: (number: number, body: string) => void;
}

/** Stands between one run of the program and both of Flink's services, and counts what goes through. */
export class FaultyNetwork implements AsyncDisposable {
  readonly #options: FaultyNetworkOptions;
  readonly #servers: Server[] = [];
  #count = 0;
  #isCut = false;

  private constructor(options: FaultyNetworkOptions) {
    this.#options = options;
  }

  static async start(options: FaultyNetworkOptions): Promise<FaultyNetwork> {
    const network = new FaultyNetwork(options);
    for (const upstream of [options.gatewayUrl, options.jobmanagerUrl]) {
      const server = createServer((incoming, outgoing) => void network.#pass(upstream, incoming, outgoing));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      network.#servers.push(server);
    }
    return network;
  }

  get gatewayUrl(): string {
    return urlOf(this.#servers[0]);
  }

  get jobmanagerUrl(): string {
    return urlOf(this.#servers[1]);
  }

  get count(): number {
    return this.#count;
  }

  /** From here on nothing goes through: what a dead process had under way reaches nobody. */
  cut(): void {
    this.#isCut = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#servers.map(async (server) => {
        server.close();
        server.closeAllConnections();
        if (server.listening) await once(server, "close");
      }),
    );
  }

  async #pass(upstream: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming).catch(() => null);
    if (body === null || this.#isCut) return void incoming.socket.destroy();
    const { method = "GET", url = "/" } = incoming;
    this.#count += 1;
    const number = this.#count;
    const interference = this.#options.interfere(number, { method, path: url, body: body.toString("utf8") });
    try {
      await this.#answer({ upstream, incoming, outgoing, body, number }, interference);
    } catch {
      // The service is gone, or whoever asked is.
      incoming.socket.destroy();
    }
  }

  async #answer(exchange: Exchange, interference: Interference | null): Promise<void> {
    const { incoming, outgoing, number } = exchange;
    const acts = async (when: string): Promise<void> => {
      if (interference?.kind === "act" && interference.when === when) await interference.act();
    };
    if (interference?.kind === "reset") return void incoming.socket.resetAndDestroy();
    if (interference?.kind === "status-500") return void outgoing.writeHead(500).end("<html>broken</html>");
    await acts("before");
    if (this.#isCut) return void incoming.socket.destroy();
    const answer = await forward(exchange);
    this.#options.answered?.(number, answer.body.toString("utf8"));
    await acts("after-send");
    if (this.#isCut || interference?.kind === "reset-answer") return void incoming.socket.resetAndDestroy();
    if (interference?.kind === "hang") return;
    outgoing.writeHead(answer.status, {
      "content-type": answer.type,
      "content-length": answer.body.length,
    });
    if (interference?.kind === "half") {
      const half = answer.body.subarray(0, answer.body.length / 2);
      return void outgoing.write(half, () => incoming.socket.destroy());
    }
    outgoing.end(answer.body);
    await once(outgoing, "finish");
    await acts("after-answer");
  }
}

interface Exchange {
  readonly upstream: string;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly body: Buffer;
  readonly number: number;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

/** A connection that was kept would outlive a service that is killed. */
const agent = new Agent({ keepAlive: false });

async function forward({ upstream, incoming, body }: Exchange): Promise<Answer> {
  const outgoing = request(new URL(incoming.url ?? "/", upstream), {
    agent,
    method: incoming.method,
    headers: { accept: "application/json", "content-type": "application/json", "content-length": body.length },
  });
  outgoing.end(body);
  const [answer] = (await once(outgoing, "response")) as [IncomingMessage];
  const type = answer.headers["content-type"] ?? "application/json";
  return { status: answer.statusCode ?? 500, type, body: await buffer(answer) };
}

function urlOf(server: Server | undefined): string {
  const address = server?.address() as AddressInfo | null | undefined;
  if (!address) throw new Error("the server does not listen");
  return `http://127.0.0.1:${address.port}`;
}
