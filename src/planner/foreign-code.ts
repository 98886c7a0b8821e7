import type { Config } from "../project/job.ts";
import { shapeOf } from "../project/statement.ts";
import { meaningful, type Token, tokenize } from "../project/tokens.ts";

/**
 * A project's statement without what would load code into the planner, which runs on the machine of whoever plans a
 * stranger's change: `USING JAR` of a function is cut; `ADD JAR` and a SET of jars are left out (null). Functions of a jar can be planned
 * where the workflow names the jar in `connectors` or `init-sql`.
 */
export function withoutForeignCode(sql: string): string | null {
  const tokens = meaningful(tokenize(sql));
  const word = (token: Token | undefined): string => (token?.kind === "word" ? token.text.toUpperCase() : "");
  if (word(tokens[0]) === "ADD" && word(tokens[1]) === "JAR") return null;
  const shape = shapeOf(sql);
  if (shape.kind === "set" && isForeign(shape.key)) return null;
  const isFunction =
    /^(CREATE|ALTER)$/.test(word(tokens[0])) && tokens.slice(1, 6).some((token) => word(token) === "FUNCTION");
  if (!isFunction) return sql;
  const using = tokens.findIndex(
    (token, at) => word(token) === "USING" && /^(JAR|ARTIFACT)$/.test(word(tokens[at + 1])),
  );
  const cut = tokens[using];
  return using === -1 || cut === undefined ? sql : sql.slice(0, cut.start).trimEnd();
}

/** The same of a config that goes with a statement. */
export function withoutForeignConfig(config: Config): Config {
  return Object.fromEntries(Object.entries(config).filter(([key]) => !isForeign(key)));
}

/** Options that name jars, classes, files or interpreters to load. */
function isForeign(key: string): boolean {
  return /^\s*(pipeline\.(jars|classpaths|cached-files)|python\.|env\.|plugin\.|classloader\.|sql-gateway\.)/i.test(
    key,
  );
}
