import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeProof, type Proof, proveExactlyOnce, type Stretch, stretchesOf } from "../../scripts/demo/proof.ts";
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

interface Numbered {
  readonly number: number;
  readonly mark: string;
}

/** What the job has committed. */
async function written(folder: string, name: string): Promise<readonly Numbered[]> {
  const rows = await committedRows(sinkFolder(folder, name));
  return rows.map((row) => ({ number: orderNumberOf(row), mark: row[1] ?? "" }));
}

/** The newest number with this mark; 0 where there is none. */
const newest = (rows: readonly Numbered[], mark: string): number =>
  rows.reduce((best, row) => (row.mark === mark ? Math.max(best, row.number) : best), 0);

/** Waits until each job has let out more, with that mark. */
export async function checkProgress(
  { folder }: Place,
  names: readonly string[],
  mark: string,
): Promise<readonly string[]> {
  const problems = await Promise.all(
    names.map(async (name) => {
      const before = newest(await written(folder, name), mark);
      const goesOn = await waitUntil(async () => newest(await written(folder, name), mark) > before);
      return goesOn ? [] : [`${name}: nothing marked ${mark} came after ${before}`];
    }),
  );
  return problems.flat();
}

/**
 * Of jobs that run no more: whether every number is there once. Where a rollback made the program of before (`a`) process
 * again what came after its savepoint: whether it has every number once, and the other (`b`) its own, without a gap.
 */
export async function checkNumbers(
  { folder }: Place,
  names: readonly string[],
  replays: boolean,
): Promise<readonly string[]> {
  const problems = await Promise.all(
    names.map(async (name) => {
      const rows = await written(folder, name);
      const told = replays ? provedByProgram(rows) : [proveExactlyOnce(rows.map(({ number }) => number))];
      return told.flatMap((proof) => (proof.kind === "exactly-once" ? [] : [`${name}: ${describeProof(proof)}`]));
    }),
  );
  return problems.flat();
}

function provedByProgram(rows: readonly Numbered[]): readonly Proof[] {
  const of = (mark: string): readonly number[] => rows.filter((row) => row.mark === mark).map(({ number }) => number);
  const [before, after] = [of("a"), of("b")];
  // The sink of a program that was stopped before its first checkpoint has nothing.
  if (after.length === 0) return [proveExactlyOnce(before)];
  const first = after.reduce((least, number) => Math.min(least, number));
  return [proveExactlyOnce(before), proveExactlyOnce(after.map((number) => number - first + 1))];
}

/** Which programs wrote the numbers, in the numbers' order. */
export async function stretches(folder: string, name: string): Promise<readonly Stretch[]> {
  return stretchesOf(await written(folder, name));
}
