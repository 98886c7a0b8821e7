import { rmSync } from "node:fs";
import { join } from "node:path";
import { checkAtRest, checkNumbers, checkProgress } from "./check.ts";
import type { Ended } from "./child.ts";
import { type CommandRequest, runCommand } from "./command.ts";
import type { PointName } from "./crash-points.ts";
import { Disk } from "./disk.ts";
import { type Disturbance, endedWell, type Limits, limitsOf, runChild, usualLimits } from "./disturbed-run.ts";
import { faults } from "./faults.ts";
import { failedWriteIn, writesIn } from "./faulty-store.ts";
import type { Laboratory } from "./laboratory.ts";
import type { CalmRun, Point } from "./points.ts";
import { pointOfWrite } from "./request-points.ts";
import { type Scenario, scenarios } from "./scenarios.ts";

export interface PointResult {
  readonly point: Point;
  /** What the command was at when it happened; null where the run had ended before. */
  readonly at: PointName | null;
  readonly verdict: "passed" | "failed";
  readonly problems: readonly string[];
  /** What the runs said, for a failure. */
  readonly log: string;
}

/** How often the same command is run again at most. */
const mostRuns = 4;

/** Prepares the scenario, disturbs its command, runs it again until it ends well, and checks what is there then. */
export async function runPoint(point: Point, laboratory: Laboratory): Promise<PointResult> {
  await using trial = await Trial.prepare(point, laboratory);
  return await trial.run();
}

/** A run that nothing disturbs: the points of its requests and its writes, in order. */
export async function calmRun(name: string, laboratory: Laboratory): Promise<CalmRun> {
  const point: Point = { scenario: name, number: Number.POSITIVE_INFINITY, fault: "before" };
  await using trial = await Trial.prepare(point, laboratory);
  return await trial.calm();
}

class Trial implements AsyncDisposable {
  readonly #point: Point;
  readonly #scenario: Scenario;
  readonly #laboratory: Laboratory;
  readonly #name: string;
  readonly #folder: string;
  readonly #disk: Disk | null;
  readonly #log: string[] = [];
  #isKept = false;

  private constructor(point: Point, scenario: Scenario, laboratory: Laboratory) {
    this.#point = point;
    this.#scenario = scenario;
    this.#laboratory = laboratory;
    const { name, folder } = laboratory.fresh(`${point.scenario}-${point.number}-${point.fault}`);
    this.#name = name;
    this.#folder = folder;
    this.#disk = faults[point.fault].group === "disk" ? Disk.mount(join(folder, "ledger")) : null;
  }

  static async prepare(point: Point, laboratory: Laboratory): Promise<Trial> {
    const scenario = scenarios[point.scenario];
    if (scenario === undefined) throw new Error(`there is no scenario ${point.scenario}`);
    const trial = new Trial(point, scenario, laboratory);
    try {
      for (const step of scenario.before) await trial.#undisturbed(step);
      return trial;
    } catch (error) {
      await trial[Symbol.asyncDispose]();
      throw error;
    }
  }

  async calm(): Promise<CalmRun> {
    const requests: PointName[] = [];
    const ended = await this.#runOnce(usualLimits, null, requests);
    if (!endedWell(ended)) throw new Error(`a calm run failed:\n${this.#log.join("")}`);
    return { requests, writes: writesIn(ended.log).map(pointOfWrite) };
  }

  async run(): Promise<PointResult> {
    const point = this.#point;
    const fault = faults[point.fault];
    const requests: PointName[] = [];
    const limits = limitsOf[fault.group];
    if (fault.group === "disk") this.#disk?.leave(point.number - 1);
    const first = await this.#runOnce(limits, point, requests);
    this.#disk?.free();
    const at = fault.counts === "requests" ? (requests[point.number - 1] ?? null) : this.#wroteAt(first.log);
    await this.#laboratory.recovered();
    let last = await this.#again();
    for (let runs = 1; runs < mostRuns && !endedWell(last); runs += 1) last = await this.#again();
    const result = (verdict: PointResult["verdict"], problems: readonly string[]): PointResult => {
      if (verdict === "failed") this.#isKept = true;
      return { point, at, verdict, problems, log: this.#log.join("") };
    };
    if (last.kind === "killed")
      return result("failed", ["the run that nothing disturbed was killed at its time limit"]);
    if (!endedWell(last)) {
      return result("failed", [`${last.reason}: ${last.message}`]);
    }
    const problems = await this.#check();
    return result(problems.length === 0 ? "passed" : "failed", problems);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#laboratory.clear(this.#name);
    this.#disk?.unmount();
    if (!this.#isKept) rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Also where the first run ended well: then there must be nothing left to do. */
  async #again(): Promise<Ended> {
    return await this.#runOnce(usualLimits, null, []);
  }

  #wroteAt(log: string): PointName | null {
    const { group } = faults[this.#point.fault];
    const kind = group === "disk" ? failedWriteIn(log) : (writesIn(log)[this.#point.number - 1] ?? null);
    return kind === null ? null : pointOfWrite(kind);
  }

  get #names(): readonly string[] {
    return Array.from({ length: this.#scenario.jobs }, (_, index) => `${this.#name}-job-${index + 1}`);
  }

  get #place() {
    return { folder: this.#folder, ledgerFolder: join(this.#folder, "ledger") };
  }

  #request(step: Scenario["disturbed"], limits: Limits): CommandRequest {
    const { gatewayUrl, jobmanagerUrl } = this.#laboratory.cluster;
    const jobs = this.#names.map((name) => ({ name, mark: step.mark }));
    const { command, commit, through } = step;
    const services = { gatewayUrl, jobmanagerUrl };
    const always = { keepsProgress: false, lockTimeoutMs: 0 };
    return { command, commit, through, jobs, ...services, ...this.#place, ...limits, ...always };
  }

  /** In this process, which is quicker. */
  async #undisturbed(step: Scenario["disturbed"]): Promise<void> {
    const log: string[] = [];
    const world = { tamper: <T>(store: T): T => store, log: (line: string) => log.push(line) };
    const outcomes = await runCommand(this.#request(step, usualLimits), world);
    const failed = outcomes.filter(({ code, ending }) => code !== null || ending === "skipped");
    if (failed.length > 0) throw new Error(`${this.#name}: ${failed[0]?.message}\n${log.join("\n")}`);
  }

  async #runOnce(limits: Limits, disturbance: Disturbance | null, requests: PointName[]): Promise<Ended> {
    const { ended, log } = await runChild(this.#laboratory, this.#request(this.#scenario.disturbed, limits), {
      disturbance,
      requests,
    });
    this.#log.push(log);
    return ended;
  }

  async #check(): Promise<readonly string[]> {
    const [names, place] = [this.#names, this.#place];
    const { runs, disturbed, replays } = this.#scenario;
    const atRest = await checkAtRest(this.#laboratory, place, { names, runs });
    if (atRest.length > 0) return atRest;
    // What a savepoint is worth shows when the job starts from it.
    if (!runs) await this.#undisturbed({ ...disturbed, command: "resume", commit: "resume" });
    const progress = await checkProgress(place, names, disturbed.mark);
    await this.#laboratory.clear(this.#name);
    return [...progress, ...(await checkNumbers(place, names, replays))];
  }
}
