import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";
import { deployedJobs } from "../../src/commands/deployed-jobs.ts";
import { holderOf } from "../../src/commands/holder.ts";
import type { Cluster } from "../../src/deploy/cluster.ts";
import { deploy, previousOf, settle, subjectOf } from "../../src/deploy/deployment.ts";
import { gatewayCluster } from "../../src/deploy/gateway-cluster.ts";
import { guardedCluster } from "../../src/deploy/guarded-cluster.ts";
import { deploymentId } from "../../src/deploy/ids.ts";
import { inParallel } from "../../src/deploy/in-parallel.ts";
import { jobmanagerCluster } from "../../src/deploy/jobmanager-cluster.ts";
import { rollBack } from "../../src/deploy/rollback.ts";
import { listedStorage } from "../../src/deploy/state-storage.ts";
import type { Desired, Settings } from "../../src/deploy/step.ts";
import type { JobOutcome, RunContext } from "../../src/deploy/task.ts";
import { DeployError } from "../../src/errors.ts";
import { isAlive } from "../../src/flink/cache.ts";
import { Gateway } from "../../src/flink/gateway.ts";
import { sleep } from "../../src/flink/http.ts";
import { JobManager } from "../../src/flink/jobmanager.ts";
import { takeLock } from "../../src/ledger/held-lock.ts";
import { type Ledger, openLedger } from "../../src/ledger/ledger.ts";
import type { Store } from "../../src/ledger/store.ts";
import { loadJob, sealJob, secretsOf, unsealProgram } from "../../src/ledger/stored-job.ts";
import { lockedStores } from "../../src/ledger/stores/combined.ts";
import { openFileStore } from "../../src/ledger/stores/file.ts";
import { diffJobs } from "../../src/plan/diff.ts";
import { makePlan } from "../../src/plan/make-plan.ts";
import type { Job } from "../../src/project/job.ts";
import { type CountingJob, countingJob } from "./programs.ts";

/** What one run of the program is to do. */
export interface CommandRequest {
  readonly command: "deploy" | "suspend" | "resume" | "rollback";
  /** Whether it reaches the JobManager too. */
  readonly through: "jobmanager" | "gateway";
  readonly commit: string;
  /** Of a rollback: whether the program of before goes on from where the other is. */
  readonly keepsProgress: boolean;
  readonly jobs: readonly CountingJob[];
  readonly gatewayUrl: string;
  readonly jobmanagerUrl: string;
  /** Holds `sinks` and `savepoints`. */
  readonly folder: string;
  /** The file store's. */
  readonly ledgerFolder: string;
  /** Seconds count, so they are short here: how long one request may take, and how long services are asked again. */
  readonly requestTimeoutMs: number;
  readonly patienceMs: number;
  readonly lockTimeoutMs: number;
}

export const environment = "matrix";
const project = "matrix";
const leaseMs = 60_000;
const verify: Settings["verify"] = { timeoutMs: 60_000, batchTimeoutMs: 60_000, checkpoints: 1, steadyMs: 2_000 };

export interface CommandWorld {
  readonly tamper: (store: Store) => Store;
  readonly log: (line: string) => void;
}

/** One command, as src/commands has it, with literal programs in place of a dbt project. Throws as a command does. */
export async function runCommand(request: CommandRequest, world: CommandWorld): Promise<readonly JobOutcome[]> {
  const { command, gatewayUrl, jobmanagerUrl, requestTimeoutMs } = request;
  const { signal } = new AbortController();
  const clock = (): number => performance.now();
  const gateway = new Gateway({ url: gatewayUrl, signal, requestTimeoutMs });
  const { version: flinkVersion } = await gateway.info();
  await using cluster = await openCluster();
  const store = world.tamper(openFileStore(request.ledgerFolder, environment));
  await using lock = await takeLock({
    stores: lockedStores(store),
    self: holderOf(command, {}),
    leaseMs,
    timeoutMs: request.lockTimeoutMs,
    isAlive,
    now: () => new Date(),
    clock,
    sleep,
    signal,
    log: world.log,
  });
  const ledger = await openLedger(store, {
    environment,
    project: command === "deploy" ? project : null,
    commit: command === "deploy" ? request.commit : null,
    now: () => new Date().toISOString(),
    confirmLock: lock.confirm,
  });
  const context: RunContext = {
    cluster: guardedCluster(cluster, lock.confirm),
    ledger,
    log: (job, line) => world.log(`${job}: ${line}`),
    clock,
    storage: listedStorage({ listCommand: null, cwd: request.folder, environment: {}, signal, log: world.log }),
    signal,
    deadline: signal,
    patienceMs: request.patienceMs,
  };
  switch (command) {
    case "deploy":
      return await deployJobs(request, flinkVersion, context);
    case "rollback":
      return await rollBackJobs(request, context);
    case "suspend":
    case "resume":
      return await operate(command, request, context);
  }

  async function openCluster(): Promise<Cluster> {
    const options = { gateway, initSql: [], signal };
    if (request.through === "gateway") return gatewayCluster(options);
    const jobmanager = new JobManager({ url: jobmanagerUrl, signal, requestTimeoutMs });
    await jobmanager.config();
    return jobmanagerCluster(jobmanager, options);
  }
}

