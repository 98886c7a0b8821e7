import { DeployError, describeError } from "../errors.ts";
import { type Decoder, fields, nullable, number, string } from "../flink/decode.ts";
import { parseJson } from "../flink/parse-json.ts";
import type { GithubApi } from "../github/api.ts";
import { type CommentCommand, readCommentCommand } from "../github/comment-command.ts";
import { readEventFile } from "../github/event-file.ts";
import { ownLogins } from "../github/identity.ts";
import { isOfHead, type PullRequest, pullRequestOfNumber } from "../github/pull-request.ts";
import type { CommentCommandInputs } from "../inputs/inputs.ts";
import { decodeTrailer } from "../report/comment-trailer.ts";
import { onGithub } from "./on-github.ts";
import type { CommandResult, Shell } from "./shell.ts";

type Asked = Exclude<CommentCommand, { kind: "none" | "unreadable" }>;

interface Written {
  readonly id: number;
  readonly body: string;
  readonly login: string;
  /** `Bot` of an app, which gives no commands. */
  readonly type: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly pullRequest: number;
}

/**
 * Reads a command that somebody wrote as a comment, and says by outputs what the workflow is to do; it does none of it. Only
 * people who may write are obeyed, as the API tells; and what changes jobs only on a head whose plan was on the pull request
 * when the comment was written. Whatever is refused is answered, but for those who may not write: they get a reaction alone.
 */
export async function commentCommand(inputs: CommentCommandInputs, shell: Shell): Promise<CommandResult> {
  const github = onGithub({ ...inputs, pullRequest: null }, shell);
  const written = github === null ? null : await readComment(shell);
  if (github === null || written === null) {
    const needs =
      "works in a workflow on `issue_comment: [created]`, for a comment on a pull request, with `github-token`";
    throw new DeployError("inputs-invalid", `comment-command: ${needs}`);
  }
  if (written.type !== "User") return nothingToDo;
  const { api, run } = github;
  const command = readCommentCommand(written.body);
  if (command.kind === "none") return nothingToDo;
  if (!(await mayWrite(api, written.login))) {
    shell.log(`${JSON.stringify(written.login)} may not write to the repository, so nothing is done`);
    await react(api, written, "-1");
    return nothingToDo;
  }
  if (command.kind === "unreadable") return await refuse(api, written, command.why);
  const pullRequest = await pullRequestOfNumber(api, written.pullRequest);
  const decision = await decide(command, { pullRequest, written, inputs, api });
  if ("why" in decision) return await refuse(api, written, decision.why);
  await react(api, written, "rocket");
  await answer(api, written, `\`${wordsOf(command)}\` is being done: ${run}`);
  return { ...nothingToDo, outputs: outputsOf(command, decision.commit, pullRequest, inputs) };
}

const nothingToDo: CommandResult = { reason: "ok", message: null, outputs: { operation: "none" } };

function outputsOf(
  command: Asked,
  head: string,
  { baseBranch }: PullRequest,
  { environment }: CommentCommandInputs,
): CommandResult["outputs"] {
  return {
    operation: command.kind,
    target: command.kind === "deploy" ? command.environment : environment,
    "target-jobs": "jobs" in command ? command.jobs : "",
    head,
    base: `origin/${baseBranch}`,
  };
}

/** As it was written, which is safe to show: it was read. */
function wordsOf(command: Asked): string {
  const argument = "jobs" in command ? command.jobs : command.kind === "deploy" ? command.environment : "";
  return `/flink ${command.kind} ${argument}`.trimEnd();
}

interface Facts {
  readonly pullRequest: PullRequest;
  readonly written: Written;
  readonly inputs: CommentCommandInputs;
  readonly api: GithubApi;
}

/** Why not, or else the commit to check out: for a deployment the very one that was planned. */
type Decision = { readonly why: string } | { readonly commit: string };

async function decide(command: Asked, { pullRequest, written, inputs, api }: Facts): Promise<Decision> {
  const { head, fork, isOpen, number } = pullRequest;
  if (!isOpen) return { why: "the pull request is not open any more" };
  if (command.kind === "status") return { commit: head };
  if (fork !== null) return { why: "the pull request comes from a fork, whose code is not run here" };
  if (command.kind === "plan") return { commit: head };
  const isDeploy = command.kind === "deploy";
  const environment = isDeploy ? command.environment : inputs.environment;
  if (isDeploy && !inputs.environments.includes(environment)) {
    return { why: `\`${environment}\` is none of the environments that this workflow may deploy to` };
  }
  const planned = await plannedHeads(api, { environment, number, before: written.createdAt });
  for (const commit of planned.toReversed()) {
    if (isDeploy ? isDeployable(commit, pullRequest) : await isOfHead(api, commit, pullRequest)) return { commit };
  }
  const moved = isDeploy ? ", or the base branch has moved since: `/flink plan` makes one" : "";
  return {
    why: `the newest commit has no plan on this pull request that was there when the comment was written${moved}; wait for it, read it, and write the command again`,
  };
}

