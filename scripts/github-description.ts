import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Makes test/fixtures/github-api.json: of GitHub's published OpenAPI description the operations that are used here, with
 * what they refer to, as JSON Schema and without prose. The package that holds it unpacks to 400 MB, so it is no
 * dependency; this script fetches it, and is run by hand where an operation or a newer version is wanted.
 */
const release = "@octokit/openapi@23.0.2";
const r = "/repos/{owner}/{repo}";
const operations: Readonly<Record<string, readonly string[]>> = {
  "/user": ["get"],
  [`${r}/actions/artifacts`]: ["get"],
  [`${r}/actions/artifacts/{artifact_id}`]: ["get"],
  [`${r}/actions/artifacts/{artifact_id}/{archive_format}`]: ["get"],
  [`${r}/actions/runs`]: ["get"],
  [`${r}/actions/runs/{run_id}`]: ["get"],
  [`${r}/actions/runs/{run_id}/artifacts`]: ["get"],
  [`${r}/collaborators/{username}/permission`]: ["get"],
  [`${r}/commits/{commit_sha}/pulls`]: ["get"],
  [`${r}/commits/{ref}/statuses`]: ["get"],
  [`${r}/deployments`]: ["get", "post"],
  [`${r}/deployments/{deployment_id}`]: ["get"],
  [`${r}/deployments/{deployment_id}/statuses`]: ["get", "post"],
  [`${r}/issues`]: ["get", "post"],
  [`${r}/issues/{issue_number}`]: ["get", "patch"],
  [`${r}/issues/{issue_number}/comments`]: ["get", "post"],
  [`${r}/issues/comments/{comment_id}`]: ["get", "patch", "delete"],
  [`${r}/issues/comments/{comment_id}/reactions`]: ["get", "post"],
  [`${r}/issues/comments/{comment_id}/reactions/{reaction_id}`]: ["delete"],
  [`${r}/pulls`]: ["get"],
  [`${r}/pulls/{pull_number}`]: ["get"],
  [`${r}/statuses/{sha}`]: ["post"],
};

type Value = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Value =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const objectAt = (value: unknown, ...path: readonly string[]): Value => {
  const found = path.reduce<unknown>((at, name) => (isObject(at) ? at[name] : undefined), value);
  return isObject(found) ? found : {};
};

const prose = new Set(["description", "example", "examples", "externalDocs", "discriminator", "deprecated", "title"]);

/** OpenAPI 3.0 says `nullable` where JSON Schema has a type of its own. */
function schemaOf(value: unknown, isNamed = false): unknown {
  if (Array.isArray(value)) return value.map((item) => schemaOf(item));
  if (!isObject(value)) return value;
  const { nullable, ...rest } = value;
  // The fields of an object may be called anything, `description` too.
  const kept = Object.entries(rest).filter(([name]) => isNamed || !(prose.has(name) || name.startsWith("x-")));
  const schema = Object.fromEntries(
    kept.map(([name, item]) => [name, schemaOf(item, !isNamed && name === "properties")]),
  );
  if (isNamed || nullable !== true) return schema;
  return { anyOf: [schema, { type: "null" }] };
}

function main(): void {
  const folder = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-openapi-"));
  try {
    const [file = ""] = JSON.parse(
      execFileSync("npm", ["pack", "--json", "--pack-destination", folder, release], { encoding: "utf8" }),
    ).map((packed: { filename: string }) => packed.filename);
    const inside = "package/generated/api.github.com.json";
    execFileSync("tar", ["-xzf", join(folder, file), "-C", folder, inside]);
    const description: unknown = JSON.parse(readFileSync(join(folder, inside), "utf8"));
    writeFileSync(
      join(import.meta.dirname, "..", "test", "fixtures", "github-api.json"),
      `${JSON.stringify(extract(description), null, 1)}\n`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function extract(description: unknown): Value {
  const resolved = (value: unknown): Value => {
    const reference = isObject(value) ? value.$ref : undefined;
    if (typeof reference !== "string") return isObject(value) ? value : {};
    return resolved(objectAt(description, ...reference.slice(2).split("/")));
  };
  const json = (content: unknown): unknown => {
    const { schema } = objectAt(resolved(content), "content", "application/json");
    return schema === undefined ? null : schemaOf(schema);
  };
  const paths = Object.entries(operations).map(([path, methods]) => {
    const item = objectAt(description, "paths", path);
    const described = methods.map((method) => {
      const operation = objectAt(item, method);
      const parameters = [item.parameters, operation.parameters].flatMap((all) => (Array.isArray(all) ? all : []));
      const query = parameters.map(resolved).filter((parameter) => parameter.in === "query");
      const responses = Object.entries(objectAt(operation, "responses"));
      return [
        method,
        {
          query: Object.fromEntries(query.map((parameter) => [parameter.name, schemaOf(parameter.schema)])),
          body: operation.requestBody === undefined ? null : json(operation.requestBody),
          responses: Object.fromEntries(responses.map(([status, response]) => [status, json(response)])),
        },
      ];
    });
    return [path, Object.fromEntries(described)];
  });
  const schemas: Record<string, unknown> = {};
  const collect = (value: unknown): void => {
    for (const [, name = ""] of JSON.stringify(value).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      if (Object.hasOwn(schemas, name)) continue;
      schemas[name] = schemaOf(objectAt(description, "components", "schemas", name));
      collect(schemas[name]);
    }
  };
  collect(paths);
  const from = `${release}, generated/api.github.com.json, MIT License, Copyright (c) 2020 Octokit contributors`;
  return { from, paths: Object.fromEntries(paths), components: { schemas } };
}

main();
