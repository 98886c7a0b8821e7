import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { defaultCacheFolder, provideDistribution } from "../src/flink/distribution.ts";
import { type EmbeddedCluster, startCluster } from "../src/flink/embedded.ts";
import { inSeconds, Screen } from "./demo/screen.ts";
import { messageOf, placesIn, Stage } from "./demo/stage.ts";
import { tellStory } from "./demo/story.ts";

/**
 * The whole way once, on a Flink of our own: `npm run demo`, or `npm run demo -- --flink-version 2.3.0`. Ends with 0
 * when exactly-once was proven, 130 when interrupted, else with 1; then its folder is kept to look at.
 */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { "flink-version": { type: "string", default: "1.20.3" } } });
  const version = values["flink-version"];
  const folder = await mkdtemp(join(await realpath(tmpdir()), "flink-dbt-deploy-demo-"));
  const screen = new Screen(process.stdout, folder);
  const stage = new Stage(placesIn(folder), screen, interruption());
  screen.opening("A shop's streaming jobs, from their first deployment to the proof that no order is lost or doubled.");
  const start = performance.now();
  const outcome = await play(stage, version, resolve("plan.md"));
  const took = inSeconds((performance.now() - start) / 1000);
  screen.table(stage.finished);
  switch (outcome.kind) {
    case "proven":
      screen.verdict(true, `Exactly once, shown in ${took}:`, outcome.proofs);
      break;
    case "interrupted":
      screen.verdict(false, "Interrupted.", []);
      break;
    case "failed":
      screen.verdict(false, `Failed after ${took}; everything is kept in ${folder}`, outcome.message.split("\n"));
      break;
  }
  if (outcome.kind !== "failed") await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  return { proven: 0, interrupted: 130, failed: 1 }[outcome.kind];
}

type DemoOutcome =
  | { readonly kind: "proven"; readonly proofs: readonly string[] }
  | { readonly kind: "interrupted" }
  | { readonly kind: "failed"; readonly message: string };

/** Plays the steps; Flink is stopped when it returns, however it went. */
async function play(stage: Stage, version: string, planMarkdown: string): Promise<DemoOutcome> {
  let cluster: EmbeddedCluster | undefined;
  try {
    await stage.step(`Start Flink ${version}`, async () => {
      cluster = await startFlink(stage, version);
      return "JobManager, TaskManager and SQL Gateway run";
    });
    if (cluster === undefined) throw new Error("Flink was not started");
    const proofs = await tellStory({ stage, cluster, flinkVersion: version, planMarkdown });
    return { kind: "proven", proofs };
  } catch (error) {
    if (stage.signal.aborted) return { kind: "interrupted" };
    return { kind: "failed", message: messageOf(error) };
  } finally {
    await cluster?.stop();
  }
}

async function startFlink({ places, screen, signal }: Stage, version: string): Promise<EmbeddedCluster> {
  const log = (line: string): void => screen.progress(line);
  // Half a second instead of three until Flink's REST tells of a new checkpoint.
  const config = { "web.refresh-interval": "500" };
  const cacheFolder = defaultCacheFolder(process.env);
  const distribution = await provideDistribution({
    version,
    flinkHome: null,
    connectors: [],
    cacheFolder,
    log,
    signal,
  });
  return await startCluster({ distribution, folder: places.flink, slots: 6, config, log, signal });
}

/** The first signal ends the demo in order, a second one at once; Flink ends with this process either way. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130);
      controller.abort(new Error(`${name} received`));
    });
  }
  return controller.signal;
}

process.exitCode = await main();
