import type { Blobs } from "./blobs.ts";
import type { Clock } from "./clock.ts";
import type { WorkflowRun } from "./runs.ts";
import type { GithubReply } from "./server.ts";
import { nodeId, type Site } from "./site.ts";

export interface StoredArtifact {
  /** Given when the upload is finished, so ids rise in the order in which artifacts come into being. */
  readonly id: number;
  readonly name: string;
  readonly run: WorkflowRun;
  readonly blob: string;
  readonly digest: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** From which request for the list on it is in the list, and no longer in it. */
  readonly listedFrom: number;
  listedUntil: number;
}

interface Begun {
  readonly blob: string;
  readonly expiresAt: Date | null;
}

const day = 86_400_000;

/** The artifacts of one repository: what the results service makes, and what the REST API lists. */
export class Artifacts {
  readonly #blobs: Blobs;
  readonly #clock: Clock;
  readonly #site: Site;
  readonly #begun = new Map<string, Begun>();
  #stored: StoredArtifact[] = [];
  #lastId = 1_000_000;
  #lists = 0;
  /** So many requests for the list pass before it shows a new artifact, or a deletion. */
  listLag = 0;
  /** Artifacts of before 2025 have no digest. */
  hasDigests = true;
  /** The newest come first unless this is set. */
  isListedOldestFirst = false;

  constructor(blobs: Blobs, site: Site) {
    this.#blobs = blobs;
    this.#clock = site.clock;
    this.#site = site;
  }

  /** Those that were not deleted, oldest first. */
  get all(): readonly StoredArtifact[] {
    return this.#stored.filter(({ listedUntil }) => listedUntil === Number.POSITIVE_INFINITY);
  }

  /** Many artifacts of other steps, with nothing in them. */
  add(run: WorkflowRun, ...names: readonly string[]): void {
    for (const name of names)
      this.#store(run, { name, blob: "", digest: null, expiresAt: this.#clock.after(90 * day) });
  }

  /** As a step of the run does that uploads this archive. */
  upload(run: WorkflowRun, name: string, archive: Buffer): void {
    const { name: blob } = this.#blobs.forUpload();
    this.#blobs.overwrite(blob, archive);
    this.#store(run, { name, blob, digest: null, expiresAt: this.#clock.after(90 * day) });
  }

  /** As a person does. */
  remove(id: number): void {
    const found = this.#stored.find((artifact) => artifact.id === id);
    if (found !== undefined) found.listedUntil = this.#lists + this.listLag + 1;
  }

  /** The same under the same name, in another run. */
  copy(artifact: StoredArtifact, run: WorkflowRun): void {
    this.#store(run, artifact);
  }

  /** An answer of `ArtifactService`. Names are unique within a run. */
  reply(method: string, run: WorkflowRun, request: Readonly<Record<string, unknown>>): GithubReply {
    if (request.workflow_run_backend_id !== run.backendId) return { status: 403, body: { msg: "not this run's" } };
    const name = String(request.name);
    const key = `${run.id} ${name}`;
    const found = this.#inRun(run).find((artifact) => artifact.name === name);
    switch (method) {
      case "CreateArtifact": {
        if (this.#begun.has(key) || found !== undefined) {
          return { status: 409, body: { msg: "an artifact with this name already exists on the workflow run" } };
        }
        const upload = this.#blobs.forUpload();
        const expiresAt = typeof request.expires_at === "string" ? this.#clock.ofClient(request.expires_at) : null;
        this.#begun.set(key, { blob: upload.name, expiresAt });
        return { status: 200, body: { ok: true, signed_upload_url: upload.url } };
      }
      case "FinalizeArtifact": {
        const begun = this.#begun.get(key);
        if (begun === undefined) return { status: 404, body: { msg: "no such artifact" } };
        this.#begun.delete(key);
        const { blob, expiresAt } = begun;
        const digest = typeof request.hash === "string" ? request.hash : null;
        const id = this.#store(run, { name, blob, digest, expiresAt: expiresAt ?? this.#clock.after(90 * day) });
        return { status: 200, body: { ok: true, artifact_id: String(id) } };
      }
      case "ListArtifacts": {
        const wanted = typeof request.name_filter === "string" ? request.name_filter : null;
        const artifacts = this.#inRun(run).filter((artifact) => wanted === null || artifact.name === wanted);
        return {
          status: 200,
          body: {
            artifacts: artifacts.map((artifact) => ({
              workflow_run_backend_id: run.backendId,
              workflow_job_run_backend_id: `job-${run.id}`,
              database_id: String(artifact.id),
              name: artifact.name,
              size: "1",
            })),
          },
        };
      }
      case "DeleteArtifact": {
        if (found === undefined) return { status: 404, body: { msg: "no such artifact" } };
        this.remove(found.id);
        return { status: 200, body: { ok: true, artifact_id: String(found.id) } };
      }
      default:
        return { status: 404, body: { msg: `no method ${method}` } };
    }
  }

