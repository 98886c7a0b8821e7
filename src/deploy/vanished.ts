import type { Settled } from "../ledger/fold.ts";
import { submitNew } from "./at-rest.ts";
import type { ClusterJob } from "./cluster.ts";
import { mayStartEmpty, nameAPath, refuse, type Situation, type Step } from "./step.ts";

type Running = Extract<Settled, { kind: "running" }>;

/**
 * The first step for a recorded job that did not end well, or that the cluster forgot: it came back empty. The job goes
 * on from the newest state that can be proven; from an older one, or from none, only where a person agreed. Pure.
 */
export function vanished(situation: Situation, settled: Running, job: ClusterJob | undefined): Step {
  const { name, desired, observed, key } = situation;
  const { retained } = observed;
  const how = job === undefined ? "the cluster does not know it any more" : `it is ${job.state}`;
  const what = `job ${settled.jobId} of ${name} should run, but ${how}`;
  if (desired.kind === "running" && desired.upgradeMode === "stateless") {
    const note = `${what}; it starts again without state, as its upgrade mode says`;
    return { ...submitNew(desired, null, key, 1), note };
  }
  const isProven = retained.kind === "found" && (job === undefined || goesOnByItself(situation));
  if (isProven && desired.kind === "suspended") {
    const { by, reference } = desired;
    const of = settled.reference;
    const kept = reference ?? of;
    const fact = { kind: "suspended", by, reference: kept, savepoint: retained.path } as const;
    const taken = of?.digest === kept?.digest ? {} : { of };
    const note = `${what}; its newest checkpoint ${retained.path} is kept for when it is resumed`;
    return { do: "record", fact: { ...fact, ...taken }, ends: "suspended", note };
  }
  if (isProven && desired.kind === "running") {
    const note = `${what}; it goes on from its newest checkpoint, ${retained.path}`;
    return { ...submitNew(desired, retained.path, key, 1), note };
  }
  return withConsent(situation, settled, what, job !== undefined);
}

/** Of a job that failed for good, only under `last_state`: otherwise its failure is for a person to look at first. */
function goesOnByItself({ desired }: Situation): boolean {
  return desired.kind === "running" && desired.upgradeMode === "last_state";
}

/** From what is known, which may not be the newest. */
function withConsent(situation: Situation, settled: Running, what: string, isKnown: boolean): Step {
  const { desired, noted, observed, key } = situation;
  const { retained } = observed;
  const older = noted ?? settled.restored;
  if (desired.kind === "running" && desired.consent.toReplay && retained.kind !== "found" && older !== null) {
    const note = `${what}; it goes on from ${older}, and what it processed after that is processed again`;
    return { ...submitNew(desired, older, key, 1), note };
  }
  if (desired.kind === "running" && mayStartEmpty(desired)) {
    return { ...submitNew(desired, null, key, 1), note: `${what}; it starts again without state, as was agreed` };
  }
  return refuse("needs-operator", `${what}; ${adviceOn(situation, older, isKnown)}`);
}

function adviceOn({ observed, settled }: Situation, older: string | null, isKnown: boolean): string {
  const { retained } = observed;
  if (retained.kind === "found") {
    return `its newest checkpoint is ${retained.path}: mend what made it fail and ${nameAPath}, or give its model the upgrade mode last_state`;
  }
  const untold =
    retained.kind === "none"
      ? isKnown
        ? "Flink kept no checkpoint of it: find its newest savepoint"
        : "it left no checkpoint, so someone stopped or cancelled it: find its savepoint"
      : "its newest checkpoint cannot be listed from here (`list-command`): find it";
  const isEmpty = settled?.kind === "running" && older === null;
  const agreed = isEmpty
    ? "set `allow-fresh-start` to start it without any state"
    : `set \`allow-replay\` to go on from ${older}, so that everything after it is processed again`;
  return `${untold} and ${nameAPath}; or ${agreed}`;
}
