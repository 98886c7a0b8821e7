import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describeFailure } from "../../src/commands/run.ts";
import { DeployError } from "../../src/errors.ts";
import type { EmbeddedCluster } from "../../src/flink/embedded.ts";
import { type CommandEnd, runCommand } from "./command.ts";
import type { FinishedStep, Screen } from "./screen.ts";

/** The places of one demo, all below one temporary folder. */
export interface Places {
  readonly folder: string;
  readonly shop: string;
  readonly flink: string;
  readonly output: string;
  readonly savepoints: string;
  readonly ledger: string;
}

export function placesIn(folder: string): Places {
  const [shop, flink, output] = [join(folder, "shop"), join(folder, "flink"), join(folder, "output")];
  return { folder, shop, flink, output, savepoints: join(folder, "savepoints"), ledger: join(folder, "ledger") };
}

/** What the steps of the demo share. */
export class Stage {
  readonly places: Places;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  readonly finished: FinishedStep[] = [];

  constructor(places: Places, screen: Screen, signal: AbortSignal) {
    this.places = places;
    this.screen = screen;
    this.signal = signal;
  }

  /** Runs one step of the story; what it throws ends the story, once it has been shown. */
  async step(title: string, run: () => Promise<string>): Promise<void> {
    this.signal.throwIfAborted();
    this.screen.headline(title);
    const start = performance.now();
    const finish = (ok: boolean, result: string): void => {
      const step = { title, result, ok, seconds: (performance.now() - start) / 1000 };
      this.finished.push(step);
      this.screen.done(step);
    };
    try {
      finish(true, await run());
    } catch (error) {
      finish(false, this.signal.aborted ? "interrupted" : messageOf(error));
      throw error;
    }
  }

  /** `flink-dbt-deploy` on the shop, with what it needs for this cluster. `words` are all that a reader has to see. */
  async command(words: readonly string[], more: readonly string[]): Promise<CommandEnd> {
    this.screen.command(words);
    return await runCommand({
      args: [...words, ...more],
      folder: this.places.shop,
      signal: this.signal,
      onLine: (line) => this.screen.progress(line),
    });
  }

  /** As `command`; throws when it does not end well. */
  async done(words: readonly string[], more: readonly string[]): Promise<void> {
    const { code, lines, printed } = await this.command(words, more);
    if (code === 0) return;
    for (const line of printed.split("\n").filter((text) => text !== "")) this.screen.line(line);
    throw new Error(`flink-dbt-deploy ${words[0]} ended with exit code ${code}: ${lines.at(-1) ?? "it said nothing"}`);
  }
}

export function projectArguments(places: Places): readonly string[] {
  const vars = JSON.stringify({ output_dir: pathToFileURL(places.output).href });
  return ["--profiles-dir", ".", "--vars", vars];
}

export function clusterArguments(places: Places, cluster: EmbeddedCluster): readonly string[] {
  const urls = ["--gateway-url", cluster.gatewayUrl, "--jobmanager-url", cluster.jobmanagerUrl];
  return [...urls, "--savepoint-dir", pathToFileURL(places.savepoints).href, "--ledger-dir", places.ledger];
}

/** What a person is told: an error of the product says what to do too. */
export function messageOf(error: unknown): string {
  if (error instanceof DeployError) return describeFailure(error.code, error.message);
  return error instanceof Error ? error.message : String(error);
}
