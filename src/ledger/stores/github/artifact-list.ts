import { DeployError } from "../../../errors.ts";
import { boolean, DecodeError, fields, list, nullable, number, string } from "../../../flink/decode.ts";
import type { ArtifactApi } from "./api.ts";
import { numberIn, type PlaceKind } from "./place.ts";

/** An artifact as GitHub lists it; times are ISO 8601. */
export interface ListedArtifact {
  readonly id: number;
  readonly name: string;
  /** The write or the version in its name. */
  readonly number: number;
  readonly isExpired: boolean;
  readonly digest: string | null;
  readonly createdAt: string;
  readonly expiresAt: string;
}

const time = (value: unknown, path: string): string => {
  const text = string(value, path);
  if (Number.isNaN(Date.parse(text))) throw new DecodeError(path, "a time", value);
  return text;
};

const artifact = fields((read) => ({
  id: read.get("id", number),
  name: read.get("name", string),
  expired: read.get("expired", boolean),
  digest: read.get("digest", nullable(string)),
  createdAt: read.get("created_at", nullable(time)),
  expiresAt: read.get("expires_at", nullable(time)),
  run: read.get(
    "workflow_run",
    nullable(
      fields((run) => ({
        repositoryId: run.get("repository_id", nullable(number)),
        headRepositoryId: run.get("head_repository_id", nullable(number)),
      })),
    ),
  ),
}));
const page = fields((read) => ({
  total: read.get("total_count", number),
  artifacts: read.get("artifacts", list(artifact)),
}));
type RawArtifact = ReturnType<typeof artifact>;

export interface ListOptions {
  readonly environment: string;
  readonly kind: PlaceKind;
  /** Of this repository. */
  readonly repositoryId: number | null;
  /** Whether what comes further down the list, which is older, cannot matter any more. */
  readonly isEnough: (found: readonly ListedArtifact[], seen: Seen) => boolean;
}

/** How far down the list was read. */
export interface Seen {
  readonly newestAt: string;
  readonly oldestAt: string;
  readonly leastId: number;
}

const perPage = 100;

/**
 * The environment's artifacts of all runs, newest first, as far down as they matter. Throws `ledger-unreadable`; none
 * is an answer only where the whole list was read.
 */
export async function listArtifacts(api: ArtifactApi, options: ListOptions): Promise<readonly ListedArtifact[]> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const found = await readList(api, options);
    if (found !== null) return found;
  }
  throw new DeployError("ledger-unreadable", `the artifacts of ${api.repository} changed whenever they were listed`);
}

/**
 * Null where something was deleted between two pages: what follows it moves up then, and one may have been passed over.
 * (What is new is put on top, and makes one come twice.) That newest come first is what GitHub does and does not
 * promise: it is looked at, and where it is not so, the list is read to its end.
 */
async function readList(api: ArtifactApi, options: ListOptions): Promise<readonly ListedArtifact[] | null> {
  const found: ListedArtifact[] = [];
  const seen = new Set<number>();
  let [newestAt, leastId, isOrdered, before] = ["", Number.POSITIVE_INFINITY, true, 0];
  for (let number = 1; ; number += 1) {
    const { total, artifacts } = await api.page(number, { size: perPage, decoder: page });
    if (total < before) return null;
    before = total;
    let oldestAt = newestAt;
    for (const raw of artifacts) {
      if (seen.has(raw.id)) continue;
      if (raw.id > leastId) isOrdered = false;
      seen.add(raw.id);
      leastId = Math.min(leastId, raw.id);
      if (raw.createdAt !== null) oldestAt = raw.createdAt;
      if (newestAt === "") newestAt = oldestAt;
      const ours = countedArtifact(raw, options);
      if (ours !== null) found.push(ours);
    }
    const isEnd = artifacts.length < perPage;
    if (isEnd || (isOrdered && options.isEnough(found, { newestAt, oldestAt, leastId }))) {
      return found.toSorted((a, b) => b.id - a.id);
    }
  }
}

/**
 * Null for what is not the environment's, by its name or by its origin. A workflow that a fork's pull request runs may
 * upload an artifact of any name into this repository; only what a commit of this repository itself uploaded counts.
 */
function countedArtifact(raw: RawArtifact, options: ListOptions): ListedArtifact | null {
  const number = numberIn(raw.name, options.environment, options.kind);
  const { repositoryId = null, headRepositoryId = null } = raw.run ?? {};
  const isOwn = headRepositoryId !== null && headRepositoryId === repositoryId;
  if (number === null || !isOwn || (options.repositoryId ?? repositoryId) !== repositoryId) return null;
  if (raw.createdAt === null || raw.expiresAt === null) return null;
  const { id, name, digest, createdAt, expiresAt } = raw;
  return { id, name, number, isExpired: raw.expired, digest, createdAt, expiresAt };
}
