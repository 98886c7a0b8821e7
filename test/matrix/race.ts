import { rmSync } from "node:fs";
import { join } from "node:path";
import { openFileStore } from "../../src/ledger/stores/file.ts";
import { checkAtRest, checkNumbers, checkProgress, stretches } from "./check.ts";
import { Child, type Ended } from "./child.ts";
import { type CommandRequest, environment, runCommand } from "./command.ts";
import type { Laboratory } from "./laboratory.ts";

export interface RaceResult {
  readonly round: number;
  readonly problems: readonly string[];
  readonly log: string;
}

const commits = ["b", "c"] as const;

/**
 * Two deployments of different programs for one job begin at the same moment on one ledger; the job runs already, or,
 * every other round, is new. In one half of the rounds the loser waits for the lock, in the other it ends at once.
 */
export async function runRace(round: number, laboratory: Laboratory): Promise<RaceResult> {
  const waits = round % 2 === 1;
  const isNew = round % 4 >= 2;
  const { name, folder } = laboratory.fresh(`race-${round}`);
  const place = { folder, ledgerFolder: join(folder, "ledger") };
  const { gatewayUrl, jobmanagerUrl } = laboratory.cluster;
  const request = (commit: string): CommandRequest => ({
    command: "deploy",
    commit,
    through: "jobmanager",
    keepsProgress: false,
    jobs: [{ name, mark: commit }],
    gatewayUrl,
    jobmanagerUrl,
    ...place,
    requestTimeoutMs: 30_000,
    patienceMs: 30_000,
    lockTimeoutMs: waits ? 60_000 : 0,
  });
  try {
    if (!isNew) await runCommand(request("a"), { tamper: (store) => store, log: () => undefined });
    const children = commits.map((commit) => new Child({ ...request(commit), storeFault: null }));
    const ended = await Promise.all(children.map((child) => child.ended));
    const problems = [
      ...judged(ended, waits),
      ...(await checkAtRest(laboratory, place, { names: [name], runs: true })),
      ...(await checkOrder(laboratory, place, { name, isNew })),
    ];
    const log = ended.map(({ log, ...how }, index) => `${commits[index]}: ${JSON.stringify(how)}\n${log}`).join("");
    return { round, problems, log };
  } finally {
    await laboratory.clear(name);
    rmSync(folder, { recursive: true, force: true });
  }
}

function judged(ended: readonly Ended[], waits: boolean): readonly string[] {
  const allowed = waits ? ["ok"] : ["ok", "lock-held"];
  const reasons = ended.map((one) => (one.kind === "ended" ? one.reason : one.kind));
  const isWon = reasons.includes("ok");
  return isWon && reasons.every((reason) => allowed.includes(reason)) ? [] : [`they ended with ${reasons.join(", ")}`];
}

/** The ledger names an order, and the files must show the same one. */
async function checkOrder(
  laboratory: Laboratory,
  place: { readonly folder: string; readonly ledgerFolder: string },
  { name, isNew }: { readonly name: string; readonly isNew: boolean },
): Promise<readonly string[]> {
  const entries = await openFileStore(place.ledgerFolder, environment).entries();
  const recorded = entries
    .toSorted((left, right) => left.sequence - right.sequence)
    .filter(({ fact }) => fact.kind === "running")
    .map(({ commit }) => commit ?? "");
  const possible = ["b", "c", "b,c", "c,b"].map((order) => (isNew ? order : `a,${order}`));
  const order = recorded.join(",");
  if (!possible.includes(order)) return [`the ledger says that ${order} ran, in this order`];
  const progress = await checkProgress(place, [name], recorded.at(-1) ?? "");
  await laboratory.clear(name);
  const written = (await stretches(place.folder, name)).map(({ mark }) => mark).join(",");
  const disagreement = written === order ? [] : [`the files were written by ${written}, the ledger says ${order}`];
  return [...progress, ...disagreement, ...(await checkNumbers(place, [name], false))];
}
