import { describeError, inOneLine } from "../errors.ts";
import { parseJson } from "../flink/parse-json.ts";

/**
 * The commit that a pull request would be merged into, from the event's payload; null for every other event.
 * An unreadable payload is treated as none, which is said: the user can always name `base`.
 */
export async function pullRequestBase(
  environment: NodeJS.ProcessEnv,
  read: (path: string) => Promise<string>,
  log: (line: string) => void,
): Promise<string | null> {
  const { GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: path } = environment;
  if (path === undefined || path === "" || !/^(pull_request|pull_request_target|merge_group)$/.test(name ?? ""))
    return null;
  try {
    const event: unknown = parseJson(await read(path));
    return textAt(event, ["pull_request", "base", "sha"]) ?? textAt(event, ["merge_group", "base_sha"]);
  } catch (error) {
    const why = inOneLine(describeError(error)).slice(0, 200);
    log(
      `GITHUB_EVENT_PATH cannot be read (${why}): where \`base\` is not named, the plan compares with what is deployed`,
    );
    return null;
  }
}

function textAt(value: unknown, path: readonly string[]): string | null {
  const [first, ...rest] = path;
  if (first === undefined) return typeof value === "string" && /^[0-9a-f]{40}$/.test(value) ? value : null;
  return typeof value === "object" && value !== null ? textAt(Reflect.get(value, first), rest) : null;
}
