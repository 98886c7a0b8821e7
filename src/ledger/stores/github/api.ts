import { createHash } from "node:crypto";
import { DeployError } from "../../../errors.ts";
import type { Decoder } from "../../../flink/decode.ts";
import { type ApiOptions, GithubApi } from "../../../github/api.ts";
import { largestFile } from "./largest-file.ts";

const permission = "actions: read";

/** The repository's artifacts, as far as a ledger is read through them. Everything throws `ledger-unreadable`. */
export class ArtifactApi {
  readonly repository: string;
  readonly #api: GithubApi;

  constructor(options: Omit<ApiOptions, "code">) {
    this.repository = options.repository;
    this.#api = new GithubApi({ ...options, code: "ledger-unreadable" });
  }

  /** A page of the list, from 1 on. */
  async page<T>(
    number: number,
    { size, decoder }: { readonly size: number; readonly decoder: Decoder<T> },
  ): Promise<T> {
    return await this.#api.get(`/actions/artifacts?per_page=${size}&page=${number}`, { decoder, permission });
  }

  /** An artifact's zip file, whole; null where there is no such artifact any more. */
  async artifact(id: number, digest: string | null): Promise<Buffer | null> {
    const body = await this.#api.download(`/actions/artifacts/${id}/zip`, { permission, maxBytes: largestFile });
    if (body === null) return null;
    const found = `sha256:${createHash("sha256").update(body).digest("hex")}`;
    if (digest !== null && digest !== found) {
      throw new DeployError("ledger-unreadable", `artifact ${id} came as ${found}, but GitHub says it is ${digest}`);
    }
    return body;
  }
}
