import { meaningful, type Token, tokenize } from "../project/tokens.ts";

/**
 * A project's statement without what would load code into the planner, which runs on the machine of whoever plans a
 * stranger's change: `USING JAR` of a function is cut, `ADD JAR` is left out (null). Functions of a jar can be planned
 * where the workflow names the jar in `connectors` or `init-sql`.
 */
export function withoutForeignCode(sql: string): string | null {
  const tokens = meaningful(tokenize(sql));
  const word = (token: Token | undefined): string => (token?.kind === "word" ? token.text.toUpperCase() : "");
  if (word(tokens[0]) === "ADD" && word(tokens[1]) === "JAR") return null;
  const isFunction =
    /^(CREATE|ALTER)$/.test(word(tokens[0])) && tokens.slice(1, 6).some((token) => word(token) === "FUNCTION");
  if (!isFunction) return sql;
  const using = tokens.findIndex(
    (token, at) => word(token) === "USING" && /^(JAR|ARTIFACT)$/.test(word(tokens[at + 1])),
  );
  const cut = tokens[using];
  return using === -1 || cut === undefined ? sql : sql.slice(0, cut.start).trimEnd();
}
