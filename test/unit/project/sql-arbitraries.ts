import fc from "fast-check";

/** A statement as the texts of its tokens, so that a test knows what a lexer must find. */
export type Tokens = readonly string[];

const plainName = fc.constantFrom("orders", "customer_id", "Amount", "t1", "x$y", "_z", "shop");
const quotedName = fc
  .string({
    unit: fc.constantFrom("a", "B", " ", "``", "'", "-", "/", "*", ";", "(", ".", "é", "中", "😀"),
    minLength: 1,
  })
  .map((name) => `\`${name}\``);
export const name = fc.oneof({ weight: 3, arbitrary: plainName }, quotedName);

const stringUnit = fc.constantFrom(
  "a",
  " ",
  "''",
  "`",
  "--",
  "/*",
  "*/",
  ";",
  ")",
  '"',
  "\n",
  "é",
  "中",
  "😀",
  "{",
  "\\",
);
export const text = fc.string({ unit: stringUnit }).map((inner) => `'${inner}'`);
const literal = fc.oneof(text, fc.constantFrom("1", "0.5", "12.25", "1E5", "TRUE", "NULL"));

const { expression } = fc.letrec<{ expression: Tokens }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 3, depthSize: "small", withCrossShrink: true },
    fc.oneof(name, literal).map((token) => [token]),
    fc.tuple(name, name).map(([table, column]) => [table, ".", column]),
    fc
      .tuple(tie("expression"), fc.constantFrom("+", "-", "*", "/", "||", "=", "<>", "<=", "AND"), tie("expression"))
      .map(([left, operator, right]) => ["(", ...left, operator, ...right, ")"]),
    tie("expression").map((of) => ["COALESCE", "(", ...of, ",", "0", ")"]),
    tie("expression").map((of) => ["CASE", "WHEN", ...of, "IS", "NULL", "THEN", "1", "ELSE", "2", "END"]),
    tie("expression").map((of) => ["CAST", "(", ...of, "AS", "STRING", ")"]),
  ),
}));

const query = fc
  .tuple(fc.array(expression, { minLength: 1, maxLength: 3 }), name, fc.option(expression), fc.option(name))
  .map(
    ([columns, table, condition, key]): Tokens => [
      "SELECT",
      ...columns.flatMap((column, at) => (at === 0 ? column : [",", ...column])),
      "FROM",
      table,
      ...(condition === null ? [] : ["WHERE", ...condition]),
      ...(key === null ? [] : ["GROUP", "BY", key]),
    ],
  );

const option = fc.tuple(fc.constantFrom("'connector'", "'path'", "'a;b'"), text);
const options = fc
  .uniqueArray(option, { minLength: 1, selector: ([key]) => key })
  .map(
    (pairs): Tokens => [
      "WITH",
      "(",
      ...pairs.flatMap(([key, value], at) => [...(at === 0 ? [] : [","]), key, "=", value]),
      ")",
    ],
  );

/** Statements of Flink SQL: SELECT, INSERT, CREATE VIEW, CREATE TABLE AS. */
export const statement: fc.Arbitrary<Tokens> = fc.oneof(
  query,
  fc.tuple(name, query).map(([target, of]) => ["INSERT", "INTO", target, ...of]),
  fc.tuple(name, query).map(([view, of]) => ["CREATE", "VIEW", view, "AS", ...of]),
  fc.tuple(name, options, query).map(([table, clause, of]) => ["CREATE", "TABLE", table, ...clause, "AS", ...of]),
);

const commentUnit = fc.constantFrom("a", " ", "'", "`", ";", "(", "--", "é", "😀", "end");
const lineComment = fc.string({ unit: commentUnit, maxLength: 6 }).map((inner) => `--${inner}\n`);
const blockComment = fc
  .string({ unit: fc.oneof(commentUnit, fc.constant("\n"), fc.constant("/* ")), maxLength: 6 })
  .map((inner) => `/* ${inner} */`);
/** What may stand between two tokens and means nothing. */
export const trivia = fc
  .array(fc.oneof(fc.constantFrom(" ", "\n", "\t", "\r\n"), lineComment, blockComment), { maxLength: 3 })
  .map((parts) => ` ${parts.join("")} `);

/** A text of these tokens with anything that means nothing between them. */
export function written(tokens: Tokens): fc.Arbitrary<string> {
  return fc.array(trivia, { minLength: tokens.length + 1, maxLength: tokens.length + 1 }).map((between) => {
    return tokens.map((token, at) => `${between[at] ?? " "}${token}`).join("") + (between.at(-1) ?? "");
  });
}
