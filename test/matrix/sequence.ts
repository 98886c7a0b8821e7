import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { fold } from "../../src/ledger/fold.ts";
import { openFileStore } from "../../src/ledger/stores/file.ts";
import { checkAtRest, checkNumbers, checkProgress } from "./check.ts";
import { type CommandRequest, environment } from "./command.ts";
import { type Disturbance, endedWell, limitsOf, runChild, usualLimits } from "./disturbed-run.ts";
import { type FaultName, faults } from "./faults.ts";
import type { Laboratory } from "./laboratory.ts";

export interface SequenceResult {
  readonly round: number;
  /** What was done, in order: `deploy v2, jobmanager at 31`. */
  readonly steps: readonly string[];
  readonly problems: readonly string[];
  readonly log: string;
}

const actions = ["edit", "deploy", "suspend", "resume", "rollback"] as const;
type Action = (typeof actions)[number];

interface RandomStep {
  readonly action: Action;
  readonly disturbance: Disturbance | null;
}

const faultsOfSequences = [
  "before",
  "after-send",
  "after-answer",
  "reset-answer",
  "some-500",
  "die-before",
  "die-after",
  "gateway",
  "taskmanager",
  "jobmanager",
] as const satisfies readonly FaultName[];

const disturbance: fc.Arbitrary<Disturbance> = fc
  .constantFrom(...faultsOfSequences)
  .chain((fault) =>
    fc.integer({ min: 1, max: faults[fault].counts === "writes" ? 6 : 90 }).map((number) => ({ fault, number })),
  );
const randomSteps: fc.Arbitrary<readonly RandomStep[]> = fc.array(
  fc.record({ action: fc.constantFrom(...actions), disturbance: fc.option(disturbance, { freq: 3 }) }),
  { minLength: 6, maxLength: 6 },
);

/** Steps of the round's own, the same ones every time. */
const stepsOf = (round: number): readonly RandomStep[] => fc.sample(randomSteps, { seed: round, numRuns: 1 })[0] ?? [];

const mostRuns = 4;

/**
 * What people and machines do to one job, at random: after each step, run until it ends well, the ledger and the cluster
 * agree; in the end every number came once. Rollbacks keep the progress, so that they bring none twice.
 */
export async function runSequence(round: number, laboratory: Laboratory): Promise<SequenceResult> {
  const { name, folder } = laboratory.fresh(`sequence-${round}`);
  const sequence = new Sequence(name, folder, laboratory);
  let problems: readonly string[] = [];
  try {
    for (const step of [{ action: "edit", disturbance: null } as const, ...stepsOf(round)]) {
      problems = await sequence.take(step);
      if (problems.length > 0) break;
    }
    if (problems.length === 0) problems = await sequence.end();
  } finally {
    await laboratory.clear(name);
  }
  if (problems.length === 0) rmSync(folder, { recursive: true, force: true });
  return { round, steps: sequence.steps, problems, log: sequence.log.join("") };
}

class Sequence {
  readonly steps: string[] = [];
  readonly log: string[] = [];
  readonly #name: string;
  readonly #place: { readonly folder: string; readonly ledgerFolder: string };
  readonly #laboratory: Laboratory;
  #version = 0;
  #runs = false;

  constructor(name: string, folder: string, laboratory: Laboratory) {
    this.#name = name;
    this.#place = { folder, ledgerFolder: join(folder, "ledger") };
    this.#laboratory = laboratory;
  }

  /** What is wrong after it. */
  async take({ action, disturbance }: RandomStep): Promise<readonly string[]> {
    if (!this.#isPossible(action)) return [];
    if (action === "edit") this.#version += 1;
    const request = this.#request(action);
    const { command, commit } = request;
    const fault = disturbance === null ? "" : `, ${disturbance.fault} at ${disturbance.number}`;
    this.steps.push(`${command}${command === "deploy" ? ` ${commit}` : ""}${fault}`);
    this.log.push(`== ${this.steps.at(-1)}\n`);
    let isWell = false;
    let last = "";
    for (let runs = 0; runs < mostRuns && !isWell; runs += 1) {
      const now = runs === 0 ? disturbance : null;
      const limits = now === null ? usualLimits : limitsOf[faults[now.fault].group];
      const { ended, log } = await runChild(
        this.#laboratory,
        { ...request, ...limits },
        { disturbance: now, requests: [] },
      );
      this.log.push(log);
      await this.#laboratory.recovered();
      isWell = endedWell(ended);
      last = ended.kind === "ended" ? `${ended.reason}: ${ended.message}` : ended.kind;
    }
    if (!isWell) return [`${this.steps.at(-1)} ended with ${last}`];
    if (action === "suspend") this.#runs = false;
    if (action === "resume" || this.steps.length === 1) this.#runs = true;
    return await this.#check();
  }

  async end(): Promise<readonly string[]> {
    const problems = this.#runs ? [] : await this.take({ action: "resume", disturbance: null });
    await this.#laboratory.clear(this.#name);
    return [...problems, ...(await checkNumbers(this.#place, [this.#name], false))];
  }

  #isPossible(action: Action): boolean {
    switch (action) {
      case "edit":
      case "deploy":
        return true;
      case "suspend":
        return this.#runs;
      case "resume":
        return !this.#runs;
      case "rollback":
        return this.#version > 1;
    }
  }

  #request(action: Action): CommandRequest {
    const { gatewayUrl, jobmanagerUrl } = this.#laboratory.cluster;
    const mark = `v${this.#version}`;
    const isDeployment = action === "edit" || action === "deploy";
    return {
      command: isDeployment ? "deploy" : action,
      commit: isDeployment ? mark : action,
      through: "jobmanager",
      keepsProgress: true,
      jobs: [{ name: this.#name, mark }],
      gatewayUrl,
      jobmanagerUrl,
      ...this.#place,
      ...usualLimits,
      lockTimeoutMs: 0,
    };
  }

  async #check(): Promise<readonly string[]> {
    const names = [this.#name];
    const atRest = await checkAtRest(this.#laboratory, this.#place, { names, runs: this.#runs });
    if (atRest.length > 0 || !this.#runs) return atRest;
    return await checkProgress(this.#place, names, await this.#markOfWhatRuns());
  }

  /** Of the program that the ledger says is deployed: a rollback may have chosen it. */
  async #markOfWhatRuns(): Promise<string> {
    const store = openFileStore(this.#place.ledgerFolder, environment);
    const { settled = null } = fold(await store.entries()).get(this.#name) ?? {};
    if (settled?.kind !== "running" || settled.reference === null) return "";
    return /'(v\d+)' FROM numbers/.exec(await store.value(settled.reference.value))?.[1] ?? "";
  }
}
