import { expect, test } from "vitest";
import { nameOf, numberIn } from "../../../../src/ledger/stores/github/place.ts";

test("a name sorts as its number does, and is told from those of other environments and kinds", () => {
  expect(nameOf("prod", "ledger", 12)).toBe("flink-dbt-deploy.prod~0000000012");
  expect(nameOf("prod", "lock", 12)).toBe("flink-dbt-deploy.prod~lock.0000000012");
  expect(numberIn(`${nameOf("prod", "ledger", 12)}.1a2b`, "prod", "ledger")).toBe(12);
  expect(numberIn(nameOf("prod", "lock", 12), "prod", "lock")).toBe(12);
  expect(numberIn(nameOf("prod", "lock", 12), "prod", "ledger")).toBeNull();
  expect(numberIn(nameOf("prod", "ledger", 12), "prod", "lock")).toBeNull();
  expect(numberIn(nameOf("prod.eu", "ledger", 12), "prod", "ledger")).toBeNull();
  expect(numberIn("flink-dbt-deploy.prod~00000000123", "prod", "ledger")).toBeNull();
});
