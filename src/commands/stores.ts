import { resolve } from "node:path";
import { isAlive } from "../flink/cache.ts";
import type { LockInputs, StoreInputs, StoreKind } from "../inputs/inputs.ts";
import { type HeldLock, takeLock } from "../ledger/held-lock.ts";
import type { Store } from "../ledger/store.ts";
import { combineStores, lockedStores } from "../ledger/stores/combined.ts";
import { openFileStore } from "../ledger/stores/file.ts";
import { holderOf } from "./holder.ts";
import { openLedgerGit } from "./ledger-git.ts";
import type { Shell } from "./shell.ts";

/** The first one there is tells which of two writers came first, so those that can compare and set come first. */
const order: readonly StoreKind[] = ["git", "file"];

/** Throws `inputs-invalid`; nothing is reached before the first look. */
export async function openStore(inputs: StoreInputs, shell: Shell): Promise<Store> {
  const kinds = order.filter((kind) => inputs.store.includes(kind));
  return combineStores(await Promise.all(kinds.map((kind) => openOne(kind, inputs, shell))));
}

async function openOne(kind: StoreKind, inputs: StoreInputs, shell: Shell): Promise<Store> {
  switch (kind) {
    case "git":
      return await openLedgerGit(inputs, shell);
    case "file":
      return openFileStore(resolve(shell.cwd, inputs.ledgerDir), inputs.environment);
  }
}

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
