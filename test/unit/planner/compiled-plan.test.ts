import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCompiledPlan, encodeCompiledPlan, renumber } from "../../../src/planner/compiled-plan.ts";
import { parseExactJson, writeExactJson } from "../../../src/planner/exact-json.ts";

/** A join of two sources into a sink, as Flink would write it if its counter stood at `first`. */
function joinPlan(first: number, order: readonly number[] = [0, 1, 2, 3]): string {
  const nodes = [
    { id: first, type: "stream-exec-table-source-scan_2", description: "TableSourceScan(left)" },
    { id: first + 5, type: "stream-exec-table-source-scan_2", description: "TableSourceScan(right)" },
    { type: "stream-exec-join_1", description: "Join", id: first + 6, state: [{ ttl: "0 ms" }] },
    { id: first + 7, type: "stream-exec-sink_2", description: "Sink" },
  ];
  const edges = [
    { source: first, target: first + 6, shuffle: { type: "FORWARD" } },
    { source: first + 5, target: first + 6 },
    { source: first + 6, target: first + 7 },
  ];
  return JSON.stringify({ flinkVersion: "1.20", nodes: order.map((index) => nodes[index]), edges });
}

const canonical = (text: string): string => encodeCompiledPlan(renumber(decodeCompiledPlan(text)));

test("ids begin at 1, inputs before what reads them, the join's left input first", () => {
  const plan = renumber(decodeCompiledPlan(joinPlan(87)));
  expect(plan.nodes.map(({ id, description }) => [id, description])).toEqual([
    [1, "TableSourceScan(left)"],
    [2, "TableSourceScan(right)"],
    [3, "Join"],
    [4, "Sink"],
  ]);
  expect(plan.edges.map(({ source, target }) => [source, target])).toEqual([
    [1, 3],
    [2, 3],
    [3, 4],
  ]);
});

test("the canonical text depends neither on Flink's counter nor on the order of nodes", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100_000 }),
      fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
      (first, order) => {
        expect(canonical(joinPlan(first, order))).toBe(canonical(joinPlan(1)));
      },
    ),
  );
});

test("renumbering twice changes nothing", () => {
  expect(canonical(canonical(joinPlan(87)))).toBe(canonical(joinPlan(87)));
});

test("every field of a node stays", () => {
  expect(canonical(joinPlan(87))).toContain('"state":[{"ttl":"0 ms"}]');
});

test("a number keeps every digit, which a double would not", () => {
  const text = '{"a":9223372036854775806,"b":1.10,"c":"9223372036854775806","d":-0,"e":1E5,"f":[12]}';
  expect(writeExactJson(parseExactJson(text))).toBe(text);
});

test("any JSON comes back the same but for the order of keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      // U+0000 marks exact numbers, and cannot come from SQL.
      fc.pre(!text.includes("\\u0000"));
      expect(JSON.parse(writeExactJson(parseExactJson(text)))).toEqual(JSON.parse(text));
    }),
  );
});

test.each([
  ["{}", "flinkVersion is missing"],
  ['{"flinkVersion":"1.20","nodes":[{"type":"x"}],"edges":[]}', "nodes[0].id is missing"],
])("what is no compiled plan is refused by the place in it: %s", (text, message) => {
  expect(() => decodeCompiledPlan(text)).toThrow(message);
});
