import { type Decoder, fields, nullable, number, string } from "../flink/decode.ts";
import type { GithubApi } from "./api.ts";
import { ownLogins } from "./identity.ts";

/** What an issue of ours says; a body of null: there is nothing to say, so none is to be open. */
export interface IssueWish {
  /** A hidden line that no other issue has: `<!-- flink-dbt-deploy drift production -->`. */
  readonly marker: string;
  readonly label: string;
  readonly title: string;
  readonly body: string | null;
}

export interface IssueOutcome {
  readonly what: "opened" | "updated" | "unchanged" | "closed" | "none";
  /** Its page; null where there is none. */
  readonly url: string | null;
}

interface Listed {
  readonly number: number;
  readonly title: string;
  readonly body: string | null;
  /** Null: the account is deleted. */
  readonly login: string | null;
  readonly url: string;
}

const permission = "issues: write";

const listed: Decoder<Listed> = fields((it) => ({
  number: it.get("number", number),
  title: it.get("title", string),
  body: it.get("body", nullable(string)),
  login: it.get("user", nullable(fields((user) => user.get("login", string)))),
  url: it.get("html_url", string),
}));

/**
 * Opens, brings up to date or closes the one issue of that marker. It is found by the marker and its author over all pages:
 * anybody may open an issue that holds the marker, and a label is dropped where the token may not give one. An issue that
 * says the same already is not touched.
 */
export async function keepIssue(api: GithubApi, { marker, label, title, body }: IssueWish): Promise<IssueOutcome> {
  const logins = await ownLogins(api);
  const find = async (): Promise<readonly Listed[]> => {
    const lists = [...logins].map((login) =>
      api.pages(`/issues?state=open&creator=${encodeURIComponent(login)}`, { decoder: listed, permission }),
    );
    // A forge may pass over the creator, and then each list holds the same.
    const open = new Map((await Promise.all(lists)).flat().map((issue) => [issue.number, issue]));
    return [...open.values()]
      .filter((issue) => issue.login !== null && logins.has(issue.login) && isMarked(issue, marker))
      .sort((a, b) => a.number - b.number);
  };
  const [issue, ...others] = await find();
  // Two runs at once may have opened one each.
  for (const { number: twin } of others) await close(api, twin);
  if (body === null) {
    if (issue === undefined) return { what: "none", url: null };
    await close(api, issue.number);
    return { what: "closed", url: issue.url };
  }
  const text = `${marker}\n${body}`;
  if (issue === undefined) {
    const opened = await api.create("/issues", {
      decoder: listed,
      permission,
      body: { title, body: text, labels: [label] },
      look: async () => (await find())[0] ?? null,
    });
    return { what: "opened", url: opened.url };
  }
  if (issue.title === title && issue.body === text) return { what: "unchanged", url: issue.url };
  await api.send("PATCH", `/issues/${issue.number}`, { decoder: listed, permission, body: { title, body: text } });
  return { what: "updated", url: issue.url };
}

function isMarked({ body }: Listed, marker: string): boolean {
  return (body ?? "").split(/\r?\n/)[0] === marker;
}

async function close(api: GithubApi, number: number): Promise<void> {
  const body = { state: "closed", state_reason: "completed" };
  await api.send("PATCH", `/issues/${number}`, { decoder: listed, permission, body });
}
