import type { ErrorCode } from "../errors.ts";
import type { Fact, JobReference } from "../ledger/entry.ts";
import type { Settled, Submission } from "../ledger/fold.ts";
import type { RuntimeMode, UpgradeMode } from "../project/job.ts";
import type { ClusterJob, LastSavepoint, Progress, Retained, Retention, StopStatus } from "./cluster.ts";
import type { AttemptKey } from "./ids.ts";
import type { VerifyLimits } from "./verify.ts";

/**
 * A savepoint path in the model's own config, where it is new to the ledger: one that was there before would rewind the
 * job. `startFrom` begins an attempt; `answer` was given after the attempt in hand had begun, for where it is stuck.
 */
export interface NamedPath {
  readonly startFrom: string | null;
  readonly answer: string | null;
}

/** A rollback: the job goes back to the state that an earlier program left, and not on from the one that it has. */
export interface Rewind {
  /** Null: without any state. */
  readonly path: string | null;
  /** The program that took it. */
  readonly of: JobReference | null;
  /** As the upgrade mode of the program that runs says, that is stopped: so it can be gone forward to again. */
  readonly stop: UpgradeMode;
}

/** What a person agreed to for this job, should its newest state be lost. */
export interface Consent {
  /** From an older checkpoint or savepoint, so that what came after it is processed again. */
  readonly toReplay: boolean;
  /** From nothing. */
  readonly toStartEmpty: boolean;
}

export type Desired =
  | (NamedPath & {
      readonly kind: "running";
      readonly reference: JobReference;
      readonly upgradeMode: UpgradeMode;
      readonly runtimeMode: RuntimeMode;
      readonly consent: Consent;
      readonly rewind: Rewind | null;
    })
  | (NamedPath & {
      readonly kind: "suspended";
      readonly by: "model" | "command";
      /** What to start when it is resumed; null leaves that as it is. */
      readonly reference: JobReference | null;
      readonly upgradeMode: UpgradeMode;
      readonly rewind: Rewind | null;
    })
  | { readonly kind: "removed" };

/** What is seen of the job in hand: the one being stopped, or else the newest submission. */
export interface Observed {
  /** Every job that the cluster knows, ended ones too. */
  readonly jobs: readonly ClusterJob[];
  /** Whether progress can be seen at all; through the gateway alone it cannot. */
  readonly seesProgress: boolean;
  /** Of the newest submission. */
  readonly progress: Progress | null;
  /** The job has ended and `progress` says how: no older answer can hide a checkpoint any more. */
  readonly isFinal: boolean;
  /** Since the job in hand was first seen by this run. */
  readonly waitedMs: number;
  /** Since it was seen RUNNING with all its tasks, without a break. */
  readonly steadyMs: number;
  /** Since it was first seen ended. */
  readonly endedMs: number;
  /** Of the stop in hand. */
  readonly stop: StopStatus;
  /** Of the job to be stopped, or of a recorded one that is FINISHED, once it has ended. */
  readonly lastSavepoint: LastSavepoint;
  /** What the job in hand left in storage, where it is gone, FAILED or CANCELED. */
  readonly retained: Retained;
  /** The savepoint of the stop in hand, as its folder shows it, where the job has ended without a word of it. */
  readonly stranded: Retained;
  /** Of a recorded job that is to be upgraded from its newest checkpoint. */
  readonly retention: Retention | null;
  /** Flink told this run that it could not start the newest submission: it never ran. */
  readonly wasRefused: boolean;
  /** How old an answer may be. */
  readonly lagMs: number;
  /** How many checkpoints this run asked the newest submission for; `refused` where that cannot be done. */
  readonly checkpointsAsked: number | "refused";
}

export interface Settings {
  readonly environment: string;
  readonly deployment: string;
  readonly savepointDirectory: string | null;
  readonly verify: VerifyLimits;
  /** Whether the program that runs now can be sent again: its secrets are at hand. */
  readonly canPutBack: boolean;
  /** Of the program that runs now; null where the ledger does not know it. A batch job has no savepoint. */
  readonly settledMode: RuntimeMode | null;
}

/** All that one decision is taken from, apart from the attempt. */
export interface Situation {
  readonly name: string;
  readonly desired: Desired;
  readonly settled: Settled | null;
  /** Where the job that runs was seen to have a checkpoint or savepoint, though a newer checkpoint may have followed. */
  readonly noted: string | null;
  readonly observed: Observed;
  readonly settings: Settings;
  readonly key: AttemptKey;
}

export type Ending =
  | "unchanged"
  | "created"
  | "upgraded"
  | "resumed"
  | "suspended"
  /** A savepoint was taken of it, and it runs on. */
  | "saved"
  | "removed"
  | "finished"
  | "rolled-back"
  | "failed";

/** One step; after each, everything is looked at again. `record` writes a fact and does nothing else. */
export type Step =
  | {
      readonly do: "record";
      readonly fact: Fact;
      /** Written with it. */
      readonly also?: readonly Fact[];
      readonly note?: string;
      readonly ends?: Ending;
      readonly cause?: string;
    }
  | { readonly do: "stop"; readonly jobId: string }
  | { readonly do: "cancel"; readonly jobId: string }
  | { readonly do: "submit"; readonly submission: Submission }
  /** Uses up the id of a submission that is given up and may be on its way. */
  | { readonly do: "fence"; readonly jobId: string }
  | { readonly do: "checkpoint"; readonly jobId: string }
  | { readonly do: "wait"; readonly for: string }
  | { readonly do: "end"; readonly ending: Ending }
  | { readonly do: "refuse"; readonly code: ErrorCode; readonly message: string };

/** Only a person can decide; the message names the facts and what resolves them. */
export const refuse = (code: ErrorCode, message: string): Step => ({ do: "refuse", code, message });

/** Whether the job may begin without any state: its upgrade mode says so, or a person did. */
export function mayStartEmpty(desired: Desired): boolean {
  return desired.kind === "running" && (desired.upgradeMode === "stateless" || desired.consent.toStartEmpty);
}

/** The upgrade mode by which the job that runs is stopped for another program. */
export function stopMode({ upgradeMode, rewind }: Extract<Desired, { kind: "running" }>): UpgradeMode {
  return rewind?.stop ?? upgradeMode;
}

/** What a program that is to run goes back to, if it is not to go on from what the job has. */
export function rewindOf(desired: Desired): Rewind | null {
  return desired.kind === "running" ? desired.rewind : null;
}

/** How a person says which state a job is to start from. */
export const nameAPath = "put its path into the model's execution_config as execution.savepoint.path, and deploy again";
