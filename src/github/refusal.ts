import { DeployError, type ErrorCode, inOneLine } from "../errors.ts";
import { parseJson } from "../flink/parse-json.ts";
import { maskSecrets } from "../secrets.ts";
import { type Answer, type Question, shown } from "./web.ts";

/** An answer that is none to what was asked; `status` tells the kinds apart. */
export class GithubRefusal extends DeployError {
  readonly status: number;

  constructor(code: ErrorCode, message: string, status: number) {
    super(code, message);
    this.status = status;
  }

  /** There is no such thing, the token may not see it, or a forge that speaks this API in part lacks the resource. */
  get isAbsence(): boolean {
    return [404, 405, 410, 501].includes(this.status);
  }
}

/** `permission` is what the token needs, as a workflow writes it: `pull-requests: write`. */
export function refusal(
  question: Question,
  answer: Answer,
  asked: { permission: string; code: ErrorCode },
): GithubRefusal {
  const { status } = answer;
  const message = `${shown(question)} answered ${status}: ${meaning(status, asked.permission)}${saidIn(answer)}`;
  return new GithubRefusal(asked.code, message, status);
}

/** GitHub hides what a token may not see behind a 404. */
function meaning(status: number, permission: string): string {
  if (status === 401) return "the token is not valid; check `github-token`";
  if (status === 403 || status === 404) {
    return `the token may not do that; give the job \`permissions: ${permission}\`, or another \`github-token\``;
  }
  if (status === 301 || status === 307 || status === 308) return "the repository has another name now; give that one";
  if (status === 405 || status === 410 || status === 501) return "the server has no such resource";
  if (status === 422) return "it does not take what was sent";
  return "which is no answer to it";
}

const longestText = 300;

/** The server's own words, where it has some, in brackets. */
function saidIn({ body }: Answer): string {
  try {
    const { message, errors } = parseJson(body.toString("utf8")) as { message?: unknown; errors?: unknown };
    if (typeof message !== "string") return "";
    const details = errors === undefined ? "" : ` ${JSON.stringify(errors)}`;
    const text = inOneLine(maskSecrets(message + details));
    return ` (${text.length > longestText ? `${text.slice(0, longestText)}…` : text})`;
  } catch {
    // HTML of a proxy, or nothing.
    return "";
  }
}
