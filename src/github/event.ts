/**
 * The commit that a pull request would be merged into, from the event's payload; null for every other event.
 * An unreadable payload is treated as none: the user can always name `base`.
 */
export async function pullRequestBase(
  environment: NodeJS.ProcessEnv,
  read: (path: string) => Promise<string>,
): Promise<string | null> {
  const { GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: path } = environment;
  if (path === undefined || path === "" || !/^(pull_request|pull_request_target|merge_group)$/.test(name ?? ""))
    return null;
  try {
    const event: unknown = JSON.parse(await read(path));
    return textAt(event, ["pull_request", "base", "sha"]) ?? textAt(event, ["merge_group", "base_sha"]);
  } catch {
    return null;
  }
}

function textAt(value: unknown, path: readonly string[]): string | null {
  const [first, ...rest] = path;
  if (first === undefined) return typeof value === "string" && /^[0-9a-f]{40}$/.test(value) ? value : null;
  return typeof value === "object" && value !== null ? textAt(Reflect.get(value, first), rest) : null;
}
