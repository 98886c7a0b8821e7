import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { DeployError, describeError } from "../errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { loadJob, unsealProgram } from "../ledger/stored-job.ts";
import type { Change, Plan } from "../plan/plan.ts";
import { type BaseDifference, differencesFromBase } from "../plan/plan-base.ts";
import { decodePlan } from "../plan/plan-file.ts";
import { isRunnable } from "../plan/runnable.ts";
import type { Job } from "../project/job.ts";
import type { Intent, Planned } from "./carry-out.ts";
import type { DeployedJobs } from "./deployed-jobs.ts";
import { onGithub } from "./on-github.ts";
import type { Site } from "./site.ts";

/** A plan of 500 jobs with all their execution plans has about 10 MB. */
export const largestPlanFile = 64 * 1024 * 1024;

/** Reads a plan file that is to be carried out; throws `inputs-invalid`, or `worktree-dirty` where no commit holds it. */
export async function readPlanFile(file: string, cwd: string): Promise<Plan> {
  const plan = decodePlan(await textOf(file, cwd));
  const invalid = (why: string): DeployError => new DeployError("inputs-invalid", `plan-file: ${file} ${why}`);
  const names = plan.changes.map(({ job }) => job);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`names the job ${twice} twice`);
  for (const { job, before, after } of plan.changes) {
    if ((after ?? before)?.name !== job) throw invalid(`has a change of ${job} that is of another job`);
  }
  if (!/^[0-9a-f]{40}$/.test(plan.head)) {
    throw new DeployError("worktree-dirty", `plan-file: ${file} is of ${plan.head}; commit, and make the plan again`);
  }
  return plan;
}

/** Never more than its limit is read, whatever kind of file it is. */
async function textOf(file: string, cwd: string): Promise<string> {
  try {
    await using handle = await open(resolve(cwd, file));
    const { size } = await handle.stat();
    if (size > largestPlanFile) throw new Error(`it has ${size} bytes, and at most ${largestPlanFile} are read`);
    const chunks: Uint8Array[] = [];
    let read = 0;
    for await (const chunk of handle.createReadStream({ end: largestPlanFile })) {
      read += (chunk as Uint8Array).byteLength;
      if (read > largestPlanFile) throw new Error(`it has more than ${largestPlanFile} bytes`);
      chunks.push(chunk as Uint8Array);
    }
    return Buffer.concat(chunks).toString("utf8");
  } catch (cause) {
    throw new DeployError("inputs-invalid", `plan-file: ${file} cannot be read: ${describeError(cause)}`, { cause });
  }
}

/** The plan as it is, while its base is what the ledger says; throws `plan-changed` with every difference. */
export function intentOf(plan: Plan, { flinkVersion, inputs, shell }: Site): Intent {
  const olds = plan.changes.flatMap(({ renamedFrom }) => renamedFrom ?? []);
  return {
    project: plan.project,
    commit: plan.head,
    reviewedCommit: onGithub(inputs, shell)?.commit ?? plan.head,
    names: [...plan.changes.map(({ job }) => job), ...olds],
    async planOn(ledger, deployed) {
      const { environment } = inputs;
      const foreign = foreignJobs(ledger, plan.project);
      const differences = differencesFromBase(plan, { environment, flinkVersion, jobs: deployed.jobs, foreign });
      if (differences.length > 0) throw new DeployError("plan-changed", describe(differences));
      const { jobs, leftAlone } = await jobsOf(plan, ledger, deployed);
      return {
        plan,
        jobs,
        leftAlone,
        removedJobs: plan.changes.some(({ kind }) => kind === "remove") ? "stop" : "keep",
        renames: Object.fromEntries(
          plan.changes.flatMap(({ renamedFrom, job }) => (renamedFrom === null ? [] : [[renamedFrom, job] as const])),
        ),
      };
    },
  };
}

function foreignJobs(ledger: Ledger, project: string): ReadonlyMap<string, string> {
  const deployed = [...ledger.deployed().values()];
  return new Map(
    deployed.flatMap(({ name, project: owner, settled, attempt }) => {
      const isKnown = attempt !== null || (settled !== null && settled.kind !== "removed");
      return owner === null || owner === project || !isKnown ? [] : [[name, owner] as const];
    }),
  );
}

function describe(differences: readonly BaseDifference[]): string {
  const lines = differences.map(
    ({ job, planned, found }) => `${job ?? "all jobs"}: planned on ${planned}, but it is ${found}`,
  );
  return ["the plan file was made on something else than what is deployed now:", ...lines].join("\n");
}

/**
 * What is to run: the file's programs, and the ledger's where the file has none or a masked one of a job that stays as it
 * is. Throws `inputs-invalid` where a program that is to be started has its secrets masked.
 */
async function jobsOf(
  plan: Plan,
  ledger: Ledger,
  deployed: DeployedJobs,
): Promise<Pick<Planned, "jobs" | "leftAlone">> {
  const jobs: Job[] = [];
  const leftAlone = new Map<string, string>();
  const masked: string[] = [];
  const fromLedger = async (name: string, after: Job | null): Promise<void> => {
    const reference = ledger.job(name).settled?.reference ?? null;
    const stored = reference === null ? null : (await loadJob(ledger, reference)).job;
    const program = stored === null ? null : unsealProgram(stored.program, new Map());
    if (stored !== null && program !== null) jobs.push({ ...(after ?? { ...stored, name }), program });
    else
      leftAlone.set(name, "left as it is: its program holds secrets, which neither the plan file nor the ledger keeps");
  };
  for (const change of plan.changes) {
    const { job: name, before, after } = change;
    if (after === null) continue;
    // What is replaced has to be there to be put back.
    const isWhole = isRunnable(after) && (change.kind !== "upgrade" || before === null || isRunnable(before));
    if (isWhole) jobs.push(after);
    else if (isSame(change) && deployed.jobs.some((one) => one.name === name)) await fromLedger(name, after);
    else masked.push(name);
  }
  for (const name of plan.unrecorded) await fromLedger(name, null);
  if (masked.length === 0) return { jobs, leftAlone };
  throw new DeployError(
    "inputs-invalid",
    `plan-file: the programs of ${masked.join(", ")} hold secrets, which a plan file does not; deploy them without it: \`require-reviewed-plan\` compares with what was reviewed`,
  );
}

function isSame({ kind, before, after, renamedFrom }: Change): boolean {
  return kind === "none" && renamedFrom === null && before?.digest === after?.digest;
}
