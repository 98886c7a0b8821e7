import { join } from "node:path";
import { DeployError, describeError } from "../errors.ts";
import { isMissing, readText } from "../flink/read-text.ts";
import type { CompiledNode } from "./manifest.ts";
import { withoutQueryComment } from "./query-comment.ts";
import type { RecordedStatement } from "./recording.ts";

/** The gateway takes statements of a few MB at most. */
const maxStatementBytes = 16 * 1024 * 1024;

/** The statements that dbt wrote to target/run, by unique id; models that were not run have none. */
export async function readWritten(
  targetFolder: string,
  nodes: readonly CompiledNode[],
): Promise<Readonly<Record<string, string>>> {
  const models = nodes.filter((node) => node.resourceType === "model" || node.resourceType === "seed");
  const written = await Promise.all(
    models.map(async ({ uniqueId, packageName, originalPath }): Promise<readonly [string, string][]> => {
      const file = join(targetFolder, "run", packageName, originalPath);
      try {
        return [[uniqueId, await readText(file, maxStatementBytes)]];
      } catch (error) {
        if (isMissing(error)) return [];
        throw new DeployError("dbt-failed", `what dbt wrote for ${uniqueId} cannot be read: ${describeError(error)}`);
      }
    }),
  );
  return Object.fromEntries(written.flat());
}

/** Statements without a node id, as a project's own `query-comment` leaves them, are known by the text dbt wrote. */
export function attributeByText(
  statements: readonly RecordedStatement[],
  written: Readonly<Record<string, string>>,
): readonly RecordedStatement[] {
  const byText = new Map(Object.entries(written).map(([id, text]) => [unended(text), id]));
  return statements.map((statement) => {
    if (statement.nodeId !== null) return statement;
    const id = byText.get(unended(statement.sql)) ?? byText.get(unended(withoutQueryComment(statement.sql)));
    return id === undefined ? statement : { ...statement, nodeId: id };
  });
}

/** dbt puts an appended comment before the last semicolon. */
function unended(sql: string): string {
  return sql.trimStart().replace(/[\s;]+$/, "");
}
