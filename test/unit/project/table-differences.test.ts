import { expect, test } from "vitest";
import { tableDifferences } from "../../../src/project/table-differences.ts";

/** As SHOW CREATE TABLE answers on Flink 1.20.3. */
function shown(columns: string, options: string, clauses = ""): string {
  return `CREATE TABLE \`lake\`.\`db\`.\`t\` (\n  ${columns}\n) ${clauses}WITH (\n  ${options}\n)\n`;
}

const told = (existing: string, declared: string) =>
  tableDifferences(existing, declared).map(({ text, isCertain }) => `${isCertain ? "" : "perhaps "}${text}`);

test("what a catalog keeps as it was declared has no difference, whatever its name, its comments and its order of options", () => {
  const existing = shown(
    "`id` BIGINT COMMENT 'the id'",
    "'connector' = 'kafka',\n  'topic' = 'a'",
    "COMMENT 'a table'\n",
  );
  const declared = shown("`id` BIGINT", "'topic' = 'a',\n  'connector' = 'kafka'").replace(
    "CREATE",
    "CREATE TEMPORARY",
  );
  expect(told(existing, declared)).toEqual([]);
});

test("columns, watermark, key, layout and options of a table with a connector are compared to the letter", () => {
  const existing = shown(
    "`id` BIGINT NOT NULL,\n  `amount` INT,\n  `gone` STRING,\n  CONSTRAINT `PK_id` PRIMARY KEY (`id`) NOT ENFORCED",
    "'connector' = 'kafka',\n  'topic' = 'a',\n  'password' = 'hunter1',\n  'added' = '1'",
  );
  const declared = shown(
    "`id` BIGINT NOT NULL,\n  `amount` DECIMAL(10, 2),\n  `ts` TIMESTAMP(3) METADATA FROM 'timestamp',\n  WATERMARK FOR `ts` AS `ts` - INTERVAL '5' SECOND",
    "'connector' = 'kafka',\n  'topic' = 'b',\n  'password' = 'hunter2',\n  'new' = '2'",
    "PARTITIONED BY (`id`)\n",
  );
  expect(told(existing, declared)).toEqual([
    "column amount is INT there and DECIMAL(10, 2) in the project",
    "column ts is missing there and TIMESTAMP(3) METADATA FROM 'timestamp' in the project",
    "column gone is STRING there and missing in the project",
    "watermark is missing there and WATERMARK FOR ts AS ts - INTERVAL '5' SECOND in the project",
    "key is PRIMARY KEY(id) NOT ENFORCED there and missing in the project",
    "layout is missing there and PARTITIONED BY(id) in the project",
    "option 'new' is missing there and '2' in the project",
    "option 'password' is '******' there and '******' in the project",
    "option 'topic' is 'a' there and 'b' in the project",
    "perhaps option 'added' is '1' there and missing in the project",
  ]);
});

test("columns in another order are told, since INSERT goes by their place", () => {
  const options = "'connector' = 'kafka'";
  expect(told(shown("`a` INT,\n  `b` INT", options), shown("`b` INT,\n  `a` INT", options))).toEqual([
    "its columns are in another order",
  ]);
});

test("what Iceberg made of a statement is not certain to be another table, and what it keeps is compared", () => {
  const existing = shown(
    "`id` BIGINT NOT NULL,\n  `small` INT,\n  `name` VARCHAR(2147483647),\n  `amount` DECIMAL(10, 2),\n  `ts` TIMESTAMP(6),\n  `tl` TIMESTAMP(6) WITH LOCAL TIME ZONE,\n  `arr` ARRAY<ROW<`a` INT, `b` VARCHAR(2147483647)>>,\n  CONSTRAINT `6e266afa-892f-4b32-b013-6f35be176756` PRIMARY KEY (`id`) NOT ENFORCED",
    "'write.parquet.compression-codec' = 'zstd',\n  'write.upsert.enabled' = 'true'",
    "PARTITIONED BY (`name`)\n",
  );
  const declared = (amount: string, upsert: string) =>
    shown(
      `\`id\` BIGINT NOT NULL,\n  \`small\` TINYINT,\n  \`name\` VARCHAR(10),\n  \`amount\` ${amount},\n  \`ts\` TIMESTAMP(3),\n  \`tl\` TIMESTAMP(3) WITH LOCAL TIME ZONE,\n  \`arr\` ARRAY<ROW<\`a\` INT, \`b\` CHAR(3)>>,\n  CONSTRAINT \`PK_id\` PRIMARY KEY (\`id\`) NOT ENFORCED`,
      `'format-version' = '2',\n  'write.upsert.enabled' = '${upsert}'`,
      "PARTITIONED BY (`name`)\n",
    );
  const same = tableDifferences(existing, declared("DECIMAL(10, 2)", "true"));
  expect(same.map(({ isCertain }) => isCertain)).toEqual(Array.from({ length: 6 }, () => false));
  expect(same.at(-1)?.text).toBe("option 'format-version' is missing there and '2' in the project");
  const certain = tableDifferences(existing, declared("DECIMAL(12, 2)", "false")).filter(({ isCertain }) => isCertain);
  expect(certain.map(({ text }) => text)).toEqual([
    "column amount is DECIMAL(10, 2) there and DECIMAL(12, 2) in the project",
    "option 'write.upsert.enabled' is 'true' there and 'false' in the project",
  ]);
});

test("a place that Paimon writes in its own way is the same place, and what it adds is no difference", () => {
  const existing = shown("`id` BIGINT", "'bucket' = '2',\n  'path' = 'file:/lake/t'");
  expect(told(existing, shown("`id` BIGINT", "'bucket' = '2',\n  'path' = 'file:///lake/t/'"))).toEqual([]);
  expect(told(existing, shown("`id` BIGINT", "'bucket' = '2'"))).toEqual([]);
});

test("an option that only stands in for what the catalog would do is none of the project's", () => {
  const declared = shown("`id` BIGINT", "'connector' = 'blackhole'");
  expect(tableDifferences(shown("`id` BIGINT", "'bucket' = '2'"), declared, ["connector"])).toEqual([]);
  expect(told(shown("`id` BIGINT", "'bucket' = '2'"), declared)).toEqual([
    "option 'connector' is missing there and 'blackhole' in the project",
  ]);
});

test("what cannot be read is not called the same", () => {
  expect(told("CREATE MATERIALIZED TABLE t AS SELECT 1", shown("`id` BIGINT", "'a' = 'b'"))).toEqual([
    "perhaps they cannot be compared: Flink shows them in a way that is not known here",
  ]);
});
