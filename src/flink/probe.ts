/** The config key by which a started process is told from another that answers on the same port. */
export const instanceKey = "flink-dbt-deploy.instance";

/**
 * Whether our gateway answers at the URL and opens sessions. The first session of a gateway loads much of Flink, so
 * it is well spent here.
 */
export async function gatewayIsReady(url: string, instance: string): Promise<boolean> {
  if ((await json(`${url}/v1/info`)) === null) return false;
  const handle = field(await json(`${url}/v1/sessions`, "POST"), "sessionHandle");
  if (typeof handle !== "string") return false;
  const session = `${url}/v1/sessions/${handle}`;
  const found = field(field(await json(session), "properties"), instanceKey);
  await json(session, "DELETE");
  return found === instance;
}

/** Whether our JobManager answers at the URL and every one of these TaskManagers has registered its slots. */
export async function clusterIsReady(
  url: string,
  instance: string,
  taskManagers: readonly string[],
  slots: number,
): Promise<boolean> {
  const config = await json(`${url}/jobmanager/config`);
  const isOurs = list(config).some(
    (entry) => field(entry, "key") === instanceKey && field(entry, "value") === instance,
  );
  if (!isOurs) return false;
  const registered = list(field(await json(`${url}/taskmanagers`), "taskmanagers"));
  return taskManagers.every((id) =>
    registered.some((entry) => field(entry, "id") === id && field(entry, "slotsNumber") === slots),
  );
}

/** Null where nothing answers yet, or something other than JSON with a good status. */
async function json(url: string, method: "GET" | "POST" | "DELETE" = "GET"): Promise<unknown> {
  try {
    const body = method === "POST" ? { body: "{}", headers: { "content-type": "application/json" } } : {};
    const response = await fetch(url, { method, signal: AbortSignal.timeout(10_000), ...body });
    const text = await textOf(response);
    return response.ok ? (JSON.parse(text) as unknown) : null;
  } catch {
    return null;
  }
}

/** Whatever else listens on that port may answer without an end. */
const maxBytes = 1024 * 1024;

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw new Error("this is no answer of Flink's");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
