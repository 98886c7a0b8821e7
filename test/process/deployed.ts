import { deploy } from "../../src/deploy/deployment.ts";
import { jobmanagerCluster } from "../../src/deploy/jobmanager-cluster.ts";
import { listedStorage } from "../../src/deploy/state-storage.ts";
import { Gateway } from "../../src/flink/gateway.ts";
import { JobManager } from "../../src/flink/jobmanager.ts";
import { openLedger } from "../../src/ledger/ledger.ts";
import { secretsOf } from "../../src/ledger/stored-job.ts";
import { openFileStore } from "../../src/ledger/stores/file.ts";
import type { Job } from "../../src/project/job.ts";
import type { FakeFlink } from "../fakes/fake-flink.ts";

export const checkpointing = { "execution.checkpointing.interval": "1s" };

export interface Place {
  readonly fake: FakeFlink;
  /** The ledger's folder. */
  readonly ledger: string;
  /** A hexadecimal digit that the commit is made of, and the deployment's id of the one after it. */
  readonly commit?: string;
}

/** Lets these jobs run on the fake, as an earlier deployment into the environment `default` of that ledger has left them. */
export async function deployed(jobs: readonly Job[], { fake, ledger, commit = "c" }: Place): Promise<void> {
  const { signal } = new AbortController();
  const gateway = new Gateway({ url: fake.gatewayUrl });
  const jobmanager = new JobManager({ url: fake.jobmanagerUrl });
  const now = () => "2026-01-01T00:00:00.000Z";
  const writer = { environment: "default", project: null, commit: commit.repeat(40), now };
  const { jobs: outcomes } = await deploy(
    {
      jobs,
      compiledPlans: new Map(),
      flinkVersion: fake.version,
      removedJobs: "keep",
      renames: {},
      parallelJobs: 1,
      settings: {
        environment: "default",
        deployment: (Number.parseInt(commit, 16) + 1).toString(16).repeat(32),
        savepointDirectory: "file:///savepoints",
        verify: { timeoutMs: 60_000, batchTimeoutMs: 60_000, checkpoints: 1, steadyMs: 0 },
      },
      consentOf: () => ({ toReplay: false, toStartEmpty: false }),
      secrets: secretsOf(jobs.map(({ program }) => program)),
    },
    {
      cluster: jobmanagerCluster(jobmanager, { gateway, initSql: [], signal }),
      ledger: await openLedger(openFileStore(ledger, "default"), writer),
      log: () => undefined,
      clock: () => performance.now(),
      storage: listedStorage({
        listCommand: null,
        cwd: process.cwd(),
        environment: process.env,
        signal,
        log: () => undefined,
      }),
      signal,
      deadline: signal,
    },
  );
  const bad = outcomes.find(({ code }) => code !== null);
  if (bad !== undefined) throw new Error(`${bad.job}: ${bad.message}`);
}