  /** `GET /repos/{owner}/{repo}/actions/artifacts`. */
  list(query: URLSearchParams, repositoryId: number): GithubReply {
    this.#lists += 1;
    const perPage = Math.min(Number(query.get("per_page") ?? 30), 100);
    const page = Number(query.get("page") ?? 1);
    const name = query.get("name");
    const listed = this.#stored
      .filter(({ listedFrom, listedUntil }) => listedFrom <= this.#lists && this.#lists < listedUntil)
      .filter((artifact) => name === null || artifact.name === name);
    const ordered = this.isListedOldestFirst ? listed : listed.toReversed();
    return {
      status: 200,
      body: {
        total_count: ordered.length,
        artifacts: ordered.slice((page - 1) * perPage, page * perPage).map((artifact) => ({
          id: artifact.id,
          node_id: nodeId("MDg6QXJ0aWZhY3Q", artifact.id),
          url: this.#site.url(`/actions/artifacts/${artifact.id}`),
          archive_download_url: this.#site.url(`/actions/artifacts/${artifact.id}/zip`),
          name: artifact.name,
          size_in_bytes: this.#blobs.content(artifact.blob)?.byteLength ?? 0,
          expired: artifact.expiresAt <= this.#clock.now,
          digest: this.hasDigests ? artifact.digest : null,
          created_at: artifact.createdAt.toISOString(),
          updated_at: artifact.createdAt.toISOString(),
          expires_at: artifact.expiresAt.toISOString(),
          workflow_run: {
            id: artifact.run.id,
            repository_id: repositoryId,
            head_repository_id: artifact.run.headRepositoryId,
            head_sha: artifact.run.headSha,
            head_branch: artifact.run.ref.replace(/^refs\/heads\//, ""),
          },
        })),
      },
    };
  }

  /** `GET /repos/{owner}/{repo}/actions/artifacts/{id}/zip`: a redirect to the blob. */
  download(id: number): GithubReply {
    const artifact = this.all.find((one) => one.id === id);
    if (artifact === undefined) return { status: 404, body: { message: "Not Found" } };
    if (artifact.expiresAt <= this.#clock.now) return { status: 410, body: { message: "Artifact has expired" } };
    return { status: 302, headers: { location: this.#blobs.forDownload(artifact.blob) }, body: Buffer.alloc(0) };
  }

  #inRun(run: WorkflowRun): readonly StoredArtifact[] {
    return this.all.filter((artifact) => artifact.run === run);
  }

  #store(run: WorkflowRun, made: Pick<StoredArtifact, "name" | "blob" | "digest" | "expiresAt">): number {
    this.#lastId += 1;
    this.#stored.push({
      ...made,
      id: this.#lastId,
      run,
      createdAt: this.#clock.now,
      listedFrom: this.#lists + this.listLag + 1,
      listedUntil: Number.POSITIVE_INFINITY,
    });
    return this.#lastId;
  }
}
