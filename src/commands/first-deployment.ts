import { DeployError } from "../errors.ts";
import type { Store } from "../ledger/store.ts";

export interface Beginning {
  readonly keeps: Store["keeps"];
  readonly isLedgerEmpty: boolean;
  /** The user says that it is the first. */
  readonly isFirst: boolean;
  /** Of the jobs that the project has, and of those that it had before a rename. */
  readonly names: readonly string[];
  /** Whatever the cluster still knows, running or ended. */
  readonly onCluster: readonly { readonly id: string; readonly name: string; readonly state: string }[];
}

/**
 * An empty ledger that is kept for a while only may be one that is gone. Where the cluster knows a job of ours, it
 * probably is: throws `ledger-lost`, since a first deployment would forget which state each job had. Pure.
 */
export function refuseLostLedger({ keeps, isLedgerEmpty, isFirst, names, onCluster }: Beginning): void {
  if (keeps === "for-good" || !isLedgerEmpty || isFirst) return;
  const known = onCluster.filter(({ name }) => names.includes(name));
  if (known.length === 0) return;
  const shown = known.slice(0, 5).map(({ id, name, state }) => `${name} (${id}, ${state})`);
  const more = known.length > shown.length ? ` and ${known.length - shown.length} more` : "";
  throw new DeployError(
    "ledger-lost",
    `the ledger is empty, but the cluster knows jobs of this project: ${shown.join(", ")}${more}`,
  );
}
