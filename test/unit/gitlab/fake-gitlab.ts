import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

interface Note {
  readonly id: number;
  readonly author: string;
  body: string;
}

/** The notes of merge request 7 of project 42, as GitLab's API has them: pages, authors, and who may write. */
export class FakeGitlab implements AsyncDisposable {
  readonly notes: Note[] = [];
  readonly requests: string[] = [];
  /** The next POST is heard, and its answer is lost. */
  losesNextAnswer = false;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(chunk as Uint8Array);
      const { method = "", url = "" } = request;
      this.requests.push(`${method} ${url}`);
      const isOurs = request.headers["private-token"] === "glpat-ours";
      const answer = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void => {
        response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
      };
      if (!isOurs) return answer(401, { message: "401 Unauthorized" });
      const { pathname, searchParams } = new URL(url, "http://fake");
      if (pathname === "/api/v4/user") return answer(200, { username: "flink-bot" });
      const [, id] = /^\/api\/v4\/projects\/42\/merge_requests\/7\/notes(?:\/(\d+))?$/.exec(pathname) ?? [];
      if (!pathname.includes("/merge_requests/7/notes")) return answer(404, { message: "404 Not found" });
      const { body } = chunks.length === 0 ? { body: "" } : (JSON.parse(Buffer.concat(chunks).toString()) as Note);
      if (method === "POST") {
        const made = this.add("flink-bot", body);
        if (!this.losesNextAnswer) return answer(201, shown(made));
        this.losesNextAnswer = false;
        request.socket.destroy();
        return;
      }
      if (method === "PUT") {
        const found = this.notes.find((one) => one.id === Number(id));
        if (found === undefined || found.author !== "flink-bot") return answer(403, { message: "403 Forbidden" });
        found.body = body.trimEnd();
        return answer(200, shown(found));
      }
      const page = Number(searchParams.get("page") ?? 1);
      const all = this.notes.toReversed().slice((page - 1) * 100, page * 100);
      const next = this.notes.length > page * 100 ? String(page + 1) : "";
      answer(200, all.map(shown), { "x-next-page": next });
    });
  }

  static async start(): Promise<FakeGitlab> {
    const fake = new FakeGitlab();
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/v4`;
  }

  add(author: string, body: string): Note {
    const made = { id: this.notes.length + 1, author, body: body.trimEnd() };
    this.notes.push(made);
    return made;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const shown = ({ id, author, body }: Note) => ({ id, body, author: { username: author }, system: false });
