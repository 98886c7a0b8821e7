import { DeployError } from "../errors.ts";
import { maskSecrets } from "../secrets.ts";
import { unchanged } from "./deployment.ts";
import { Pace } from "./pace.ts";
import { patientCluster } from "./patient-cluster.ts";
import { nextSavingStep, type SavingSettings } from "./saving.ts";
import type { JobOutcome, RunContext } from "./task.ts";

const defaultPatienceMs = 30_000;
/** A savepoint takes at most `execution.checkpointing.timeout`, 10 minutes unless set. */
const limitMs = 20 * 60_000;

/** Looks, decides, acts and records until the savepoint of a running job is known, or is known not to be. */
export async function takeSavepoint(
  name: string,
  settings: Omit<SavingSettings, "key"> & { readonly environment: string; readonly deployment: string },
  context: RunContext,
): Promise<JobOutcome> {
  const { ledger, clock, deadline, storage } = context;
  const { environment, deployment } = settings;
  const since = clock();
  const pace = new Pace(deadline, context.sleep);
  const log = (line: string): void => context.log(name, maskSecrets(line));
  const cluster = patientCluster(context.cluster, {
    limitMs: context.patienceMs ?? defaultPatienceMs,
    clock,
    sleep: (ms) => pace.sleep(ms),
    log,
  });
  let said = "";
  for (;;) {
    if (deadline.aborted || context.signal.aborted) throw interruption(name);
    const recorded = ledger.job(name);
    const { taking } = recorded;
    const [jobs, status] = await Promise.all([
      cluster.jobs(),
      taking === null ? ({ kind: "unknown" } as const) : cluster.savepointStatus(taking),
    ]);
    const isUnderWay = taking === null || status.kind === "in-progress";
    const stored = isUnderWay ? ({ kind: "unknown" } as const) : await storage.savepoint(taking.savepointFolder);
    const waitedMs = clock() - since;
    const key = { environment, deployment, job: name, since: recorded.since };
    const step = nextSavingStep(recorded, { jobs, status, stored, waitedMs }, { ...settings, key });
    switch (step.do) {
      case "record": {
        const { fact } = step;
        const isStored = await ledger.append(
          name,
          "cause" in fact ? { ...fact, cause: maskSecrets(fact.cause) } : fact,
        );
        if (fact.kind === "savepoint-taken") log(`savepoint ${fact.path}`);
        if (!isStored || !step.isEnd) break;
        const runs = { ...unchanged(recorded), durationMs: clock() - since };
        if (fact.kind === "savepoint-taken") {
          const untold = "its files cannot be listed from here; the JobManager says that it is complete";
          const notes = stored.kind === "unknown" ? [untold] : [];
          return { ...runs, ending: "saved", savepoint: fact.path, notes };
        }
        const message = "cause" in fact ? maskSecrets(fact.cause) : null;
        return { ...runs, ending: "failed", code: "savepoint-failed", message };
      }
      case "ask":
        log(`taking a savepoint of ${step.request.jobId} into ${step.request.savepointFolder}`);
        await cluster.takeSavepoint(step.request);
        pace.reset();
        break;
      case "wait":
        if (waitedMs > limitMs) throw tooLong(name, step.for);
        if (step.for !== said) log(`waiting for ${step.for}`);
        said = step.for;
        await pace.pause(false);
        break;
      case "leave":
        return { ...unchanged(recorded), notes: [maskSecrets(step.note)] };
      case "refuse":
        return { ...unchanged(recorded), ending: "refused", code: step.code, message: maskSecrets(step.message) };
    }
  }
}

function interruption(name: string): DeployError {
  const then = "run the same command again: where the savepoint was asked for already, it takes no second one";
  return new DeployError("interrupted", `${name} was interrupted, and runs on; ${then}`);
}

function tooLong(name: string, what: string): DeployError {
  const message = `${name}: still waiting for ${what} after ${limitMs / 60_000} min, and the job runs on`;
  return new DeployError("interrupted", `${message}; run the same command again to go on waiting`);
}
