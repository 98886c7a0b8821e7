import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { DeployError } from "../errors.ts";
import { isAlive } from "../flink/cache.ts";
import type { LockInputs, StoreInputs, StoreKind } from "../inputs/inputs.ts";
import { type HeldLock, takeLock } from "../ledger/held-lock.ts";
import type { Store } from "../ledger/store.ts";
import { openArtifactStore } from "../ledger/stores/artifact.ts";
import { openCacheStore } from "../ledger/stores/cache.ts";
import { combineStores, lockedStores } from "../ledger/stores/combined.ts";
import { openFileStore } from "../ledger/stores/file.ts";
import { ArtifactApi } from "../ledger/stores/github/api.ts";
import { CacheService } from "../ledger/stores/github/cache-service.ts";
import { artifactClient, cacheClient } from "../ledger/stores/github/toolkit-clients.ts";
import { actionsRuntime } from "./actions.ts";
import { holderOf } from "./holder.ts";
import { openLedgerGit } from "./ledger-git.ts";
import type { Shell } from "./shell.ts";

/** The first one there is tells which of two writers came first, so those that can compare and set come first. */
const order: readonly StoreKind[] = ["git", "file", "cache", "artifact"];

/** Throws `inputs-invalid`; nothing is reached before the first look. */
export async function openStore(inputs: StoreInputs, shell: Shell): Promise<Store> {
  const kinds = order.filter((kind) => inputs.store.includes(kind));
  return combineStores(await Promise.all(kinds.map((kind) => openOne(kind, inputs, shell))));
}

async function openOne(kind: StoreKind, inputs: StoreInputs, shell: Shell): Promise<Store> {
  const { environment } = inputs;
  const sleep = (ms: number): Promise<void> => shell.sleep(ms, never);
  const { now, clock, log, signal } = shell;
  switch (kind) {
    case "git":
      return await openLedgerGit(inputs, shell);
    case "file":
      return openFileStore(resolve(shell.cwd, inputs.ledgerDir), environment);
    case "cache": {
      const { ref, resultsUrl: url, runtimeToken: token } = actionsRuntime(kind, shell.environment);
      const service = new CacheService({ url, token, sleep, now, log });
      return openCacheStore({ environment, service, client: cacheClient(shell.environment), ref, sleep });
    }
    case "artifact": {
      const { apiUrl: url, repository, repositoryId, ref } = actionsRuntime(kind, shell.environment);
      const token = inputs.githubToken ?? shell.environment.GITHUB_TOKEN ?? "";
      if (token === "") throw new DeployError("inputs-invalid", "github-token: the artifact store needs one");
      return openArtifactStore({
        environment,
        api: new ArtifactApi({ url, repository, token, sleep, now, log }),
        client: artifactClient(shell.environment),
        repositoryId,
        ref,
        retentionDays: inputs.artifactRetentionDays,
        isFirstDeployment: inputs.firstDeployment,
        now,
        clock,
        sleep: shell.sleep,
        signal,
        log,
        nonce: () => randomBytes(4).toString("hex"),
      });
    }
  }
}

/** A write is not given up when the command is interrupted. */
const never = new AbortController().signal;

/** The environment's lock, for a command that changes it. Throws `lock-held`. */
export async function lockEnvironment(
  store: Store,
  inputs: LockInputs & { readonly command: string },
  shell: Shell,
): Promise<HeldLock> {
  return await takeLock({
    stores: lockedStores(store),
    self: holderOf(inputs.command, shell.environment),
    leaseMs: inputs.lockLeaseMs,
    timeoutMs: inputs.lockTimeoutMs,
    isAlive,
    now: shell.now,
    clock: shell.clock,
    sleep: shell.sleep,
    signal: shell.signal,
    log: shell.log,
  });
}

/** An outage never looks like this, and a wrong path does: so it is said. */
export function emptyLedger(store: Store): string {
  return `the ledger (${store.description}) holds nothing: every job counts as new, or is taken over where it runs already`;
}
