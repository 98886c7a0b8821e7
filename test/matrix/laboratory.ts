import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { hasEnded } from "../../src/deploy/cluster.ts";
import { type Distribution, defaultCacheFolder, provideDistribution } from "../../src/flink/distribution.ts";
import { type EmbeddedCluster, startCluster } from "../../src/flink/embedded.ts";
import { JobManager } from "../../src/flink/jobmanager.ts";
import { startZooKeeper, type ZooKeeper } from "./zookeeper.ts";

export interface LaboratoryOptions {
  readonly flinkVersion: string;
  /** Whether a JobManager that is started again finds its jobs. */
  readonly highAvailability: boolean;
  readonly log: (line: string) => void;
}

const slots = 16;

/** One session cluster of real processes, kept through the whole matrix, and a folder for what its jobs write. */
export class Laboratory implements AsyncDisposable {
  readonly folder: string;
  readonly #distribution: Distribution;
  readonly #options: LaboratoryOptions;
  #cluster: EmbeddedCluster | undefined;
  #zookeeper: ZooKeeper | undefined;
  #starts = 0;
  #names = 0;
  #recovery: Promise<void> = Promise.resolve();

  private constructor(distribution: Distribution, options: LaboratoryOptions) {
    this.#distribution = distribution;
    this.#options = options;
    this.folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-matrix-"));
  }

  static async start(options: LaboratoryOptions): Promise<Laboratory> {
    const { flinkVersion: version, log } = options;
    const cacheFolder = defaultCacheFolder(process.env);
    const distribution = await provideDistribution({ version, flinkHome: null, connectors: [], cacheFolder, log });
    const laboratory = new Laboratory(distribution, options);
    await laboratory.restart();
    return laboratory;
  }

  get cluster(): EmbeddedCluster {
    if (this.#cluster === undefined) throw new Error("no cluster runs");
    return this.#cluster;
  }

  get jobmanager(): JobManager {
    return new JobManager({ url: this.cluster.jobmanagerUrl });
  }

  /** A cluster that has run hundreds of jobs slows down. */
  async restart(): Promise<void> {
    await this.#stop();
    const folder = join(this.folder, `flink-${++this.#starts}`);
    const { highAvailability } = this.#options;
    this.#zookeeper = highAvailability
      ? await startZooKeeper(this.#distribution, join(folder, "zookeeper"))
      : undefined;
    this.#cluster = await startCluster({
      distribution: this.#distribution,
      folder: join(folder, "flink"),
      log: this.#options.log,
      slots,
      config: {
        ...this.#zookeeper?.config,
        // Flink's own cache would cost each point 3 s.
        "web.refresh-interval": "300",
        "state.checkpoints.dir": pathToFileURL(join(this.folder, "checkpoints")).href,
        "jobstore.max-capacity": "100",
        "sql-gateway.session.idle-timeout": "2 min",
        "restart-strategy.type": "fixed-delay",
        "restart-strategy.fixed-delay.attempts": "100",
        "restart-strategy.fixed-delay.delay": "200 ms",
      },
    });
  }

  /** Kills a process, and starts another in its place meanwhile: `recovered` waits for it. */
  async killAndStart(what: "gateway" | "taskmanager" | "jobmanager" | "jobmanager-ha"): Promise<void> {
    const { cluster } = this;
    switch (what) {
      case "gateway":
        await cluster.killGateway();
        this.#recovery = cluster.startGateway();
        break;
      case "taskmanager":
        await cluster.killTaskManager();
        this.#recovery = cluster.startTaskManager();
        break;
      case "jobmanager":
      case "jobmanager-ha":
        await cluster.killJobManager();
        this.#recovery = cluster.startJobManager();
    }
  }

  /** Returns when what was killed is back. */
  async recovered(): Promise<void> {
    await this.#recovery;
  }

  /** A name that no job had before, and a folder of that name. */
  fresh(prefix: string): { readonly name: string; readonly folder: string } {
    const name = `${prefix.replace(/[^a-z0-9]+/g, "-")}-${++this.#names}`;
    const folder = join(this.folder, "points", name);
    mkdirSync(folder, { recursive: true });
    return { name, folder };
  }

  /** The ids and names of what has not ended and whose name begins so. */
  async living(
    prefix: string,
  ): Promise<readonly { readonly id: string; readonly name: string; readonly state: string }[]> {
    const jobs = await this.jobmanager.jobs();
    return jobs.filter(({ name, state }) => name.startsWith(prefix) && !hasEnded(state as "FINISHED"));
  }

  /** Cancels what has not ended and waits until it has. */
  async clear(prefix: string): Promise<void> {
    await waitUntil(async () => {
      const living = await this.living(prefix);
      for (const { id, state } of living) {
        if (state !== "CANCELLING") await this.jobmanager.cancel(id).catch(() => undefined);
      }
      return living.length === 0;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #stop(): Promise<void> {
    await this.#cluster?.stop();
    await this.#zookeeper?.[Symbol.asyncDispose]();
  }
}

const limitMs = 60_000;

/** Looks until it is so; false where it is not within a minute. */
export async function waitUntil(isSo: () => Promise<boolean>): Promise<boolean> {
  const end = Date.now() + limitMs;
  while (Date.now() < end) {
    if (await isSo()) return true;
    await sleep(50);
  }
  return false;
}
