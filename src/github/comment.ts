import { type Decoder, fields, nullable, number, string } from "../flink/decode.ts";
import { type GithubApi, nothing } from "./api.ts";
import { ownLogins } from "./identity.ts";
import { GithubRefusal } from "./refusal.ts";

/** One of ours on a pull request or an issue. */
export interface OwnComment {
  /** Of the pull request, or the issue. */
  readonly number: number;
  /** What its body begins with, and no other comment's of ours. */
  readonly marker: string;
  readonly body: string;
}

export interface PostedComment {
  readonly kind: "created" | "updated" | "renewed" | "unchanged";
  /** Of its page. */
  readonly url: string;
}

export interface Comment {
  readonly id: number;
  readonly body: string;
  /** Null: the account is deleted. */
  readonly author: string | null;
  readonly url: string;
}

const comment: Decoder<Comment> = (value, path) => {
  const { body, author, ...rest } = fields((it) => ({
    id: it.get("id", number),
    body: it.get("body", nullable(string)),
    author: it.get("user", nullable(fields((user) => user.get("login", string)))),
    url: it.get("html_url", string),
  }))(value, path);
  return { ...rest, author, body: body ?? "" };
};

const wanted = { decoder: comment, permission: "pull-requests: write" };

/**
 * Posts a comment such that there is one of its marker and of our own account: `update` edits the oldest in place, `renew`
 * posts it anew and deletes those before. One that says the same already is left as it is. Two runs at once end with one
 * too: after posting, each looks again. Throws `github-failed`.
 */
export async function postComment(api: GithubApi, own: OwnComment, mode: "update" | "renew"): Promise<PostedComment> {
  const found = await ownComments(api, own);
  const kept = mode === "update" ? found[0] : found.at(-1);
  if (kept === undefined) return await createFirst(api, own, mode);
  if (saysTheSame(kept.body, own.body)) {
    await removeAll(
      api,
      found.filter(({ id }) => id !== kept.id),
    );
    return { kind: "unchanged", url: kept.url };
  }
  if (mode === "renew") {
    const made = await create(api, own);
    await removeAll(api, (await marked(api, own)).filter(isBefore(made)));
    return { kind: "renewed", url: made.url };
  }
  const updated = await update(api, kept, own);
  if (updated === null) return await createFirst(api, own, mode);
  await removeAll(api, found.slice(1));
  return { kind: "updated", url: updated.url };
}

/** Where another run posted one before this one did, or the token's account was not known, that one stays. */
async function createFirst(api: GithubApi, own: OwnComment, mode: "update" | "renew"): Promise<PostedComment> {
  const made = await create(api, own);
  const before = (await marked(api, own)).filter(isBefore(made));
  const [oldest] = before;
  if (oldest === undefined) return { kind: "created", url: made.url };
  if (mode === "renew") {
    await removeAll(api, before);
    return { kind: "renewed", url: made.url };
  }
  const updated = saysTheSame(oldest.body, own.body) ? oldest : await update(api, oldest, own);
  if (updated === null) return { kind: "created", url: made.url };
  await removeAll(api, [...before.slice(1), made]);
  return { kind: "updated", url: updated.url };
}

/** All of that marker, oldest first. */
async function marked(api: GithubApi, { number: of, marker }: Omit<OwnComment, "body">): Promise<readonly Comment[]> {
  const all = await api.pages(`/issues/${of}/comments`, { ...wanted, permission: "pull-requests: read" });
  return all.filter(({ body }) => body.startsWith(marker)).toSorted((a, b) => a.id - b.id);
}

/**
 * Those of the token's own account that begin with the marker, oldest first. Whoever else writes it is passed over, so that
 * nobody's text is taken for ours or changed.
 */
export async function ownComments(api: GithubApi, own: Omit<OwnComment, "body">): Promise<readonly Comment[]> {
  const found = await marked(api, own);
  if (found.length === 0) return [];
  const logins = await ownLogins(api);
  return found.filter(({ author }) => author !== null && logins.has(author));
}

async function create(api: GithubApi, own: OwnComment): Promise<Comment> {
  const { number: of, body } = own;
  const look = async (): Promise<Comment | null> =>
    (await ownComments(api, own)).findLast((one) => saysTheSame(one.body, body)) ?? null;
  return await api.create(`/issues/${of}/comments`, { ...wanted, body: { body }, look });
}

/** Null where it is gone. */
async function update(api: GithubApi, { id }: Comment, { body }: OwnComment): Promise<Comment | null> {
  try {
    return await api.send("PATCH", `/issues/comments/${id}`, { ...wanted, body: { body } });
  } catch (error) {
    if (error instanceof GithubRefusal && error.isAbsence) return null;
    throw error;
  }
}

/** What another run has deleted already is as it should be. */
async function removeAll(api: GithubApi, comments: readonly Comment[]): Promise<void> {
  for (const { id } of comments) {
    await api.send("DELETE", `/issues/comments/${id}`, { ...wanted, decoder: nothing }).catch((error: unknown) => {
      if (!(error instanceof GithubRefusal && error.isAbsence)) throw error;
    });
  }
}

function isBefore({ id, author }: Comment): (other: Comment) => boolean {
  return (other) => other.author === author && other.id < id;
}

/** Whichever run says it, and however a forge keeps line ends. */
function saysTheSame(one: string, other: string): boolean {
  const plain = (text: string): string =>
    text
      .replace(/\r\n/g, "\n")
      .replace(/\/actions\/runs\/\d+(?:\/(?:artifacts|attempts)\/\d+)*/g, "/actions/runs/0")
      .trimEnd();
  return plain(one) === plain(other);
}
