import { DeployError } from "../errors.ts";
import { DecodeError, type Decoder, fields, list, number, string } from "../flink/decode.ts";
import { askPatiently, type Patience } from "../github/patience.ts";
import { type Answer, type Question, shown } from "../github/web.ts";

/** A merge request, and a token that may write notes there. */
export interface MergeRequest extends Omit<Patience, "code"> {
  /** `https://gitlab.example.com/api/v4`. */
  readonly url: string;
  /** Its number. */
  readonly project: string;
  /** The merge request's number in its project. */
  readonly iid: string;
  /** `job`: CI_JOB_TOKEN, which most servers let write no notes. */
  readonly token: { readonly kind: "private" | "job"; readonly value: string };
}

export interface PostedNote {
  readonly kind: "created" | "updated" | "unchanged";
}

interface Note {
  readonly id: number;
  readonly body: string;
  readonly author: string;
}

const username = fields((it) => it.get("username", string));
const note: Decoder<Note> = fields((it) => ({
  id: it.get("id", number),
  body: it.get("body", string),
  author: it.get("author", username),
}));

const mostPages = 100;

/**
 * Posts a note such that there is one that begins with the marker and is of our own account, edited in place; one that says
 * the same already is not touched. Throws `github-failed`, which is what a forge that says no ends with.
 */
export async function postNote(
  request: MergeRequest,
  { marker, body }: { readonly marker: string; readonly body: string },
): Promise<PostedNote> {
  const notes = new Notes(request);
  const own = await notes.self();
  const find = async (): Promise<Note | undefined> =>
    (await notes.all())
      .filter((one) => one.author === own && one.body.startsWith(marker))
      .sort((a, b) => a.id - b.id)[0];
  const found = await find();
  if (found === undefined) {
    await notes.create(body, async () => (await find()) !== undefined);
    return { kind: "created" };
  }
  // GitLab drops blanks at the end.
  if (found.body.trim() === body.trim()) return { kind: "unchanged" };
  await notes.update(found.id, body);
  return { kind: "updated" };
}

class Notes {
  readonly #request: MergeRequest;
  readonly #patience: Patience;

  constructor(request: MergeRequest) {
    this.#request = request;
    this.#patience = { ...request, code: "github-failed" };
  }

  /** Whose the token is. */
  async self(): Promise<string> {
    return this.#decoded(await this.#asked("GET", "/user"), username);
  }

  async all(): Promise<readonly Note[]> {
    const notes: Note[] = [];
    for (let page = 1; page <= mostPages; page += 1) {
      const answered = await this.#asked("GET", `${this.#notes}?per_page=100&page=${page}`);
      notes.push(...this.#decoded(answered, list(note)));
      if ((answered.answer.headers["x-next-page"] ?? "") === "") return notes;
    }
    throw new DeployError(
      "github-failed",
      `the merge request has more than ${mostPages} pages of notes, which are not read`,
    );
  }

  /** `isThere`: whether an earlier try, whose answer was lost, had made it. */
  async create(body: string, isThere: () => Promise<boolean>): Promise<void> {
    const question = this.#question("POST", this.#notes, { body });
    const answer = await askPatiently(question, this.#patience, isThere);
    if (answer !== null) this.#accepted(question, answer);
  }

  async update(id: number, body: string): Promise<void> {
    await this.#asked("PUT", `${this.#notes}/${id}`, { body });
  }

  get #notes(): string {
    const { project, iid } = this.#request;
    return `/projects/${encodeURIComponent(project)}/merge_requests/${encodeURIComponent(iid)}/notes`;
  }

  #question(method: Question["method"], path: string, body?: unknown): Question {
    const { url, token } = this.#request;
    const headers = { [token.kind === "private" ? "private-token" : "job-token"]: token.value };
    const whole = { method, url: `${url.replace(/\/+$/, "")}${path}` };
    if (body === undefined) return { ...whole, headers };
    return { ...whole, headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) };
  }

  async #asked(
    method: Question["method"],
    path: string,
    body?: unknown,
  ): Promise<{ question: Question; answer: Answer }> {
    const question = this.#question(method, path, body);
    const answer = await askPatiently(question, this.#patience);
    return { question, answer: this.#accepted(question, answer) };
  }

  #accepted(question: Question, answer: Answer): Answer {
    const { status } = answer;
    if (status >= 200 && status <= 299) return answer;
    const isDenied = [401, 403, 404].includes(status);
    const denied =
      this.#request.token.kind === "job"
        ? "the job's own token may not do that; set GITLAB_TOKEN to a project access token with the scope `api`"
        : "GITLAB_TOKEN may not do that; it needs the scope `api` and the role Reporter";
    const why = isDenied ? denied : "which is no answer to it";
    throw new DeployError("github-failed", `${shown(question)} answered ${status}: ${why}`);
  }

  #decoded<T>({ question, answer }: { question: Question; answer: Answer }, decoder: Decoder<T>): T {
    try {
      return decoder(JSON.parse(answer.body.toString("utf8")), "");
    } catch (cause) {
      const why = cause instanceof DecodeError ? cause.message : "it is not JSON";
      throw new DeployError("github-failed", `the answer to ${shown(question)} cannot be read: ${why}`, { cause });
    }
  }
}
