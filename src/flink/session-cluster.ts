import { rm } from "node:fs/promises";
import { join } from "node:path";
import { jobManagerProgram, taskManagerProgram } from "./cluster-process.ts";
import {
  type FlinkProcess,
  type FlinkProgram,
  graceMilliseconds,
  type Host,
  startFlink,
  untilReady,
} from "./flink-process.ts";
import { gatewayProgram } from "./gateway-process.ts";
import { clusterIsReady, gatewayIsReady } from "./probe.ts";

export interface SessionClusterRequest {
  readonly host: Host;
  /** What the processes say of themselves, so that no stranger is taken for them. */
  readonly instance: string;
  /** Of each TaskManager. */
  readonly slots: number;
  readonly gatewayUrl: string;
  readonly jobmanagerUrl: string;
  readonly signal: AbortSignal | undefined;
}

/** The processes of a session cluster and its gateway; each may be killed and started again on the same ports. */
export class SessionCluster implements AsyncDisposable {
  readonly gatewayUrl: string;
  readonly jobmanagerUrl: string;
  readonly folder: string;
  readonly #request: SessionClusterRequest;
  readonly #taskManagers = new Map<string, FlinkProcess>();
  #jobManager: FlinkProcess | undefined;
  #gateway: FlinkProcess | undefined;
  #taskManagersStarted = 0;
  #stopped: Promise<void> | undefined;

  constructor(request: SessionClusterRequest) {
    this.#request = request;
    this.gatewayUrl = request.gatewayUrl;
    this.jobmanagerUrl = request.jobmanagerUrl;
    this.folder = request.host.folder;
  }

  /** The processes as they were last started; a killed TaskManager is not among them. */
  get pids(): { readonly jobmanager: number; readonly taskmanagers: readonly number[]; readonly gateway: number } {
    return {
      jobmanager: this.#jobManager?.process.pid ?? 0,
      taskmanagers: [...this.#taskManagers.values()].map(({ process }) => process.pid),
      gateway: this.#gateway?.process.pid ?? 0,
    };
  }

  /** Starts everything at once. Where one part does not start, the others are killed and its error is thrown. */
  async start(taskManagers: number): Promise<void> {
    const starts = [this.#launchJobManager(), this.startGateway()];
    for (let index = 0; index < taskManagers; index++) starts.push(this.startTaskManager());
    try {
      await Promise.all(starts);
    } catch (error) {
      await this.#end(0);
      throw error;
    }
  }

  /**
   * The TaskManagers are started anew with it: those of the old JobManager would look for another one only after
   * `heartbeat.timeout`, 50 s, and could keep no job anyway without high availability.
   */
  async startJobManager(): Promise<void> {
    const orphans = [...this.#taskManagers.values()];
    this.#taskManagers.clear();
    await Promise.all(orphans.map(({ process }) => process.stop(0)));
    await Promise.all([this.#launchJobManager(), ...orphans.map(() => this.startTaskManager())]);
  }

  #launchJobManager(): Promise<void> {
    return this.#launch(
      jobManagerProgram(this.folder),
      () => this.#isComplete(),
      (started) => {
        this.#jobManager = started;
      },
    );
  }

  /** Returns when the JobManager shows its slots. */
  async startTaskManager(): Promise<void> {
    const id = `taskmanager-${++this.#taskManagersStarted}`;
    await this.#launch(
      taskManagerProgram(this.folder, id),
      () => this.#isComplete(),
      (started) => {
        this.#taskManagers.set(id, started);
      },
    );
  }

  async startGateway(): Promise<void> {
    const isReady = () => gatewayIsReady(this.gatewayUrl, this.#request.instance);
    await this.#launch(gatewayProgram, isReady, (started) => {
      this.#gateway = started;
    });
  }

  async killJobManager(): Promise<void> {
    await this.#jobManager?.process.stop(0);
  }

  /** Kills the one that was started last. */
  async killTaskManager(): Promise<void> {
    const [id, taskManager] = [...this.#taskManagers].at(-1) ?? [];
    if (id === undefined || taskManager === undefined) throw new Error("no TaskManager runs that could be killed");
    this.#taskManagers.delete(id);
    await taskManager.process.stop(0);
  }

  async killGateway(): Promise<void> {
    await this.#gateway?.process.stop(0);
  }

  stop(): Promise<void> {
    return this.#end(graceMilliseconds);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #end(grace: number): Promise<void> {
    const running = [this.#gateway, ...this.#taskManagers.values(), this.#jobManager];
    this.#stopped ??= Promise.all(running.map((flink) => flink?.process.stop(grace))).then(() =>
      rm(join(this.folder, "tmp"), { recursive: true, force: true }),
    );
    return this.#stopped;
  }

  async #launch(
    program: FlinkProgram,
    isReady: () => Promise<boolean>,
    keep: (started: FlinkProcess) => void,
  ): Promise<void> {
    const started = await startFlink(this.#request.host, program);
    keep(started);
    // The stop saw only what had been kept by then.
    if (this.#stopped !== undefined) await started.process.stop(0);
    await untilReady(started, isReady, this.#request.signal);
  }

  #isComplete(): Promise<boolean> {
    const { jobmanagerUrl, instance, slots } = this.#request;
    return clusterIsReady(jobmanagerUrl, instance, [...this.#taskManagers.keys()], slots);
  }
}
