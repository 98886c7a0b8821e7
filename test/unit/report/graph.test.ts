import { expect, test } from "vitest";
import type { GraphNode } from "../../../src/planner/explanation.ts";
import { compareGraphs, mermaidGraph } from "../../../src/report/graph.ts";

const node = (id: number, label: string, detail: string, parallelism = 1): GraphNode => ({
  id,
  label,
  description: `${label}(${detail})`,
  inputs: id === 1 ? [] : [id - 1],
  parallelism,
});
const explanation = (graph: readonly GraphNode[]) => ({ plan: "", advice: null, graph, compiledPlan: null });
const before = [
  node(1, "Source: orders", "x"),
  node(2, "Calc", "id > 1"),
  node(3, "Rank", "3"),
  node(4, "Sink: t", "x"),
];
const after = [node(1, "Source: orders", "x", 2), node(2, "Calc", "id > 2"), node(3, "Sink: t", "x")];

test("operators are new or changed, only scaled, or gone", () => {
  const compared = compareGraphs(before, after);
  expect([...compared.changed]).toEqual([2]);
  expect([...compared.scaled]).toEqual([[1, 1]]);
  expect(compared.gone).toEqual(["Rank"]);
});

test("a second operator like one that was there is new", () => {
  const twins = [node(1, "Calc", "a"), node(2, "Calc", "a")];
  expect([...compareGraphs([node(1, "Calc", "a")], twins).changed]).toEqual([2]);
});

test("the graph marks what changed and says how parallelism changed", () => {
  expect(mermaidGraph(explanation(before), explanation(after))).toBe(
    `flowchart LR
  n1["Source: orders ×1 → ×2"]
  n2["Calc<br/>id #62; 2"]:::changed
  n3["Sink: t"]
  n1 --> n2
  n2 --> n3
  classDef changed fill:#fff3cd,stroke:#d4a72c,stroke-width:2px,color:#1f2328`,
  );
});

test("a new job's graph marks nothing", () => {
  expect(mermaidGraph(null, explanation(after))).not.toContain("changed");
});

test("no text of an operator ends its label or gives Mermaid an order", () => {
  const hostile = mermaidGraph(
    null,
    explanation([node(1, 'a"]; click n1 "javascript:x"', '%%{init: {}}%% <b> $$x$$ fa:fa-x `"')]),
  );
  const label = /^ {2}n1\["(.*)"\]$/m.exec(hostile)?.[1] ?? "";
  expect(label.replace("<br/>", "").replace(/#\d+;/g, "")).not.toMatch(/["<>%{}$`\\;&#]|fa:fa|javascript:/);
});
