import { deploymentId } from "../deploy/ids.ts";
import { DeployError, describeError } from "../errors.ts";
import type { StatusInputs } from "../inputs/inputs.ts";
import type { Deployed } from "../ledger/fold.ts";
import { type JobFacts, openLedger } from "../ledger/ledger.ts";
import type { Store } from "../ledger/store.ts";
import type { Shell } from "./shell.ts";
import { lockEnvironment } from "./stores.ts";

/** The newest checkpoint of a job that runs. */
export interface SeenCheckpoint {
  readonly job: string;
  readonly jobId: string;
  readonly path: string;
}

/** For as long as one write takes; whoever deploys waits for it. */
const lock = { command: "status", lockLeaseMs: 60_000, lockTimeoutMs: 0 } as const;

/**
 * Notes in the ledger where running jobs have their newest checkpoints, should the cluster forget them: in one write, and
 * only where that says something new. What keeps it from being written is a line in the log, and no error.
 */
export async function noteCheckpoints(
  seen: readonly SeenCheckpoint[],
  { store, deployed, inputs, shell }: Noting,
): Promise<void> {
  if (newsIn(seen, deployed).length === 0) return;
  const { environment } = inputs;
  try {
    await using held = await lockEnvironment(store, lock, shell);
    const now = (): string => shell.now().toISOString();
    const ledger = await openLedger(store, {
      environment,
      project: null,
      commit: null,
      now,
      confirmLock: held.confirm,
    });
    ledger.begin(deploymentId(environment, lock.command, ledger.entries().at(-1)?.id ?? ""));
    // Whoever held the lock before may have changed what runs.
    const news = newsIn(seen, ledger.deployed());
    if (news.length > 0 && !(await ledger.appendAll(news)))
      shell.log("no checkpoint was noted: someone else wrote meanwhile");
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    shell.log(`no checkpoint was noted in the ledger: ${describeError(error)}`);
  }
}

export interface Noting {
  readonly store: Store;
  readonly deployed: Deployed;
  readonly inputs: StatusInputs;
  readonly shell: Shell;
}

function newsIn(seen: readonly SeenCheckpoint[], deployed: Deployed): readonly JobFacts[] {
  return seen.flatMap(({ job, jobId, path }) => {
    const { settled = null, checkpoint = null } = deployed.get(job) ?? {};
    const isOurs = settled?.kind === "running" && settled.jobId === jobId;
    if (!isOurs || (checkpoint?.jobId === jobId && checkpoint.path === path)) return [];
    return [{ job, facts: [{ kind: "checkpointed", jobId, path }] }];
  });
}