/** Anybody can make a merge of a head, with other content: what is run is the head, or the one merge that GitHub made. */
function isDeployable(commit: string, { head, mergeCommit }: PullRequest): boolean {
  return commit === head || commit === mergeCommit;
}

/** Heads of the plans for the environment that our own comments told, and had told by then. */
async function plannedHeads(
  api: GithubApi,
  {
    environment,
    number: of,
    before,
  }: { readonly environment: string; readonly number: number; readonly before: string },
): Promise<readonly string[]> {
  const logins = await ownLogins(api);
  const permission = "pull-requests: read";
  const all = await api.pages(`/issues/${of}/comments`, { decoder: ownComment, permission });
  return all.flatMap(({ body, author, updatedAt }) => {
    if (author === null || !logins.has(author) || Date.parse(updatedAt) > Date.parse(before)) return [];
    try {
      const trailer = decodeTrailer(body ?? "");
      return trailer?.environment === environment ? [trailer.head] : [];
    } catch (error) {
      if (error instanceof DeployError) return [];
      throw error;
    }
  });
}

const login = fields((it) => it.get("login", string));
const ownComment = fields((it) => ({
  body: it.get("body", nullable(string)),
  author: it.get("user", nullable(login)),
  updatedAt: it.get("updated_at", string),
}));

/** Null where the event is none that a new comment on a pull request makes. */
async function readComment({ environment }: Shell): Promise<Written | null> {
  const { GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: path = "" } = environment;
  if (name !== "issue_comment") return null;
  try {
    const { action, isPullRequest, ...written } = commentEvent(parseJson(await readEventFile(path)), "");
    return action === "created" && isPullRequest ? written : null;
  } catch (cause) {
    throw new DeployError("inputs-invalid", `the event cannot be read: ${describeError(cause)}`, { cause });
  }
}

type Event = Written & { readonly action: string; readonly isPullRequest: boolean };
const commentEvent: Decoder<Event> = fields((it) => {
  const { user, ...comment } = it.get(
    "comment",
    fields((one) => ({
      id: one.get("id", number),
      body: one.get("body", string),
      createdAt: one.get("created_at", string),
      user: one.get(
        "user",
        fields((of) => ({ login: of.get("login", string), type: of.get("type", string) })),
      ),
    })),
  );
  const issue = it.get(
    "issue",
    fields((one) => ({
      pullRequest: one.get("number", number),
      pull: one.get(
        "pull_request",
        nullable((value) => value),
      ),
    })),
  );
  const { pullRequest, pull } = issue;
  return { ...comment, ...user, pullRequest, isPullRequest: pull !== null, action: it.get("action", string) };
});

/** By the API, not by what the event says of the author: that is of the moment in which the comment was written. */
async function mayWrite(api: GithubApi, of: string): Promise<boolean> {
  const decoder = fields((it) => it.get("permission", string));
  const path = `/collaborators/${encodeURIComponent(of)}/permission`;
  const permission = await api.find(path, { decoder, permission: "metadata: read" });
  return permission === "admin" || permission === "write";
}

async function refuse(api: GithubApi, written: Written, why: string): Promise<CommandResult> {
  await react(api, written, "confused");
  await answer(api, written, `Nothing was done: ${why}.`);
  return nothingToDo;
}

const permission = "pull-requests: write";
const anything: Decoder<unknown> = (value) => value;

/** The same reaction twice is one. */
async function react(api: GithubApi, { id }: Written, content: "rocket" | "confused" | "-1"): Promise<void> {
  await api.send("POST", `/issues/comments/${id}/reactions`, { decoder: anything, permission, body: { content } });
}

async function answer(api: GithubApi, { id, pullRequest }: Written, text: string): Promise<void> {
  // It names the comment that it answers, so that a try whose answer was lost is found.
  const marker = `<!-- flink-dbt-deploy answer ${id} -->`;
  const path = `/issues/${pullRequest}/comments`;
  const one = fields((it) => it.get("body", nullable(string)));
  const look = async (): Promise<string | null> => {
    const all = await api.pages(path, { decoder: one, permission });
    return all.find((body) => body?.startsWith(marker)) ?? null;
  };
  await api.create(path, { decoder: one, permission, body: { body: `${marker}\n${text}` }, look });
}
