import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

/**
 * How a request goes wrong: the server answers 500 or never; or git does what it was asked for, and the answer is lost or
 * only half of it comes through.
 */
export type Fault = "500" | "hang" | "lose-answer" | "half-answer" | { readonly redirect: string };

export interface GitRequest {
  /** `GET git-upload-pack`, `POST git-receive-pack` and so on: the method and the service. */
  readonly name: string;
  readonly authorization: string | null;
  /** Of the body. */
  readonly bytes: number;
}

const backend = join(execFileSync("git", ["--exec-path"], { encoding: "utf8" }).trim(), "git-http-backend");

/** Git's own server program behind HTTP with basic authorization, for the bare repositories in a folder. */
export class GitHttpServer implements AsyncDisposable {
  readonly requests: GitRequest[] = [];
  /** Decides for each request. */
  fault: (request: GitRequest) => Fault | null = () => null;
  readonly #server: Server;
  readonly #folder: string;
  readonly #authorization: string | null;

  /** Null lets everyone in. */
  static async start(folder: string, login: string | null): Promise<GitHttpServer> {
    const server = new GitHttpServer(folder, login);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  private constructor(folder: string, login: string | null) {
    this.#folder = folder;
    this.#authorization = login === null ? null : `Basic ${Buffer.from(login).toString("base64")}`;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", this.origin);
    const service = url.searchParams.get("service") ?? url.pathname.split("/").at(-1);
    const body = await buffer(request);
    const authorization = request.headers.authorization ?? null;
    const seen = { name: `${request.method} ${service}`, authorization, bytes: body.length };
    this.requests.push(seen);
    if (this.#authorization !== null && seen.authorization !== this.#authorization) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
      return;
    }
    const fault = this.fault(seen);
    if (fault === "hang") return;
    if (fault === "500") {
      response.writeHead(500).end("out of order");
      return;
    }
    if (typeof fault === "object" && fault !== null) {
      response.writeHead(302, { location: `${fault.redirect}${request.url}` }).end();
      return;
    }
    const { status, headers, content } = await this.#run(request, url, body);
    if (fault === "lose-answer") response.destroy();
    else if (fault === "half-answer") {
      response.writeHead(status, { ...headers, "content-length": content.length });
      response.write(content.subarray(0, content.length / 2), () => response.destroy());
    } else response.writeHead(status, headers).end(content);
  }

  async #run(request: IncomingMessage, url: URL, body: Buffer) {
    const child = spawn(backend, {
      env: {
        PATH: process.env.PATH,
        GIT_PROJECT_ROOT: this.#folder,
        GIT_HTTP_EXPORT_ALL: "1",
        REMOTE_USER: "someone",
        REQUEST_METHOD: request.method,
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
        GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      },
      stdio: ["pipe", "pipe", "ignore"],
    });
    child.stdin.on("error", () => undefined).end(body);
    const output = await buffer(child.stdout);
    const end = output.indexOf("\r\n\r\n");
    const lines = output.subarray(0, end).toString("latin1").split("\r\n");
    const headers = Object.fromEntries(lines.map((line) => line.split(": ", 2) as [string, string]));
    const { Status = "200", ...others } = headers;
    return { status: Number.parseInt(Status, 10), headers: others, content: output.subarray(end + 4) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
