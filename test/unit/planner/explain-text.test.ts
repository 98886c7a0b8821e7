import { expect, test } from "vitest";
import { decodeExplanation } from "../../../src/planner/explain-text.ts";

const answer = (first: number, advice: string): string => `== Abstract Syntax Tree ==
LogicalSink(table=[t])

== Optimized Physical Plan With Advice ==
Sink(table=[t])

${advice}

== Optimized Execution Plan ==
Join(where=[(a = 'x
== Physical Execution Plan ==
y')])
:- Calc(select=[a])(reuse_id=[${first}])
+- Reused(reference_id=[${first}])

== Physical Execution Plan ==
{
  "nodes" : [ {
    "id" : ${first},
    "type" : "Source: orders[${first + 40}]",
    "contents" : "[${first + 40}]:TableSourceScan(table=[[c, d, orders]])",
    "parallelism" : 2
  }, {
    "id" : ${first + 2},
    "type" : "t[${first + 41}]: Writer",
    "contents" : "t[${first + 41}]: Writer",
    "parallelism" : 1,
    "predecessors" : [ { "id" : ${first}, "ship_strategy" : "HASH", "side" : "second" } ]
  } ]
}`;
const none = "No available advice...";

test("Flink's counters do not show: the same plan explained twice is the same", () => {
  expect(decodeExplanation(answer(7, none))).toEqual(decodeExplanation(answer(93, none)));
});

test("the graph has ids from 1, types without numbers, and edges", () => {
  expect(decodeExplanation(answer(7, none)).graph).toMatchObject([
    {
      id: 1,
      label: "Source: orders",
      description: "TableSourceScan(table=[[c, d, orders]])",
      inputs: [],
      parallelism: 2,
    },
    { id: 2, label: "t: Writer", inputs: [1], parallelism: 1 },
  ]);
});

test("a heading within a literal of the query does not hide the graph", () => {
  expect(decodeExplanation(answer(7, none)).plan).toBe("Join(where=[(a = 'x");
  expect(decodeExplanation(answer(7, none)).graph).toHaveLength(2);
});

test("numbers of shared parts follow the order in which they are shown", () => {
  const plan = (one: number, other: number): string =>
    `== Optimized Execution Plan ==\nA(reuse_id=[${one}])\nB(reuse_id=[${other}])\nReused(reference_id=[${other}])`;
  expect(decodeExplanation(plan(9, 4)).plan).toBe("A(reuse_id=[1])\nB(reuse_id=[2])\nReused(reference_id=[2])");
});

test("advice is given where there is some", () => {
  expect(decodeExplanation(answer(7, none)).advice).toBeNull();
  const two = "advice[1]: [ADVICE] use mini-batch\nadvice[2]: [WARNING] nondeterministic";
  expect(decodeExplanation(answer(7, two)).advice).toBe("[ADVICE] use mini-batch\n[WARNING] nondeterministic");
});
