import { describeError } from "../../../errors.ts";
import type { ArtifactApi } from "./api.ts";
import { type ListedArtifact, listArtifacts, type Seen } from "./artifact-list.ts";
import { looksMs, type Standing, settle } from "./claim.ts";
import { nameOf, type PlaceKind } from "./place.ts";
import type { ArtifactClient } from "./toolkit-clients.ts";
import { readZip } from "./zip.ts";

export interface ArtifactPlaceOptions {
  readonly environment: string;
  readonly api: ArtifactApi;
  readonly client: ArtifactClient;
  /** Of the repository; null where it is not known. */
  readonly repositoryId: number | null;
  readonly pause: (ms: number) => Promise<void>;
  readonly log: (line: string) => void;
  /** Tells an upload from every other of the same number. */
  readonly nonce: () => string;
}

/** How an upload turned out. `problem` is what the client failed of, undefined where it did not. */
export interface Claim {
  readonly name: string;
  readonly problem: unknown;
  /** `sha256:...` of what was sent; null where that is not known. */
  readonly digest: string | null;
  readonly standing: Exclude<Standing, { readonly kind: "contested" }>;
}

const day = 86_400_000;

/** An environment's artifacts of one kind, in all runs of the repository. */
export class ArtifactPlace {
  readonly #kind: PlaceKind;
  readonly #options: ArtifactPlaceOptions;
  /** This run's uploads that are still there, oldest first. */
  readonly #uploads: string[] = [];
  /** The least id of those that the last look found: nothing that comes further down the list is newer than they are. */
  #floor: number | null = null;

  constructor(kind: PlaceKind, options: ArtifactPlaceOptions) {
    this.#kind = kind;
    this.#options = options;
  }

  /** Newest first, as far down as they can matter. Throws `ledger-unreadable`. */
  async list(): Promise<readonly ListedArtifact[]> {
    const { api, environment, repositoryId } = this.#options;
    const floor = this.#floor;
    const isEnough = (found: readonly ListedArtifact[], seen: Seen): boolean => {
      if (floor !== null) return seen.leastId <= floor;
      if (new Set(found.map(({ number }) => number)).size > 1) return true;
      // What claims one number is made about the same time, and a lock is gone after a day.
      const since = this.#kind === "lock" ? seen.newestAt : found[0]?.createdAt;
      return since !== undefined && Date.parse(seen.oldestAt) < Date.parse(since) - 2 * day;
    };
    const listed = await listArtifacts(api, { environment, kind: this.#kind, repositoryId, isEnough });
    this.#floor = listed.at(-1)?.id ?? this.#floor;
    return listed;
  }

  /** Its text; null where it is gone. Throws `ledger-unreadable`. */
  async read(id: number, digest: string | null): Promise<string | null> {
    const zip = await this.#options.api.artifact(id, digest);
    return zip === null ? null : readZip(zip, `artifact ${id}`);
  }

  /** Uploads a text as the one of this number, made from `base`. */
  async claim(number: number, base: ListedArtifact | null, text: string, retentionDays: number): Promise<Claim> {
    const { environment, client, nonce, pause } = this.#options;
    const name = `${nameOf(environment, this.#kind, number)}.${nonce()}`;
    let problem: unknown;
    const digest = await client.upload(name, text, retentionDays).catch((error: unknown) => {
      problem = error ?? new Error("the upload failed");
      return null;
    });
    // An upload that failed may be there all the same; that is not waited for as long.
    const looking = { looksMs: problem === undefined ? looksMs : looksMs.slice(0, 3), look: () => this.list(), pause };
    return { name, problem, digest, standing: await settle(name, base, looking) };
  }

  /** Deletes this run's uploads but for so many of the newest, the last of which is this one. */
  async keep(name: string, count: number): Promise<void> {
    this.#uploads.push(name);
    while (this.#uploads.length > count) {
      const error = await this.remove(this.#uploads.shift() ?? "");
      if (error !== null) this.#options.log(`an older artifact could not be deleted: ${describeError(error)}`);
    }
  }

  /** Deletes an upload of this run; what that failed of, or null. */
  async remove(name: string): Promise<unknown> {
    return await this.#options.client.remove(name).then(
      () => null,
      (error: unknown) => error ?? new Error("the deletion failed"),
    );
  }
}

/** Why a claim is not known to be stored. */
export function describeUnseen({ name, problem }: Claim): string {
  if (problem !== undefined) return `artifact ${name} could not be uploaded: ${describeError(problem)}`;
  return `artifact ${name} was uploaded, but does not appear in the list of artifacts`;
}
