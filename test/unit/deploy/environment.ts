import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cluster, Retained, StateStorage } from "../../../src/deploy/cluster.ts";
import {
  type DeploymentRequest,
  deploy,
  type Outcome,
  previousOf,
  settle,
  subjectOf,
} from "../../../src/deploy/deployment.ts";
import { disposeOld } from "../../../src/deploy/dispose.ts";
import { gatewayCluster } from "../../../src/deploy/gateway-cluster.ts";
import { jobmanagerCluster } from "../../../src/deploy/jobmanager-cluster.ts";
import { rollBack } from "../../../src/deploy/rollback.ts";
import type { Consent, Desired, Settings } from "../../../src/deploy/step.ts";
import type { JobOutcome, RunContext } from "../../../src/deploy/task.ts";
import { Gateway } from "../../../src/flink/gateway.ts";
import { JobManager } from "../../../src/flink/jobmanager.ts";
import { fold, type RecordedJob } from "../../../src/ledger/fold.ts";
import { historyOf } from "../../../src/ledger/history.ts";
import { openLedger } from "../../../src/ledger/ledger.ts";
import type { RetentionPolicy } from "../../../src/ledger/retention.ts";
import type { Store } from "../../../src/ledger/store.ts";
import { loadJob, type Secrets, secretsOf, unsealProgram } from "../../../src/ledger/stored-job.ts";
import { openFileStore } from "../../../src/ledger/stores/file.ts";
import type { Job } from "../../../src/project/job.ts";
import { FakeFlink } from "../../fakes/fake-flink.ts";

export type Through = Cluster["through"];

export interface RunOptions {
  /** Distinguishes commits: it is what the deployment's id is made of. */
  readonly commit?: string;
  /** Of the deployment, where it is not to follow from the commit. */
  readonly id?: string;
  readonly project?: string;
  readonly removedJobs?: "stop" | "keep";
  readonly renames?: Readonly<Record<string, string>>;
  readonly savepointDirectory?: string | null;
  readonly verify?: Partial<Settings["verify"]>;
  readonly patienceMs?: number;
  readonly tamper?: (world: World) => World;
  readonly signal?: AbortSignal;
  readonly deadline?: AbortSignal;
  readonly consent?: Partial<Consent>;
  /** Of a deployment; everything is kept unless given. */
  readonly retention?: RetentionPolicy;
  /** When it happens, ISO 8601. */
  readonly at?: string;
  readonly parallelJobs?: number;
}

export interface RollbackOptions extends RunOptions {
  readonly to?: string;
  /** All of them unless given. */
  readonly jobs?: readonly string[];
  readonly keepsProgress?: boolean;
  readonly secrets?: () => Promise<Secrets>;
}

const newYear = "2026-01-01T00:00:00.000Z";

/** What a run acts on; a test may put something between. */
export interface World {
  readonly cluster: Cluster;
  readonly store: Store;
}

/** A simulated cluster with a ledger in a folder, and deployments to it: every run is a new process as far as it knows. */
export class Environment implements AsyncDisposable {
  readonly fake: FakeFlink;
  readonly through: Through;
  readonly store: Store;
  readonly lines: string[] = [];
  /** Whether this machine sees the files that the cluster writes. */
  isStorageListed = false;
  readonly #folder: string;
  #now = 0;
  #commits = 0;

