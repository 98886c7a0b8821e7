import { setTimeout } from "node:timers/promises";
import { vi } from "vitest";
import type { Store } from "../../../../src/ledger/store.ts";
import { type ArtifactStoreOptions, openArtifactStore } from "../../../../src/ledger/stores/artifact.ts";
import { openCacheStore } from "../../../../src/ledger/stores/cache.ts";
import { ArtifactApi } from "../../../../src/ledger/stores/github/api.ts";
import { CacheService } from "../../../../src/ledger/stores/github/cache-service.ts";
import { artifactClient, cacheClient } from "../../../../src/ledger/stores/github/toolkit-clients.ts";
import { FakeGithub, type WorkflowRun } from "../../../fakes/fake-github.ts";

/** The toolkit prints what it does, for the runner of the workflow; here nobody reads it. */
export function silenceToolkit(): void {
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
}

/** What a store waited for and said. A second is 5 ms: others that the store waits for take their time. */
export class Quiet {
  readonly pauses: number[] = [];
  readonly lines: string[] = [];
  readonly sleep = async (ms: number): Promise<void> => {
    this.pauses.push(ms);
    await setTimeout(ms / 200);
  };
  readonly log = (line: string): void => void this.lines.push(line);
}

export interface OnGithub {
  readonly fake: FakeGithub;
  readonly run: WorkflowRun;
  readonly quiet?: Quiet;
}

export interface ArtifactSettings extends OnGithub {
  readonly token?: string;
  readonly options?: Partial<ArtifactStoreOptions>;
}

/** The store as a step of that run opens it, with the toolkit's own client. */
export function artifactStore({ fake, run, quiet = new Quiet(), token, options }: ArtifactSettings): Store {
  const { sleep, log } = quiet;
  const now = (): Date => fake.clock.now;
  let uploads = 0;
  return openArtifactStore({
    environment: "test",
    api: new ArtifactApi({
      url: fake.apiUrl,
      repository: FakeGithub.repository,
      token: token ?? "token-of-the-job",
      sleep,
      now,
      log,
    }),
    client: artifactClient(fake.environmentOf(run)),
    repositoryId: FakeGithub.repositoryId,
    ref: run.ref,
    retentionDays: 90,
    isFirstDeployment: false,
    now,
    clock: () => performance.now(),
    sleep,
    signal: new AbortController().signal,
    log,
    nonce: () => `${process.pid}-${storeCount++}-${uploads++}`,
    ...options,
  });
}
let storeCount = 0;

export function cacheStore({ fake, run, quiet = new Quiet() }: OnGithub): Store {
  const { sleep, log } = quiet;
  const environment = { ...fake.environmentOf(run), ...Object.fromEntries(keptVariables()) };
  return openCacheStore({
    environment: "test",
    service: new CacheService({ url: fake.resultsUrl, token: run.token, sleep, now: () => fake.clock.now, log }),
    client: cacheClient(environment),
    ref: run.ref,
    sleep,
  });
}

function keptVariables(): readonly (readonly [string, string])[] {
  const { RUNNER_TEMP = "" } = process.env;
  return [["RUNNER_TEMP", RUNNER_TEMP]];
}
