import { createHash } from "node:crypto";
import { DeployError } from "../../../errors.ts";
import { parseJson } from "../../../flink/parse-json.ts";
import { askPatiently, type Patience } from "./patience.ts";
import { type Answer, type Question, shown } from "./web.ts";

export interface ApiOptions extends Patience {
  /** `https://api.github.com`. */
  readonly url: string;
  /** `owner/name`. */
  readonly repository: string;
  readonly token: string;
}

/** GitHub's REST API, as far as a ledger is read through it. Everything throws `ledger-unreadable`. */
export class GithubApi {
  readonly repository: string;
  readonly #options: ApiOptions;

  constructor(options: ApiOptions) {
    this.repository = options.repository;
    this.#options = options;
  }

  /** What is at a path below the repository, as JSON. */
  async json(path: string): Promise<unknown> {
    const { question, answer } = await this.#get(path);
    if (answer.status !== 200) throw this.#refused(question, answer);
    try {
      return parseJson(answer.body.toString("utf8"));
    } catch (cause) {
      throw new DeployError("ledger-unreadable", `the answer to ${shown(question)} is not JSON`, { cause });
    }
  }

  /** An artifact's zip file, whole; null where there is no such artifact any more. */
  async artifact(id: number, digest: string | null): Promise<Buffer | null> {
    const { question, answer } = await this.#get(`/actions/artifacts/${id}/zip`);
    if (answer.status === 404 || answer.status === 410) return null;
    const { location } = answer.headers;
    if (answer.status !== 302 || location === undefined) throw this.#refused(question, answer);
    const there: Question = { method: "GET", url: location };
    const { status, body } = await askPatiently(there, this.#options);
    if (status === 404) return null;
    if (status !== 200) throw new DeployError("ledger-unreadable", `${shown(there)} answered ${status}`);
    const found = `sha256:${createHash("sha256").update(body).digest("hex")}`;
    if (digest !== null && digest !== found) {
      throw new DeployError("ledger-unreadable", `artifact ${id} came as ${found}, but GitHub says it is ${digest}`);
    }
    return body;
  }

  async #get(path: string): Promise<{ readonly question: Question; readonly answer: Answer }> {
    const { url, repository, token } = this.#options;
    const question: Question = {
      method: "GET",
      url: `${url}/repos/${repository}${path}`,
      headers: {
        accept: "application/vnd.github+json",
        "x-github-api-version": "2022-11-28",
        authorization: `Bearer ${token}`,
      },
    };
    return { question, answer: await askPatiently(question, this.#options) };
  }

  /** GitHub hides what a token may not see behind a 404. */
  #refused(question: Question, { status }: Answer): DeployError {
    const what =
      status === 401
        ? "the token is not valid; check `github-token`"
        : status === 403 || status === 404
          ? "the token may not read the artifacts; give the job `permissions: actions: read`, or another `github-token`"
          : "which is no answer to it";
    return new DeployError("ledger-unreadable", `${shown(question)} answered ${status}: ${what}`);
  }
}