  private constructor(fake: FakeFlink, through: Through) {
    this.fake = fake;
    this.through = through;
    this.#folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-"));
    this.store = openFileStore(this.#folder, "test");
  }

  static async start(through: Through = "jobmanager"): Promise<Environment> {
    return new Environment(await FakeFlink.start(), through);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#folder, { recursive: true, force: true });
    await this.fake[Symbol.asyncDispose]();
  }

  get storage(): StateStorage {
    const { cluster } = this.fake;
    const listed = async (folder: string, isThere: boolean): Promise<Retained> => {
      if (!this.isStorageListed || !isThere) return { kind: "unknown" };
      const path = cluster.stateBelow(folder);
      return path === null ? { kind: "none" } : { kind: "found", path };
    };
    return {
      newestCheckpoint: (folder) => listed(folder, cluster.hasFolder(folder)),
      savepoint: (folder) => listed(folder, true),
    };
  }

  async deploy(jobs: readonly Job[], options: RunOptions = {}): Promise<Outcome> {
    return await this.#run(options, async (context, settings) => {
      const request: DeploymentRequest = {
        jobs,
        compiledPlans: new Map(),
        flinkVersion: this.fake.version,
        removedJobs: options.removedJobs ?? "stop",
        renames: options.renames ?? {},
        parallelJobs: options.parallelJobs ?? 4,
        settings,
        consentOf: () => ({ toReplay: false, toStartEmpty: false, ...options.consent }),
        secrets: secretsOf(jobs.map((job) => job.program)),
      };
      const outcome = await deploy(request, context);
      if (options.retention === undefined) return outcome;
      const now = Date.parse(options.at ?? newYear);
      return await disposeOld(outcome, { policy: options.retention, jobs, parallelJobs: 2, now }, context);
    });
  }

  /** One job's outcome of a deployment. */
  async deployOne(job: Job, options: RunOptions = {}): Promise<JobOutcome> {
    const { jobs } = await this.deploy([job], options);
    const outcome = jobs.find((one) => one.job === job.name);
    if (outcome === undefined) throw new Error(`no outcome for ${job.name}`);
    return outcome;
  }

  /** As the command does. */
  async suspend(name: string, options: RunOptions = {}): Promise<JobOutcome> {
    return await this.#operate(name, options, {
      kind: "suspended",
      by: "command",
      reference: null,
      upgradeMode: "savepoint",
      startFrom: null,
      answer: null,
      rewind: null,
    });
  }

  /** As the command does. */
  async resume(name: string, options: RunOptions = {}): Promise<JobOutcome> {
    return await this.#operate(name, options, null);
  }

  /** As the command does. */
  async rollBack(options: RollbackOptions = {}): Promise<Outcome> {
    return await this.#run(options, async (context, { deployment: _, ...settings }) => {
      const { to = null, keepsProgress = false, parallelJobs = 4, secrets = async () => new Map() } = options;
      const jobs = options.jobs ?? [...historyOf(context.ledger.entries()).rests.keys()];
      const consentOf = () => ({ toReplay: false, toStartEmpty: false, ...options.consent });
      return await rollBack({ to, jobs, keepsProgress, parallelJobs, settings, consentOf, secrets }, context);
    });
  }

  /** One job's outcome of a rollback of all that differ. */
  async rollBackOne(name: string, options: RollbackOptions = {}): Promise<JobOutcome> {
    const { jobs } = await this.rollBack(options);
    const outcome = jobs.find((one) => one.job === name);
    if (outcome === undefined) throw new Error(`no outcome for ${name}`);
    return outcome;
  }

  async recorded(name: string): Promise<RecordedJob | undefined> {
    return fold(await this.store.entries()).get(name);
  }

  async factsOf(name: string): Promise<readonly string[]> {
    return (await this.store.entries()).filter((entry) => entry.job === name).map((entry) => entry.fact.kind);
  }

  async #operate(name: string, options: RunOptions, aim: Desired | null): Promise<JobOutcome> {
    return await this.#run(options, async (context, settings) => {
      const { settled, attempt } = context.ledger.job(name);
      const reference = attempt?.submissions.at(-1)?.reference ?? settled?.reference ?? null;
      if (reference === null) throw new Error(`the ledger does not know ${name}`);
      const { job } = await loadJob(context.ledger, reference);
      const { upgradeMode } = job;
      const { runtimeMode } = job.program;
      const consent = { toReplay: false, toStartEmpty: false, ...options.consent };
      const paths = { startFrom: null, answer: null, rewind: null };
      const desired: Desired = aim ?? { kind: "running", reference, upgradeMode, runtimeMode, consent, ...paths };
      const previous = await previousOf(context.ledger.job(name), new Map(), context);
      const program = aim === null ? unsealProgram(job.program, new Map()) : null;
      const task = { name, desired, program, previous: null, subject: subjectOf(desired, program, previous) };
      const all = { ...settings, canPutBack: false, settledMode: previous.mode };
      return await settle({ name, task: async () => ({ ...task, settings: all }) }, context);
    });
  }

  async #run<T>(
    options: RunOptions,
    work: (context: RunContext, settings: DeploymentRequest["settings"]) => Promise<T>,
  ): Promise<T> {
    this.#commits += 1;
    const signal = options.signal ?? new AbortController().signal;
    const deadline = options.deadline ?? signal;
    // Longer than asked for: fewer looks, and so fewer moments to die at, that differ in nothing.
    const sleep = async (ms: number): Promise<void> => {
      this.#now += Math.max(ms, 100);
    };
    const gateway = new Gateway({ url: this.fake.gatewayUrl, signal: deadline, sleep: async () => {} });
    const to = { gateway, initSql: [], signal: deadline, sleep: async () => {} };
    const made =
      this.through === "gateway"
        ? gatewayCluster(to)
        : jobmanagerCluster(
            new JobManager({ url: this.fake.jobmanagerUrl, signal: deadline, sleep: async () => {} }),
            to,
          );
    const world = (options.tamper ?? ((it) => it))({ cluster: made, store: this.store });
    await using cluster = world.cluster;
    const deployment = options.id ?? `deployment ${options.commit ?? this.#commits}`;
    const commit = options.commit ?? null;
    const ledger = await openLedger(world.store, {
      environment: "test",
      project: options.project ?? null,
      commit,
      now: () => options.at ?? newYear,
    });
    ledger.begin(deployment);
    const context: RunContext = {
      cluster,
      ledger,
      log: (job, line) => this.lines.push(`${job}: ${line}`),
      clock: () => this.#now,
      storage: this.storage,
      signal,
      deadline,
      sleep,
      patienceMs: options.patienceMs ?? 2_000,
    };
    return await work(context, {
      environment: "test",
      deployment,
      savepointDirectory: options.savepointDirectory === undefined ? "file:///savepoints" : options.savepointDirectory,
      verify: { timeoutMs: 10_000, batchTimeoutMs: 10_000, checkpoints: 1, steadyMs: 1_000, ...options.verify },
    });
  }
}
