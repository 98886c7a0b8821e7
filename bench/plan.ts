import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultCacheFolder } from "../src/flink/distribution.ts";
import { provideDbt } from "../src/project/python.ts";
import { compileSide } from "../src/project/record.ts";
import { openSide } from "../src/project/side.ts";
import { generateProject } from "./generate-project.ts";
import { markdownTable, median, spread, watchMemory } from "./measure.ts";

/**
 * `plan` as a ratio to one cold `dbt compile` of the same project, in turn, over generated projects.
 * Usage: node bench/plan.ts [runs] [jobs,jobs,...]
 */
const runs = Number(process.argv[2] ?? 3);
const sizes = (process.argv[3] ?? "10,100,500").split(",").map(Number);
const root = join(import.meta.dirname, "..");
const door = join(root, "dist", "cli.js");
const dbt = await provideDbt({
  dbtCommand: null,
  requirements: ["dbt-core==1.3.8", "dbt-flink-adapter==1.3.11"],
  cacheFolder: defaultCacheFolder(process.env),
  environment: process.env,
  log: console.error,
});

async function coldCompile(project: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "bench-compile-"));
  const side = await openSide({
    name: "bench",
    dbt,
    projectFolder: project,
    profilesFolder: project,
    target: null,
    vars: null,
    workFolder: folder,
    environment: process.env,
    environmentAllow: [],
    answer: async () => ({ columns: [], rows: [] }),
  });
  await using closing = side;
  const start = performance.now();
  await compileSide(closing);
  return (performance.now() - start) / 1000;
}

async function plan(project: string): Promise<{ readonly seconds: number; readonly megabytes: number }> {
  const start = performance.now();
  const args = [door, "plan", "--base", "HEAD~1", "--head", "HEAD", "--profiles-dir", project];
  const child = spawn(process.execPath, args, { cwd: project, stdio: ["ignore", "ignore", "inherit"] });
  const memory = watchMemory(child.pid ?? 0);
  const [code] = (await once(child, "exit")) as [number];
  if (code !== 0) throw new Error(`plan ended with ${code}`);
  return { seconds: (performance.now() - start) / 1000, megabytes: memory.stop() };
}

const rows: string[][] = [];
for (const jobs of sizes) {
  for (const changed of [1, 20]) {
    const project = mkdtempSync(join(tmpdir(), "bench-project-"));
    generateProject(project, jobs, changed);
    const plans: number[] = [];
    const compiles: number[] = [];
    const ratios: number[] = [];
    const memory: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const compiled = await coldCompile(project);
      const planned = await plan(project);
      compiles.push(compiled);
      plans.push(planned.seconds);
      ratios.push(planned.seconds / compiled);
      memory.push(planned.megabytes);
    }
    rows.push([
      String(jobs),
      String(Math.min(changed, jobs)),
      spread(compiles, 1),
      spread(plans, 1),
      `**${spread(ratios)}**`,
      `${median(memory).toFixed(0)} MB`,
    ]);
    rmSync(project, { recursive: true });
  }
}
console.log(markdownTable(["Jobs", "Changed", "dbt compile, s", "plan, s", "Ratio", "Peak memory"], rows));
