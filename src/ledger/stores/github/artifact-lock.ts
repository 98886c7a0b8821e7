import { DeployError } from "../../../errors.ts";
import { decodeLock, type Lock } from "../../lock.ts";
import { type ArtifactPlace, describeUnseen } from "./artifact-place.ts";
import { looksMs, newestOf } from "./claim.ts";

/** It is renewed long before, and an expired one counts as none; so the versions may begin anew. */
const retentionDays = 1;

/** Throws `ledger-unreadable`. */
export async function readLock(place: ArtifactPlace, pause: (ms: number) => Promise<void>): Promise<Lock | null> {
  for (const pauseMs of looksMs) {
    await pause(pauseMs);
    const newest = newestOf(await place.list());
    if (newest.kind === "none" || newest.kind === "expired") return null;
    // Of several that claim a version one holds at most; which one, its renewal or the others' withdrawal will show.
    const artifact = newest.kind === "found" ? newest.artifact : newest.artifacts.at(-1);
    const text = artifact === undefined ? null : await place.read(artifact.id, artifact.digest);
    if (artifact === undefined || text === null) continue;
    const lock = decodeLock(text, artifact.name);
    if (lock.version === artifact.number) return lock;
    throw new DeployError("ledger-unreadable", `the lock ${artifact.name} is of version ${lock.version}`);
  }
  throw new DeployError(
    "ledger-unreadable",
    "the lock's artifact was in the list, but gone, whenever it was looked at",
  );
}

/** Compare and set. Throws `store-unconfirmed`, `ledger-unreadable`. */
export async function writeLock(place: ArtifactPlace, lock: Lock): Promise<boolean> {
  const newest = newestOf(await place.list());
  if (newest.kind === "contested") return false;
  const base = newest.kind === "found" ? newest.artifact : null;
  if ((base?.number ?? 0) !== lock.version - 1) return false;
  const claim = await place.claim(lock.version, base, `${JSON.stringify(lock)}\n`, retentionDays);
  const { name, standing, digest } = claim;
  switch (standing.kind) {
    case "held":
      if (digest !== null && standing.mine.digest !== null && digest !== standing.mine.digest) {
        throw new DeployError("store-unconfirmed", `artifact ${name} is ${standing.mine.digest}, and not ${digest}`);
      }
      await place.keep(name, 1);
      return true;
    case "unseen":
      await place.remove(name);
      throw new DeployError("store-unconfirmed", describeUnseen(claim), { cause: claim.problem });
    case "lost":
    case "passed":
      // One that cannot be withdrawn is renewed by nobody, and ends with its lease.
      await place.remove(name);
      return false;
  }
}
