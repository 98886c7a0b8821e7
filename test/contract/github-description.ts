import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import type { Exchange } from "../fakes/fake-github.ts";

interface Operation {
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: { readonly properties?: object } | null;
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** What GitHub publishes of its REST API, as far as it is used here (scripts/github-description.ts). */
const description: Description = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "fixtures", "github-api.json"), "utf8"),
);

const ajv = new Ajv({
  strict: false,
  allErrors: true,
  formats: {
    // Where a URL is not given, GitHub has an empty text.
    uri: (text: string) => text === "" || URL.canParse(text),
    "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
    email: true,
    int64: true,
    "timestamp-with-timezone": true,
  },
});
ajv.addSchema({ ...description, $id: "github" });

/** What GitHub does and does not write down: a missing permission, limits, a request that cannot be, an outage. */
const everywhere = new Set([400, 401, 403, 404, 422, 429]);

/** Where an exchange is otherwise than GitHub describes it: what was asked, and what was replied. */
export function violations(exchanges: readonly Exchange[]): readonly string[] {
  return [...new Set(exchanges.flatMap(violationsOf))];
}

function violationsOf({ request, reply }: Exchange): readonly string[] {
  const shown = `${request.method} ${request.path}`;
  // Another language, with a description of its own.
  if (request.path === "/graphql") return [];
  const found = operationAt(request.method, request.path);
  if (found === null) return [`${shown}: GitHub describes no such operation`];
  const { name, operation } = found;
  const unknown = [...request.query.keys()].filter((key) => !Object.hasOwn(operation.query, key));
  const problems = [
    ...unknown.map((key) => `has no query ${key}`),
    ...sent(name, operation, request.body),
    ...received(name, operation, reply),
  ];
  return problems.map((problem) => `${name}: ${problem}`);
}

/** Every operation that the exchanges used, as `GET /repos/{owner}/{repo}/pulls 200`. */
export function usedOperations(exchanges: readonly Exchange[]): ReadonlySet<string> {
  return new Set(
    exchanges.map(({ request, reply }) => `${operationAt(request.method, request.path)?.name} ${reply.status}`),
  );
}

/** The literal path goes before one with a parameter in the same place. */
function operationAt(method: string, path: string): { readonly name: string; readonly operation: Operation } | null {
  const normal = path.replace(/^\/repositories\/\d+/, "/repos/acme/shop");
  const names = Object.keys(description.paths).toSorted((a, b) => a.split("{").length - b.split("{").length);
  for (const name of names) {
    const operation = description.paths[name]?.[method.toLowerCase()];
    const pattern = new RegExp(`^${name.replaceAll(/\{\w+\}/g, "[^/]+")}$`);
    if (operation !== undefined && pattern.test(normal)) return { name: `${method} ${name}`, operation };
  }
  return null;
}

function sent(name: string, { body: schema }: Operation, body: Buffer): readonly string[] {
  if (body.byteLength === 0) return [];
  if (schema === null) return ["takes no body"];
  const value: unknown = JSON.parse(body.toString("utf8"));
  const fields = typeof value === "object" && value !== null ? Object.keys(value) : [];
  const unknown = fields.filter((field) => !Object.hasOwn(schema.properties ?? {}, field));
  return [
    ...unknown.map((field) => `takes no ${field}`),
    ...problemsOf(`${name} body`, schema, value).map((problem) => `the body sent ${problem}`),
  ];
}

function received(name: string, { responses }: Operation, { status, body }: Exchange["reply"]): readonly string[] {
  const schema = responses[String(status)];
  if (schema === undefined) return everywhere.has(status) ? [] : [`answers no ${status}`];
  const isEmpty = body === undefined || Buffer.isBuffer(body);
  if (schema === null) return isEmpty ? [] : [`${status} has no body`];
  // As it is sent: a field that is undefined is none.
  const value: unknown = isEmpty ? undefined : JSON.parse(JSON.stringify(body));
  return problemsOf(`${name} ${status}`, schema, value).map((problem) => `the ${status} ${problem}`);
}

const compiled = new Map<string, ValidateFunction>();

function problemsOf(key: string, schema: object, value: unknown): readonly string[] {
  const rooted = JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"github#/components'));
  const validate = compiled.get(key) ?? ajv.compile(rooted);
  compiled.set(key, validate);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `at ${instancePath || "/"} ${message}`);
}
