import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCompiledPlan, encodeCompiledPlan, renumber } from "../../../src/planner/compiled-plan.ts";
import { parseExactJson, writeExactJson } from "../../../src/planner/exact-json.ts";

/** A join of two sources into a sink, as Flink would write it if its counter stood at `first`. */
function joinPlan(first: number, order: readonly number[] = [0, 1, 2, 3], sinkEdgeFirst = false): string {
  const nodes = [
    { id: first, type: "stream-exec-table-source-scan_2", description: "TableSourceScan(left)" },
    { id: first + 5, type: "stream-exec-table-source-scan_2", description: "TableSourceScan(right)" },
    { type: "stream-exec-join_1", description: "Join", id: first + 6, state: [{ ttl: "0 ms" }] },
    { id: first + 7, type: "stream-exec-sink_2", description: "Sink" },
  ];
  const toJoin = [
    { source: first, target: first + 6, shuffle: { type: "FORWARD" } },
    { target: first + 6, source: first + 5 },
  ];
  const toSink = { source: first + 6, target: first + 7 };
  const edges = sinkEdgeFirst ? [toSink, ...toJoin] : [...toJoin, toSink];
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

test("the canonical text depends neither on Flink's counter nor on the order of nodes and edges", () => {
  const counter = fc.integer({ min: 1, max: 100_000 });
  const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 });
  fc.assert(
    fc.property(counter, order, fc.boolean(), (first, nodes, sinkEdgeFirst) => {
      expect(canonical(joinPlan(first, nodes, sinkEdgeFirst))).toBe(canonical(joinPlan(1)));
    }),
  );
});

test("the order of a join's inputs is kept: it is no other plan's", () => {
  const swapped = JSON.parse(joinPlan(1)) as { edges: unknown[] };
  expect(canonical(JSON.stringify({ ...swapped, edges: swapped.edges.toReversed() }))).not.toBe(canonical(joinPlan(1)));
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

test("keys are sorted, at every depth", () => {
  expect(writeExactJson(parseExactJson('{"b":[{"d":1,"c":2}],"a":3}'))).toBe('{"a":3,"b":[{"c":2,"d":1}]}');
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
