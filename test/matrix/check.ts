import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeProof, proveExactlyOnce, type Stretch, stretchesOf } from "../../scripts/demo/proof.ts";
import { committedRows, orderNumberOf } from "../../scripts/demo/sink-files.ts";
import { fold } from "../../src/ledger/fold.ts";
import { openFileStore } from "../../src/ledger/stores/file.ts";
import { environment } from "./command.ts";
import { type Laboratory, waitUntil } from "./laboratory.ts";
import { sinkFolder } from "./programs.ts";

export interface Place {
  readonly folder: string;
  readonly ledgerFolder: string;
}

/** What is wrong with how the ledger and the cluster show these jobs at rest; empty where nothing is. */
export async function checkAtRest(
  laboratory: Laboratory,
  { ledgerFolder }: Place,
  { names, runs }: { readonly names: readonly string[]; readonly runs: boolean },
): Promise<readonly string[]> {
  const store = openFileStore(ledgerFolder, environment);
  const deployed = fold(await store.entries());
  const lock = await store.lock();
  const problems: string[] = [];
  if (lock !== null && lock.holder !== null) problems.push(`the lock is held by ${lock.holder.name}`);
  for (const name of names) {
    const { settled = null, attempt = null } = deployed.get(name) ?? {};
    const living = (await laboratory.living(name)).filter((job) => job.name === name);
    if (attempt !== null) problems.push(`${name}: the ledger has an attempt in hand`);
    if (runs) {
      const isRunning = await waitUntil(async () =>
        (await laboratory.jobmanager.jobs()).some((job) => job.id === idIn(settled) && job.state === "RUNNING"),
      );
      if (!isRunning) problems.push(`${name}: the ledger says ${JSON.stringify(settled)}, which does not run`);
      const others = living.filter(({ id }) => id !== idIn(settled));
      for (const { id, state } of others) problems.push(`${name}: ${id} is ${state} and not in the ledger`);
    } else {
      for (const { id, state } of living) problems.push(`${name}: ${id} is ${state}, and nothing should run`);
      const savepoint = settled?.kind === "suspended" ? settled.savepoint : null;
      if (savepoint === null) problems.push(`${name}: the ledger says ${JSON.stringify(settled)}`);
      else if (!existsSync(join(fileURLToPath(savepoint), "_metadata"))) problems.push(`${name}: no ${savepoint}`);
    }
  }
  return problems;
}

const idIn = (settled: { readonly kind: string } | null): string | null =>
  settled !== null && "jobId" in settled ? String(settled.jobId) : null;

/** The newest number with its mark that the job has committed; 0 where it has committed none. */
async function newest(folder: string, name: string): Promise<{ readonly number: number; readonly mark: string }> {
  const rows = await committedRows(sinkFolder(folder, name));
  const numbered = rows.map((row) => ({ number: orderNumberOf(row), mark: row[1] ?? "" }));
  return numbered.reduce((best, row) => (row.number > best.number ? row : best), { number: 0, mark: "" });
}

/** Waits until each job has let out more, with that mark. */
export async function checkProgress(
  { folder }: Place,
  names: readonly string[],
  mark: string,
): Promise<readonly string[]> {
  const problems = await Promise.all(
    names.map(async (name) => {
      const before = await newest(folder, name);
      const goesOn = await waitUntil(async () => {
        const now = await newest(folder, name);
        return now.number > before.number && now.mark === mark;
      });
      return goesOn ? [] : [`${name}: nothing marked ${mark} came after ${before.number}`];
    }),
  );
  return problems.flat();
}

/** Of jobs that run no more: whether every number is there once, and no mark comes back once another has followed it. */
export async function checkNumbers({ folder }: Place, names: readonly string[]): Promise<readonly string[]> {
  const problems = await Promise.all(
    names.map(async (name) => {
      const rows = await committedRows(sinkFolder(folder, name));
      const proof = proveExactlyOnce(rows.map(orderNumberOf));
      return proof.kind === "exactly-once" ? [] : [`${name}: ${describeProof(proof)}`];
    }),
  );
  return problems.flat();
}

/** Which programs wrote the numbers, in the numbers' order. */
export async function stretches(folder: string, name: string): Promise<readonly Stretch[]> {
  const rows = await committedRows(sinkFolder(folder, name));
  return stretchesOf(rows.map((row) => ({ number: orderNumberOf(row), mark: row[1] ?? "" })));
}
