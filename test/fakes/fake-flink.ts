import { GatewayAnswers, type ReceivedStatement } from "./fake-flink/gateway-answers.ts";
import { JobManagerAnswers } from "./fake-flink/jobmanager-answers.ts";
import { type Cut, FakeServer, type ReceivedRequest } from "./fake-flink/server.ts";
import { SimulatedCluster } from "./fake-flink/simulated-cluster.ts";
import { StatementRunner } from "./fake-flink/statement-runner.ts";

export type { ReceivedStatement } from "./fake-flink/gateway-answers.ts";
export type { Cut, ReceivedRequest } from "./fake-flink/server.ts";
export type { Emitted } from "./fake-flink/simulated-cluster.ts";
export type { Behaviour, SimulatedJob } from "./fake-flink/simulated-job.ts";

/**
 * A session cluster in this process: a SQL Gateway and a JobManager REST on loopback ports, held to real Flink by the
 * contract suite. It knows no time: it moves by **steps**. While `isSteppingByItself` is true (as it is at first), every
 * request that looks at jobs (GET below /jobs, SHOW JOBS, DESCRIBE JOB, the status of a STOP JOB) is a step before it is answered;
 * `step(n)` makes more. Everything is deterministic, so a test that fails does so each time.
 *
 * Jobs: an INSERT (or CTAS) makes one, named by `pipeline.name`, with the id of `$internal.pipeline.job-id`; an id is
 * refused for ever once it was used. A streaming job emits 1, 2, 3 and so on into its sink, `cluster.numbersPerStep` a
 * step; what it emitted is committed by a checkpoint (every `cluster.checkpointSteps`, where the job has
 * `execution.checkpointing.interval`) or by stop-with-savepoint, and dropped by a cancel or failure. A savepoint holds
 * the position; a job restored from it goes on there, one without starts from 1. So `numbers(sink)` proves exactly-once:
 * `[1, 2, 3, ...]` without a gap and without a double. A batch job ends FINISHED by itself.
 *
 * Knobs on `cluster`: `slots`, `savepointFolder` (the cluster's default; null means none), `checkpointFolder` (makes
 * checkpoints addressable), `startupSteps` (until all tasks run), `checkpointSteps`, `savepointSteps` (0: at once),
 * `numbersPerStep`; `refuseNext(message)` (the next submission), `behave(name, behaviour)` and `behaveNext(...)` (see
 * `Behaviour`: never-running, restart-loop, fails, finishes, no-checkpoints, ignores-restore),
 * `failNextSavepoint(message)` (COMPLETED with a failure cause; the job runs on), `failNextStop(message)` (the savepoint
 * is made, then the job fails), `failNextDisposal(message)`, `forgetOutcomes()` (as Flink does after 5 minutes), `loseJobs()` (the JobManager came
 * back empty; savepoints stay), `jobs` to look inside.
 * Knobs on `gateway`: `errorsShowAt`, `stopPatience` (after which STOP JOB times out while the job stops all the same),
 * `expireSessions()`, `answer(pattern, columns, rows)` (a scripted result), `failNext(pattern, message)`.
 * Knobs on `jobmanager`: `cacheSteps` (stale answers as of Flink's own cache) and `refreshIntervalMs` (what it
 * says of it), `takesCheckpoints` (on request).
 * Here: `version`, `cut(service, rule)` (the n-th matching request loses its connection before or after its effect),
 * `setDown(service, isDown)`, and the logs `requests` and `statements`.
 */
export class FakeFlink implements AsyncDisposable {
  readonly cluster: SimulatedCluster;
  readonly gateway: GatewayAnswers;
  readonly jobmanager: JobManagerAnswers;
  readonly gatewayUrl: string;
  readonly jobmanagerUrl: string;
  /** Every request that arrived, in order. */
  readonly requests: readonly ReceivedRequest[];
  isSteppingByItself = true;
  readonly #servers: Readonly<Record<ReceivedRequest["service"], FakeServer>>;

  private constructor(parts: Parts) {
    this.gateway = parts.gateway;
    this.jobmanager = parts.jobmanager;
    this.cluster = parts.cluster;
    this.requests = parts.requests;
    this.gatewayUrl = parts.gatewayUrl;
    this.jobmanagerUrl = parts.jobmanagerUrl;
    this.#servers = parts.servers;
    parts.stepper.observe = () => {
      if (this.isSteppingByItself) this.cluster.step();
    };
  }

  static async start(options: { readonly version?: string } = {}): Promise<FakeFlink> {
    const cluster = new SimulatedCluster();
    const stepper = { observe: (): void => undefined };
    const gateway = new GatewayAnswers(new StatementRunner(cluster, () => stepper.observe()));
    const jobmanager = new JobManagerAnswers(cluster, () => stepper.observe());
    const requests: ReceivedRequest[] = [];
    const servers = {
      gateway: new FakeServer("gateway", requests, (...call) => gateway.reply(...call)),
      jobmanager: new FakeServer("jobmanager", requests, (...call) => jobmanager.reply(...call)),
    };
    const gatewayUrl = await servers.gateway.listen();
    const jobmanagerUrl = await servers.jobmanager.listen();
    const fake = new FakeFlink({ cluster, stepper, gateway, jobmanager, requests, servers, gatewayUrl, jobmanagerUrl });
    fake.version = options.version ?? "1.20.3";
    return fake;
  }

  get version(): string {
    return this.gateway.version;
  }

  set version(version: string) {
    this.cluster.version = version;
    this.gateway.version = version;
    this.jobmanager.version = version;
  }

  /** Every statement that the gateway got, in order. */
  get statements(): readonly ReceivedStatement[] {
    return this.gateway.statements;
  }

  step(count = 1): void {
    this.cluster.step(count);
  }

  /** What is committed in a sink, in the order of commit; the table's bare name. */
  numbers(sink: string): readonly number[] {
    return (this.cluster.sinks.get(sink) ?? []).map(({ number }) => number);
  }

  /** The jobs of a name that have not ended. */
  living(name: string): readonly string[] {
    const jobs = [...this.cluster.jobs.values()].filter((job) => job.settings.name === name && !job.hasEnded);
    return jobs.map((job) => job.settings.id);
  }

  cut(service: ReceivedRequest["service"], cut: Cut): void {
    this.#servers[service].cut(cut);
  }

  /** While down, every connection to the service is cut. */
  setDown(service: ReceivedRequest["service"], isDown: boolean): void {
    this.#servers[service].isDown = isDown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Object.values(this.#servers).map((server) => server.close()));
  }
}

interface Parts {
  readonly cluster: SimulatedCluster;
  readonly stepper: { observe: () => void };
  readonly gateway: GatewayAnswers;
  readonly jobmanager: JobManagerAnswers;
  readonly requests: readonly ReceivedRequest[];
  readonly servers: Readonly<Record<ReceivedRequest["service"], FakeServer>>;
  readonly gatewayUrl: string;
  readonly jobmanagerUrl: string;
}
