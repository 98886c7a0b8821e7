import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { describeError } from "../errors.ts";
import { megabytes } from "../flink/megabytes.ts";
import { parseJson } from "../flink/parse-json.ts";
import { rememberSecretsIn, rememberSecretsOf } from "../secrets.ts";
import { isAboutJobs, isQuery, leadingWords, nodeIdOf } from "./query-comment.ts";
import { errorReply, type GatewayAnswer, noFailures, okAnswer, resultReply } from "./recorder-reply.ts";
import type { RecordedStatement } from "./recording.ts";

/**
 * Gives a real answer for a statement that needs one, in a session where the statements `before` were run in order.
 * What it throws reaches dbt as the gateway's error, with the message it carries.
 */
export type Answer = (statement: string, before: readonly RecordedStatement[]) => Promise<GatewayAnswer>;

/** A SQL Gateway on loopback that runs nothing: it keeps what it is sent, in order. */
export interface Recorder extends AsyncDisposable {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Everything sent so far, or since `clear`, over all sessions. */
  statements(): readonly RecordedStatement[];
  clear(): void;
}

export interface RecorderOptions {
  readonly answer: Answer;
}

type Outcome = { readonly kind: "answer"; readonly answer: GatewayAnswer } | { readonly kind: "error"; text: string };
type Sessions = Map<string, Map<string, Promise<Outcome>>>;
interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** Starts a recorder on a free port of 127.0.0.1; it speaks V1 of the protocol and takes /v2 to /v4 for the same. */
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const sessions: Sessions = new Map();
  let recorded: RecordedStatement[] = [];
  let size = 0;
  const run = (statement: string, executionConfig: Readonly<Record<string, string>>): Promise<Outcome> => {
    size += statement.length;
    if (size > maxRecordedBytes) {
      const text = `the project sends more than ${megabytes(maxRecordedBytes)} of statements`;
      return Promise.resolve({ kind: "error", text });
    }
    const before = recorded.slice();
    // Before anyone is told of it: an error may repeat a value without the key that tells that it is a secret.
    rememberSecretsIn(statement);
    rememberSecretsOf(executionConfig);
    recorded.push({ sql: statement, executionConfig, nodeId: nodeIdOf(statement) });
    return answerStatement(statement, before, options.answer);
  };
  const server = createServer((request, response) => {
    reply(request, sessions, run)
      .catch((error: unknown): Reply => ({ status: 500, body: errorReply(describeError(error)) }))
      .then((result) => send(response, result));
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    host: "127.0.0.1",
    port,
    statements: () => recorded.slice(),
    clear: () => {
      recorded = [];
      size = 0;
    },
    [Symbol.asyncDispose]: () => close(server),
  };
}

/** Rows that exist nowhere but in a planner are asked for; everything else is answered as a gateway in good health. */
async function answerStatement(
  statement: string,
  before: readonly RecordedStatement[],
  answer: Answer,
): Promise<Outcome> {
  try {
    const known = isTest(statement) ? noFailures : isQuery(statement) ? null : knownAnswer(leadingWords(statement, 2));
    return { kind: "answer", answer: known ?? (await answer(statement, before)) };
  } catch (error) {
    return { kind: "error", text: describeError(error) };
  }
}

/** dbt's tests read data, and there is none here. */
function isTest(statement: string): boolean {
  return /\/\*\*[^*]*\btest_query\(/.test(statement);
}

function knownAnswer([first = "", second = ""]: readonly string[]): GatewayAnswer {
  if (isAboutJobs(first, second)) {
    const columns = ["job id", "job name", "status", "start time"].map((name) => ({ name, type: "STRING" }));
    return { columns, rows: [] };
  }
  if (first === "STOP") return { columns: [{ name: "result", type: "STRING" }], rows: [] };
  return okAnswer;
}

async function reply(
  request: IncomingMessage,
  sessions: Sessions,
  run: (statement: string, config: Readonly<Record<string, string>>) => Promise<Outcome>,
): Promise<Reply> {
  const body = await readBody(request);
  const path = new URL(request.url ?? "/", "http://recorder").pathname.replace(/^\/v[1-4](?=\/)/, "");
  const [root, handle, part, operation, verb] = path.split("/").slice(1);
  if (root === "info") return ok({ productName: "Apache Flink", version: "recorder" });
  if (root === "api_versions") return ok({ versions: ["V1", "V2", "V3", "V4"] });
  if (root !== "sessions") return { status: 404, body: errorReply(`Not found: ${path}`) };
  if (handle === undefined) return ok({ sessionHandle: open(sessions) });
  const operations = sessions.get(handle);
  if (operations === undefined) return { status: 500, body: errorReply(`Session '${handle}' does not exist.`) };

  switch (part) {
    case undefined:
      if (request.method !== "DELETE") return ok({ properties: {} });
      sessions.delete(handle);
      return ok({ status: "CLOSED" });
    case "heartbeat":
      return ok({});
    case "configure-session":
      await run(textOf(body, "statement"), {});
      return ok({});
    case "statements": {
      const id = crypto.randomUUID();
      operations.set(id, run(textOf(body, "statement"), configOf(body)));
      return ok({ operationHandle: id });
    }
    case "operations":
      return operationReply(path, operation === undefined ? undefined : operations.get(operation), verb);
    default:
      return { status: 404, body: errorReply(`Not found: ${path}`) };
  }
}

/** The adapter polls every 100 ms while a status is RUNNING, so a status is held back until it is final. */
async function operationReply(path: string, pending: Promise<Outcome> | undefined, verb?: string): Promise<Reply> {
  if (pending === undefined) return { status: 500, body: errorReply(`Can not find the submitted operation: ${path}`) };
  if (verb === "cancel") return ok({ status: "CANCELED" });
  if (verb === "close" || verb === undefined) return ok({ status: "CLOSED" });
  const outcome = await pending;
  if (verb === "status") return ok({ status: outcome.kind === "error" ? "ERROR" : "FINISHED" });
  return outcome.kind === "error" ? { status: 500, body: errorReply(outcome.text) } : ok(resultReply(outcome.answer));
}

function open(sessions: Sessions): string {
  const handle = crypto.randomUUID();
  sessions.set(handle, new Map());
  return handle;
}

function ok(body: unknown): Reply {
  return { status: 200, body };
}

function textOf(body: unknown, key: string): string {
  const value: unknown = typeof body === "object" && body !== null ? Reflect.get(body, key) : undefined;
  if (typeof value !== "string") throw new Error(`the request has no ${key}`);
  return value;
}

function configOf(body: unknown): Readonly<Record<string, string>> {
  const value: unknown = typeof body === "object" && body !== null ? Reflect.get(body, "executionConfig") : undefined;
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, String(entry)]));
}

/** A gateway takes statements of a few MB at most. */
const maxRequestBytes = 16 * 1024 * 1024;
/** Everything that a project sends: 500 models of 100 KB are a fifth of it. */
const maxRecordedBytes = 256 * 1024 * 1024;

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > maxRequestBytes)
      throw new Error(`a statement of more than ${megabytes(maxRequestBytes)} is not recorded`);
    chunks.push(chunk as Buffer);
  }
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? {} : parseJson(text);
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { "content-type": "application/json; charset=UTF-8" });
  response.end(JSON.stringify(body));
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      if (typeof address === "object" && address !== null) resolve(address.port);
      else reject(new Error("the recorder has no port"));
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
