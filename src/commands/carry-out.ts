import { deploy, type Outcome } from "../deploy/deployment.ts";
import { disposeOld } from "../deploy/dispose.ts";
import { deploymentId } from "../deploy/ids.ts";
import { withSuspensionWarnings } from "../deploy/suspension-age.ts";
import type { PullRequest } from "../github/pull-request.ts";
import { type Ledger, openLedger } from "../ledger/ledger.ts";
import { secretsOf } from "../ledger/stored-job.ts";
import type { Plan } from "../plan/plan.ts";
import type { Job } from "../project/job.ts";
import { verifyLimits } from "./cluster.ts";
import { consentOf } from "./consent.ts";
import { type DeployedJobs, deployedJobs } from "./deployed-jobs.ts";
import { openRecord } from "./deployment-record.ts";
import { refuseLostLedger } from "./first-deployment.ts";
import { type OnGithub, onGithub } from "./on-github.ts";
import { postOutcome } from "./post-outcome.ts";
import { report } from "./report.ts";
import { holdAgainstReview } from "./review.ts";
import { runContext } from "./run-context.ts";
import type { CommandResult } from "./shell.ts";
import type { Site } from "./site.ts";
import { emptyLedger, lockEnvironment } from "./stores.ts";

/** What is to be deployed, before it is known what is deployed already. */
export interface Intent {
  readonly project: string;
  /** 40 hex. */
  readonly commit: string;
  /** Of the jobs that the cluster should know, now or before a rename. */
  readonly names: readonly string[];
  /** By which the pull request is found: that of the workflow, where the plan file's own is none of the branch. */
  readonly reviewedCommit: string;
  /** Throws where that must not be begun. */
  readonly planOn: (ledger: Ledger, deployed: DeployedJobs) => Promise<Planned>;
}

/** A plan and what it takes to carry it out. */
export interface Planned {
  readonly plan: Plan;
  readonly jobs: readonly Job[];
  /** Deployed jobs that are not looked at: by name a note why. */
  readonly leftAlone: ReadonlyMap<string, string>;
  readonly removedJobs: "stop" | "keep";
  /** Old name → new name. */
  readonly renames: Readonly<Record<string, string>>;
}

/** Takes the environment's lock, lets the intent be planned on what the ledger says, carries the plan out, and tells it. */
export async function carryOut(site: Site, intent: Intent): Promise<CommandResult> {
  const { inputs, shell } = site;
  const github = onGithub(inputs, shell);
  const { outcome, plan, pullRequest } = await underLock(site, intent, github);
  const result = await report(outcome, shell, { plan });
  await postOutcome({ outcome, plan, pullRequest, mode: inputs.comment }, github, shell);
  return result;
}

interface CarriedOut {
  readonly outcome: Outcome;
  readonly plan: Plan;
  /** That brought the commit; null where none is known. */
  readonly pullRequest: PullRequest | null;
}

async function underLock(
  { inputs, shell, cluster, flinkVersion, store }: Site,
  intent: Intent,
  github: OnGithub | null,
): Promise<CarriedOut> {
  const { project, commit, names } = intent;
  await using lock = await lockEnvironment(store, inputs, shell);
  const ledger = await openLedger(store, {
    environment: inputs.environment,
    project,
    commit,
    now: () => shell.now().toISOString(),
    confirmLock: lock.confirm,
  });
  if (ledger.entries().length === 0) shell.log(emptyLedger(store));
  refuseLostLedger({
    keeps: store.keeps,
    isLedgerEmpty: ledger.entries().length === 0,
    isFirst: inputs.firstDeployment,
    names,
    onCluster: await cluster.jobs(),
  });
  const deployed = await deployedJobs(ledger, ledger.deployed(), { project, flinkVersion });
  const { plan, jobs, leftAlone, removedJobs, renames } = await intent.planOn(ledger, deployed);
  const { requireReviewedPlan: mode, comment } = inputs;
  const { pullRequest } = await holdAgainstReview(
    { plan, commit: intent.reviewedCommit, pullRequest: inputs.pullRequest, mode, comment },
    mode === "false" && comment === "off" ? null : github,
    shell,
  );
  const deployment = deploymentId(inputs.environment, commit, plan.digest);
  const { environment } = inputs;
  await using record = await openRecord(
    { environment, project, commit, deployment },
    inputs.deploymentRecord === "auto" && shell.environment.GITHUB_RUN_ID ? github : null,
    shell,
  );
  const context = runContext({ cluster, lock, ledger }, inputs, shell);
  const ended = await deploy(
    {
      jobs,
      compiledPlans: new Map(
        plan.changes.map(({ job, explainedAfter }) => [job, explainedAfter?.compiledPlan ?? null]),
      ),
      flinkVersion,
      removedJobs,
      renames,
      leftAlone,
      parallelJobs: inputs.parallelJobs,
      settings: {
        environment,
        deployment,
        savepointDirectory: inputs.savepointDir,
        verify: verifyLimits(inputs),
      },
      consentOf: consentOf(inputs),
      secrets: secretsOf(jobs.map((job) => job.program)),
    },
    context,
  );
  const now = shell.now().getTime();
  const { keepSavepoints: policy, parallelJobs, warnSuspendedMs: limitMs } = inputs;
  const tidied = policy === null ? ended : await disposeOld(ended, { policy, jobs, parallelJobs, now }, context);
  const facts = { entries: ledger.entries(), deployed: ledger.deployed() };
  const outcome = withSuspensionWarnings(tidied, facts, { now, limitMs });
  await record.end(...endOf(outcome));
  return { outcome, plan, pullRequest };
}

/** How a deployment went, for its record. */
function endOf({ jobs }: Outcome): readonly ["success" | "failure", string] {
  const failed = jobs.filter(({ code }) => code !== null).length;
  if (failed > 0) return ["failure", `${failed} of ${jobs.length} jobs failed`];
  const changed = jobs.filter(({ ending }) => ending !== "unchanged").length;
  return ["success", changed === 0 ? "nothing to do" : `${changed} of ${jobs.length} jobs changed`];
}
