import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { defaultCacheFolder, provideDistribution } from "../../src/flink/distribution.ts";
import { startCluster } from "../../src/flink/embedded.ts";
import { FakeFlink } from "../fakes/fake-flink.ts";

/** A Flink that the contract is held against: the fake, or a real session cluster of four slots. */
export interface Subject extends AsyncDisposable {
  readonly version: string;
  readonly gatewayUrl: string;
  readonly jobmanagerUrl: string;
  /** A folder that every process can write to. */
  readonly folder: string;
  /** Lets time pass between two looks; the fake's passes by looking. */
  readonly pause: () => Promise<void>;
  /** The fake reads no arithmetic: it is told that a job of this name divides by zero. */
  readonly expectDivisionByZero: (jobName: string) => void;
}

export const subjects: readonly { readonly name: string; readonly start: () => Promise<Subject> }[] = [
  { name: "the fake of 1.20.3", start: () => startFake("1.20.3") },
  { name: "the fake of 2.3.0", start: () => startFake("2.3.0") },
  { name: "Flink 1.20.3", start: () => startReal("1.20.3") },
  { name: "Flink 2.3.0", start: () => startReal("2.3.0") },
];

export const slots = 4;

async function startFake(version: string): Promise<Subject> {
  const fake = await FakeFlink.start({ version });
  fake.cluster.slots = slots;
  return {
    version,
    gatewayUrl: fake.gatewayUrl,
    jobmanagerUrl: fake.jobmanagerUrl,
    folder: "/simulated",
    pause: async () => {},
    expectDivisionByZero: (jobName) =>
      fake.cluster.behave(jobName, { kind: "fails", message: "/ by zero", afterSteps: 1 }),
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
}

async function startReal(version: string): Promise<Subject> {
  const log = (line: string): void => console.log(line);
  const cacheFolder = defaultCacheFolder(process.env);
  const distribution = await provideDistribution({ version, flinkHome: null, connectors: [], cacheFolder, log });
  const folder = await mkdtemp(join(tmpdir(), "flink-contract-"));
  // Flink answers from a cache of this age, 3 s unless set.
  const config = { "web.refresh-interval": "50" };
  const cluster = await startCluster({ distribution, folder, config, log, slots });
  return {
    version,
    gatewayUrl: cluster.gatewayUrl,
    jobmanagerUrl: cluster.jobmanagerUrl,
    folder,
    pause: () => wait(100),
    expectDivisionByZero: () => {},
    [Symbol.asyncDispose]: async () => {
      await cluster.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
