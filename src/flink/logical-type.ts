import { type Decoder, Fields, list, nullable, number, string } from "./decode.ts";

/** A type as Flink prints it in SQL, with its own nullability apart. */
export interface SqlType {
  readonly type: string;
  readonly nullable: boolean;
}

// Flink's greatest length; VARCHAR and VARBINARY of it have names of their own.
const unbounded = 2_147_483_647;

/** The gateway describes a column by a JSON logical type; this prints it as DESCRIBE would. */
export const sqlType: Decoder<SqlType> = (value, path) => {
  const fields = new Fields(value, path);
  // Absent in a few answers, where Flink means its default.
  const isNullable =
    fields.get(
      "nullable",
      nullable((found) => found === true),
    ) ?? true;
  return { type: printed(fields), nullable: isNullable };
};

const nestedType: Decoder<string> = (value, path) => {
  const { type, nullable } = sqlType(value, path);
  return nullable ? type : `${type} NOT NULL`;
};

const rowField: Decoder<string> = (value, path) => {
  const field = new Fields(value, path);
  return `\`${field.get("name", string).replaceAll("`", "``")}\` ${field.get("fieldType", nestedType)}`;
};

function printed(fields: Fields): string {
  const root = fields.get("type", string);
  const given = (name: string): number | null => fields.get(name, nullable(number));
  const precision = (): string => (given("precision") === null ? "" : `(${given("precision")})`);
  switch (root) {
    case "INTEGER":
      return "INT";
    case "CHAR":
    case "BINARY":
      return `${root}(${given("length") ?? 1})`;
    case "VARCHAR":
      return given("length") === unbounded ? "STRING" : `VARCHAR(${given("length") ?? 1})`;
    case "VARBINARY":
      return given("length") === unbounded ? "BYTES" : `VARBINARY(${given("length") ?? 1})`;
    case "DECIMAL":
      return `DECIMAL(${given("precision") ?? 10}, ${given("scale") ?? 0})`;
    case "TIME_WITHOUT_TIME_ZONE":
      return `TIME${precision()}`;
    case "TIMESTAMP_WITHOUT_TIME_ZONE":
      return `TIMESTAMP${precision()}`;
    case "TIMESTAMP_WITH_LOCAL_TIME_ZONE":
      return `TIMESTAMP_LTZ${precision()}`;
    case "TIMESTAMP_WITH_TIME_ZONE":
      return `TIMESTAMP${precision()} WITH TIME ZONE`;
    case "ARRAY":
    case "MULTISET":
      return `${root}<${fields.get("elementType", nestedType)}>`;
    case "MAP":
      return `MAP<${fields.get("keyType", nestedType)}, ${fields.get("valueType", nestedType)}>`;
    case "ROW":
      return `ROW<${fields.get("fields", list(rowField)).join(", ")}>`;
    default:
      // BIGINT, DATE and the like print as they are named; so does a type that a later Flink adds.
      return root;
  }
}
