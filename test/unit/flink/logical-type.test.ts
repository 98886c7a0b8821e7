import { describe, expect, test } from "vitest";
import { sqlType } from "../../../src/flink/logical-type.ts";

const longest = 2147483647;
const int = { type: "INTEGER", nullable: false };
const string = { type: "VARCHAR", nullable: true, length: longest };

describe("a logical type of the gateway's JSON is printed as Flink prints it in SQL", () => {
  test.each([
    [int, "INT"],
    [{ type: "BIGINT" }, "BIGINT"],
    [{ type: "BOOLEAN" }, "BOOLEAN"],
    [{ type: "DATE" }, "DATE"],
    [string, "STRING"],
    [{ type: "VARCHAR", length: 10 }, "VARCHAR(10)"],
    [{ type: "CHAR", length: 3 }, "CHAR(3)"],
    [{ type: "VARBINARY", length: longest }, "BYTES"],
    [{ type: "VARBINARY", length: 5 }, "VARBINARY(5)"],
    [{ type: "BINARY", length: 2 }, "BINARY(2)"],
    [{ type: "DECIMAL", precision: 10, scale: 2 }, "DECIMAL(10, 2)"],
    [{ type: "TIME_WITHOUT_TIME_ZONE", precision: 0 }, "TIME(0)"],
    [{ type: "TIMESTAMP_WITHOUT_TIME_ZONE", precision: 3 }, "TIMESTAMP(3)"],
    [{ type: "TIMESTAMP_WITH_LOCAL_TIME_ZONE", precision: 6 }, "TIMESTAMP_LTZ(6)"],
    [{ type: "TIMESTAMP_WITH_TIME_ZONE", precision: 6 }, "TIMESTAMP(6) WITH TIME ZONE"],
    [{ type: "ARRAY", elementType: int }, "ARRAY<INT NOT NULL>"],
    [{ type: "MULTISET", elementType: string }, "MULTISET<STRING>"],
    [{ type: "MAP", keyType: int, valueType: string }, "MAP<INT NOT NULL, STRING>"],
    [
      {
        type: "ROW",
        fields: [
          { name: "EXPR$0", fieldType: int },
          { name: "a`b", fieldType: string },
        ],
      },
      "ROW<`EXPR$0` INT NOT NULL, `a``b` STRING>",
    ],
    [{ type: "A_LATER_TYPE" }, "A_LATER_TYPE"],
  ])("%j is %s", (logical, printed) => {
    expect(sqlType(logical, "").type).toBe(printed);
  });

  test("with its nullability apart", () => {
    expect(sqlType(int, "")).toEqual({ type: "INT", nullable: false });
    expect(sqlType(string, "")).toEqual({ type: "STRING", nullable: true });
  });

  test("and a wrong one is refused with its place", () => {
    const broken = { type: "ARRAY", elementType: { type: 1 } };
    expect(() => sqlType(broken, "columns[0]")).toThrow("columns[0].elementType.type is 1, not a string");
  });
});
