import { createHash, randomUUID } from "node:crypto";
import type { GithubReply, GithubRequest } from "./server.ts";

/** Azure's block blobs behind signed URLs, as far as the toolkit's clients use them: whole, in blocks, and read whole. */
export class Blobs {
  readonly #blobs = new Map<string, Buffer>();
  readonly #blocks = new Map<string, Map<string, Buffer>>();
  /** The signatures that were given out: what each allows. */
  readonly #signatures = new Map<string, string>();
  url = "";

  /** A URL that allows to write one new blob, and the blob's name. */
  forUpload(): { readonly name: string; readonly url: string } {
    const name = `account/container/${randomUUID()}`;
    return { name, url: this.#signed(name, "PUT") };
  }

  forDownload(name: string): string {
    return this.#signed(name, "GET");
  }

  content(name: string): Buffer | null {
    return this.#blobs.get(name) ?? null;
  }

  /** Something else in the place of what was written: a damaged storage. */
  overwrite(name: string, content: Buffer): void {
    this.#blobs.set(name, content);
  }

  reply({ method, path, query, body }: GithubRequest): GithubReply {
    const name = path.slice(1);
    if (this.#signatures.get(query.get("sig") ?? "") !== `${method} ${name}`) {
      return { status: 403, body: Buffer.from("<Error><Code>AuthenticationFailed</Code></Error>") };
    }
    if (method === "PUT") return this.#put(name, query, body);
    const content = this.#blobs.get(name);
    if (content === undefined) return { status: 404, body: Buffer.from("<Error><Code>BlobNotFound</Code></Error>") };
    return { status: 200, headers: headersOf(content), body: content };
  }

  #put(name: string, query: URLSearchParams, body: Buffer): GithubReply {
    const blocks = this.#blocks.get(name) ?? new Map<string, Buffer>();
    this.#blocks.set(name, blocks);
    switch (query.get("comp")) {
      case "block":
        blocks.set(query.get("blockid") ?? "", body);
        break;
      case "blocklist": {
        const ids = [...body.toString("utf8").matchAll(/<(?:Latest|Uncommitted)>([^<]*)</g)].map(([, id]) => id ?? "");
        this.#blobs.set(name, Buffer.concat(ids.map((id) => blocks.get(id) ?? Buffer.alloc(0))));
        break;
      }
      default:
        this.#blobs.set(name, body);
    }
    return { status: 201, headers: headersOf(body), body: Buffer.alloc(0) };
  }

  #signed(name: string, method: string): string {
    const signature = randomUUID();
    this.#signatures.set(signature, `${method} ${name}`);
    return `${this.url}/${name}?sig=${signature}`;
  }
}

function headersOf(content: Buffer): Readonly<Record<string, string>> {
  return {
    etag: `"${createHash("md5").update(content).digest("hex")}"`,
    "last-modified": new Date(0).toUTCString(),
    "x-ms-request-id": randomUUID(),
    "x-ms-version": "2024-11-04",
    "x-ms-blob-type": "BlockBlob",
  };
}