const savepointDirectory = ({ folder }: CommandRequest): string => pathToFileURL(join(folder, "savepoints")).href;

/** As src/commands/deploy.ts. */
async function deployJobs(
  request: CommandRequest,
  flinkVersion: string,
  context: RunContext,
): Promise<readonly JobOutcome[]> {
  const jobs = request.jobs.map((job) => countingJob(job, request.folder));
  const { jobs: outcomes } = await deploy(
    {
      jobs,
      compiledPlans: new Map(),
      flinkVersion,
      removedJobs: "stop",
      renames: {},
      parallelJobs: 4,
      settings: {
        environment,
        deployment: deploymentId(environment, request.commit, await digestOf(jobs, flinkVersion, context.ledger)),
        savepointDirectory: savepointDirectory(request),
        verify,
      },
      consentOf: () => consent,
      secrets: secretsOf(jobs.map((job) => job.program)),
    },
    context,
  );
  return outcomes;
}

/** Of the plan, from which the deployment's id follows: so the id is another once some of the jobs are done. */
async function digestOf(head: readonly Job[], flinkVersion: string, ledger: Ledger): Promise<string> {
  const { jobs, suspended, held, past } = await deployedJobs(ledger, ledger.deployed(), { project, flinkVersion });
  const changes = diffJobs({
    base: jobs,
    head: head.map(sealJob),
    suspendedInBase: suspended,
    held,
    past,
    keepRemoved: false,
    renames: {},
  });
  const unknown = { project, base: "deployed", head: "", dbtVersion: "", adapterVersion: "" };
  return makePlan({ ...unknown, environment, flinkVersion, changes, unrecorded: [], findings: [] }).digest;
}

const consent = { toReplay: false, toStartEmpty: false };

/** As src/commands/rollback.ts: the program of before, from the savepoint that it was left with. */
async function rollBackJobs(request: CommandRequest, context: RunContext): Promise<readonly JobOutcome[]> {
  const { jobs } = await rollBack(
    {
      to: null,
      jobs: request.jobs.map(({ name }) => name),
      keepsProgress: request.keepsProgress,
      parallelJobs: 4,
      settings: { environment, savepointDirectory: savepointDirectory(request), verify },
      consentOf: () => consent,
      secrets: async () => new Map(),
    },
    context,
  );
  return jobs;
}
const noPath = { startFrom: null, answer: null, rewind: null };

/** As src/commands/operate.ts. */
async function operate(
  command: "suspend" | "resume",
  request: CommandRequest,
  context: RunContext,
): Promise<readonly JobOutcome[]> {
  const { ledger } = context;
  const deployment = deploymentId(environment, command, ledger.entries().at(-1)?.id ?? "");
  ledger.begin(deployment);
  const settings = {
    environment,
    deployment,
    savepointDirectory: savepointDirectory(request),
    verify: command === "suspend" ? { ...verify, checkpoints: 0, steadyMs: 0 } : verify,
    canPutBack: false,
  };
  return await inParallel(request.jobs, 4, ({ name }) =>
    settle(
      {
        name,
        task: async () => {
          const aim = command === "suspend" ? toRest : await toRun(name, ledger);
          const previous = await previousOf(ledger.job(name), new Map(), context);
          const subject = subjectOf(aim.desired, aim.program, previous);
          return { name, ...aim, previous: null, settings: { ...settings, settledMode: previous.mode }, subject };
        },
      },
      context,
    ),
  );
}

const toRest: { readonly desired: Desired; readonly program: null } = {
  desired: { kind: "suspended", by: "command", reference: null, upgradeMode: "savepoint", ...noPath },
  program: null,
};

async function toRun(name: string, ledger: Ledger) {
  const { attempt, settled } = ledger.job(name);
  const begun = attempt?.submissions.findLast(({ role }) => role === "new");
  const reference = begun?.reference ?? settled?.reference ?? null;
  if (reference === null) throw new DeployError("needs-operator", `the ledger does not know the program of ${name}`);
  const { job } = await loadJob(ledger, reference);
  const { upgradeMode, program } = job;
  const desired: Desired = {
    kind: "running",
    reference,
    upgradeMode,
    runtimeMode: program.runtimeMode,
    consent,
    ...noPath,
  };
  return { desired, program: unsealProgram(program, new Map()) };
}
