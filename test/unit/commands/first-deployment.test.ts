import { describe, expect, test } from "vitest";
import { type Beginning, refuseLostLedger } from "../../../src/commands/first-deployment.ts";

const orders = { id: "1".repeat(32), name: "orders", state: "RUNNING" };
const stranger = { id: "2".repeat(32), name: "orders_daily", state: "RUNNING" };
const beginning: Beginning = {
  keeps: "for-a-while",
  isLedgerEmpty: true,
  isFirst: false,
  names: ["orders", "customers"],
  onCluster: [stranger, orders],
};
const begin =
  (changed: Partial<Beginning> = {}) =>
  () =>
    refuseLostLedger({ ...beginning, ...changed });

describe("a deployment with an empty ledger that is kept for a while only", () => {
  test("is refused where the cluster knows a job of that name", () => {
    expect(begin()).toThrow(
      expect.objectContaining({
        code: "ledger-lost",
        message: `the ledger is empty, but the cluster knows jobs of this project: orders (${orders.id}, RUNNING)`,
      }),
    );
  });

  test("is refused where that job has ended", () => {
    expect(begin({ onCluster: [{ ...orders, state: "CANCELED" }] })).toThrow(/CANCELED/);
  });

  test("names no more than five", () => {
    const onCluster = Array.from({ length: 9 }, (_, index) => ({ ...orders, id: String(index) }));
    expect(begin({ onCluster })).toThrow(/orders \(4, RUNNING\) and 4 more$/);
  });

  test("is the first where the cluster knows none of its jobs", () => {
    expect(begin({ onCluster: [stranger] })).not.toThrow();
  });

  test("is the first where the user says so", () => {
    expect(begin({ isFirst: true })).not.toThrow();
  });

  test("is none of this where the ledger has entries, or is kept for good", () => {
    expect(begin({ isLedgerEmpty: false })).not.toThrow();
    expect(begin({ keeps: "for-good" })).not.toThrow();
  });
});
