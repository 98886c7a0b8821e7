import { DeployError, describeError, inOneLine } from "../errors.ts";
import type { GithubApi } from "../github/api.ts";
import { ownComments } from "../github/comment.ts";
import { downloadArtifact, planArtifacts } from "../github/plan-artifact.ts";
import { isOfHead, type PullRequest } from "../github/pull-request.ts";
import { GithubRefusal } from "../github/refusal.ts";
import { readZip } from "../ledger/stores/github/zip.ts";
import { type ReviewedPlan, reviewedChanges } from "../plan/compare-plans.ts";
import { decodePlan } from "../plan/plan-file.ts";
import { commentMarker } from "../report/comment-marker.ts";
import { decodeTrailer } from "../report/comment-trailer.ts";
import { largestPlanFile } from "./plan-from-file.ts";

/** A plan that was shown in a pull request, and where it was found, in words. */
export interface FoundPlan extends ReviewedPlan {
  readonly source: string;
}

export interface Sought {
  readonly environment: string;
  readonly project: string;
}

export interface Sources {
  readonly api: GithubApi;
  readonly log: (line: string) => void;
}

/** Packed; a plan packs to about a tenth. */
const largestArtifact = 32 * 1024 * 1024;

/**
 * The plan of a pull request's newest commit: the file that its run uploaded, or else what our own comment says; null where
 * there is neither. What cannot be read is a line of the log, and is none. Throws `github-failed` where GitHub does not tell,
 * which is not the same.
 */
export async function reviewedPlan(
  pullRequest: PullRequest,
  sought: Sought,
  sources: Sources,
): Promise<FoundPlan | null> {
  const file = await fromArtifact(pullRequest, sought, sources).catch(refusalOrThrow);
  if (!(file instanceof GithubRefusal)) return file ?? (await fromComment(pullRequest, sought, sources));
  // A forge without artifacts, and a job without `actions: read`, have the comment; but the latter may have a file too.
  sources.log(unusable("the plan file", pullRequest, file));
  const told = await fromComment(pullRequest, sought, sources);
  if (told === null && !file.isAbsence) throw file;
  return told;
}

function refusalOrThrow(error: unknown): GithubRefusal {
  if (error instanceof GithubRefusal) return error;
  throw error;
}

function unusable(what: string, { number }: PullRequest, error: unknown): string {
  return `${what} of pull request ${number}: ${inOneLine(describeError(error))}`;
}

/** Null, and a line of the log, where it is not what it should be. */
function readable<T>(read: () => T, log: (error: DeployError) => void): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    log(error);
    return null;
  }
}

async function fromArtifact(
  pullRequest: PullRequest,
  { environment, project }: Sought,
  { api, log }: Sources,
): Promise<FoundPlan | null> {
  for (const { id, run, size } of await planArtifacts(api, { environment, head: pullRequest.head })) {
    const where = `artifact ${id} of run ${run}`;
    if (size > largestArtifact) {
      log(`${where} has ${size} bytes, which no plan has; it is passed over`);
      continue;
    }
    const zip = await downloadArtifact(api, id, largestArtifact);
    if (zip === null) continue;
    const plan = readable(
      () => decodePlan(readZip(zip, where, largestPlanFile)),
      (error) => log(unusable("the plan file", pullRequest, error)),
    );
    if (plan === null) return null;
    // An environment may have several projects.
    if (plan.environment !== environment || plan.project !== project) continue;
    return { flinkVersion: plan.flinkVersion, changes: reviewedChanges(plan), source: `plan file of run ${run}` };
  }
  return null;
}

async function fromComment(
  pullRequest: PullRequest,
  { environment, project }: Sought,
  { api, log }: Sources,
): Promise<FoundPlan | null> {
  const marker = commentMarker("plan", { environment, project });
  for (const { body } of (await ownComments(api, { number: pullRequest.number, marker })).toReversed()) {
    const trailer = readable(
      () => decodeTrailer(body),
      (error) => log(unusable("the comment", pullRequest, error)),
    );
    if (trailer === null || trailer.environment !== environment || trailer.project !== project) continue;
    if (!(await isOfHead(api, trailer.head, pullRequest))) {
      const { number, head } = pullRequest;
      log(`the comment on pull request ${number} is of ${trailer.head.slice(0, 50)}, not of its newest commit ${head}`);
      continue;
    }
    const { flinkVersion, jobs } = trailer;
    if (jobs === null) {
      log(
        `the comment on pull request ${pullRequest.number} does not tell its jobs, which are too many; upload the plan file`,
      );
      return null;
    }
    const changes = jobs.map(({ job, kind, after, state }) => ({ job, kind, digest: after, state }));
    return { flinkVersion, changes, source: "comment" };
  }
  return null;
}
