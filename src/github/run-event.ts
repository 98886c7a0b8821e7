import { type Decoder, fields, nullable, number, string } from "../flink/decode.ts";
import { parseJson } from "../flink/parse-json.ts";

/** What started a workflow's run, as far as it says what a plan is of. */
export type RunEvent =
  | {
      readonly kind: "pull-request";
      readonly number: number;
      /** Its newest commit; null where the event does not tell it. */
      readonly head: string | null;
      /** `owner/name` of the repository that its head is in, where it is another; null where it is this one. */
      readonly fork: string | null;
    }
  | { readonly kind: "merge-group"; readonly head: string }
  /** Another workflow ended, or a branch changed: what is known is a commit, and of the former where it was pushed to. */
  | { readonly kind: "commit"; readonly head: string | null; readonly pushedTo: HeadBranch | null };

/** The branch that a commit is the newest of. Whoever opens a pull request chooses the names. */
export interface HeadBranch {
  readonly owner: string;
  /** `owner/name`, which may be a fork. */
  readonly repository: string;
  /** Without `refs/heads/`. */
  readonly branch: string;
}

/** Reads the event that the environment names; one that cannot be read says nothing but the commit. */
export async function readRunEvent(
  environment: NodeJS.ProcessEnv,
  read: (path: string) => Promise<string>,
): Promise<RunEvent> {
  const { GITHUB_EVENT_NAME: name = "", GITHUB_EVENT_PATH: path = "", GITHUB_SHA } = environment;
  try {
    return decodeRunEvent(name, parseJson(await read(path)), GITHUB_SHA ?? null);
  } catch {
    return ofCommit(GITHUB_SHA);
  }
}

/** `sha` is GITHUB_SHA, which of a pull request is a trial merge and not its head. Throws where the payload is another. */
export function decodeRunEvent(name: string, payload: unknown, sha: string | null): RunEvent {
  switch (name) {
    case "pull_request":
    case "pull_request_target":
    case "pull_request_review":
      return pullRequestEvent(payload, "");
    case "issue_comment":
      return commentEvent(payload, "") ?? ofCommit(sha);
    case "merge_group":
      return { kind: "merge-group", head: mergeGroupHead(payload, "") };
    case "workflow_run":
      return workflowRunEvent(payload, "");
    default:
      return ofCommit(sha);
  }
}

const commit: Decoder<string> = (value, path) => {
  const text = string(value, path);
  if (commitOrNull(text) === null) throw new TypeError(`${path} is no commit`);
  return text;
};

/** The repository of a head is null once a fork is deleted. */
const end = fields((it) => ({
  sha: it.get("sha", commit),
  repository: it.get("repo", nullable(fields((repository) => repository.get("full_name", string)))),
}));
const pullRequestEvent = fields((it): RunEvent => {
  const {
    number: found,
    head,
    base,
  } = it.get(
    "pull_request",
    fields((pull) => ({
      number: pull.get("number", number),
      head: pull.get("head", end),
      base: pull.get("base", end),
    })),
  );
  const fork = head.repository === base.repository ? null : (head.repository ?? "a deleted repository");
  return { kind: "pull-request", number: found, head: head.sha, fork };
});
/** A comment on an issue that is no pull request has no `pull_request`. */
const commentEvent = fields((it): RunEvent | null => {
  const issue = it.get(
    "issue",
    fields((one) => ({
      number: one.get("number", number),
      pull: one.get(
        "pull_request",
        nullable((value) => value),
      ),
    })),
  );
  return issue.pull === null ? null : { kind: "pull-request", number: issue.number, head: null, fork: null };
});
const mergeGroupHead = fields((it) =>
  it.get(
    "merge_group",
    fields((group) => group.get("head_sha", commit)),
  ),
);
/** The repository is null once a fork is deleted. */
const headRepository = fields((it) => ({
  repository: it.get("full_name", string),
  owner: it.get(
    "owner",
    fields((owner) => owner.get("login", string)),
  ),
}));
/** Only a run of this repository's own merge queue was started by one. */
const workflowRunEvent = fields((it): RunEvent => {
  const { head, event, branch, from } = it.get(
    "workflow_run",
    fields((run) => ({
      head: run.get("head_sha", commit),
      event: run.get("event", nullable(string)),
      branch: run.get("head_branch", nullable(string)),
      from: run.get("head_repository", nullable(headRepository)),
    })),
  );
  if (event === "merge_group") return { kind: "merge-group", head };
  return { kind: "commit", head, pushedTo: branch === null || from === null ? null : { ...from, branch } };
});

function ofCommit(sha: string | null | undefined): RunEvent {
  return { kind: "commit", head: commitOrNull(sha), pushedTo: null };
}

function commitOrNull(text: string | null | undefined): string | null {
  return /^[0-9a-f]{40}$/.test(text ?? "") ? (text ?? null) : null;
}
