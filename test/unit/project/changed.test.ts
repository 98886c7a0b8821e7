import { describe, expect, it } from "vitest";
import { type CompiledSide, maybeChanged } from "../../../src/project/changed.ts";
import type { CompiledNode, Macro } from "../../../src/project/manifest.ts";

function node(uniqueId: string, more: Partial<CompiledNode> = {}): CompiledNode {
  const [type = "", packageName = "", ...rest] = uniqueId.split(".");
  const name = rest.join(".");
  return {
    uniqueId,
    resourceType: type as CompiledNode["resourceType"],
    materialized: type === "model" ? "table" : null,
    name,
    relation: name.split(".").at(-1) ?? name,
    file: `models/${name}.sql`,
    dependsOn: [],
    config: {},
    packageName,
    originalPath: `models/${name}.sql`,
    code: type === "source" ? null : `select '${name}'`,
    checksum: null,
    settings: "{}",
    ...more,
  };
}

const macro = (uniqueId: string, text: string, uses: readonly string[] = []): readonly [string, Macro] => {
  const [, packageName = "", name = ""] = uniqueId.split(".");
  return [uniqueId, { name, packageName, text, uses }];
};

interface SideParts {
  readonly nodes?: readonly CompiledNode[];
  readonly macros?: readonly (readonly [string, Macro])[];
  readonly sent?: readonly string[];
  readonly settings?: string;
}

function side({ nodes = [], macros = [], sent = [], settings = "{}" }: SideParts): CompiledSide {
  return {
    manifest: { dbtVersion: "1.3.8", adapterType: "flink", nodes, macros: new Map(macros) },
    settings,
    statements: sent.map((sql) => ({ sql, executionConfig: {}, nodeId: null })),
  };
}

/** orders → order_view → (per_customer → top), and nothing else reads orders. */
const orders = node("source.shop.raw.orders");
const orderView = node("model.shop.order_view", { materialized: "view", dependsOn: [orders.uniqueId] });
const perCustomer = node("model.shop.per_customer", { dependsOn: [orderView.uniqueId] });
const top = node("model.shop.top", { dependsOn: [perCustomer.uniqueId] });
const clicks = node("model.shop.clicks");
const all = [orders, orderView, perCustomer, top, clicks];

function replaced(changed: CompiledNode): readonly CompiledNode[] {
  return all.map((known) => (known.uniqueId === changed.uniqueId ? changed : known));
}

const base = side({ nodes: all });

describe("the table models that may differ", () => {
  it("are none between two equal sides", () => {
    expect(maybeChanged(base, side({ nodes: all }))).toEqual([]);
  });

  it.each([
    ["compiled code", { code: "select 2" }],
    ["settings", { settings: '{"alias":"x"}' }],
    ["dependencies", { dependsOn: [] }],
  ])("are the one with other %s and the tables that read it", (_, change) => {
    const head = side({ nodes: replaced({ ...perCustomer, ...change }) });
    expect(maybeChanged(base, head)).toEqual(["model.shop.per_customer", "model.shop.top"]);
  });

  it("are the readers of a changed view or source, without the view itself", () => {
    const readers = ["model.shop.per_customer", "model.shop.top"];
    expect(maybeChanged(base, side({ nodes: replaced({ ...orderView, code: "select 2" }) }))).toEqual(readers);
    expect(maybeChanged(base, side({ nodes: replaced({ ...orders, settings: "{1}" }) }))).toEqual(readers);
  });

  it("are the readers of a seed whose file changed, since it decides the column types", () => {
    const seed = node("seed.shop.words", { checksum: "a" });
    const reader = node("model.shop.reader", { dependsOn: [seed.uniqueId] });
    const head = side({ nodes: [{ ...seed, checksum: "b" }, reader] });
    expect(maybeChanged(side({ nodes: [seed, reader] }), head)).toEqual(["model.shop.reader"]);
  });

  it("are also those that exist on one side only, and what read them", () => {
    const head = side({ nodes: all.filter((known) => known !== perCustomer) });
    expect(maybeChanged(base, head)).toEqual(["model.shop.per_customer", "model.shop.top"]);
    expect(maybeChanged(head, base)).toEqual(["model.shop.per_customer", "model.shop.top"]);
  });

  it("include a model that is a view on the other side", () => {
    const head = side({ nodes: replaced({ ...clicks, materialized: "view", settings: "view" }) });
    expect(maybeChanged(base, head)).toEqual(["model.shop.clicks"]);
    expect(maybeChanged(head, base)).toEqual(["model.shop.clicks"]);
  });

  it("are all where something bears on every model", () => {
    expect(maybeChanged(base, side({ nodes: all, settings: '{"vars":1}' }))).toBe("all");
    const hook = node("operation.shop.shop-on-run-start-0");
    expect(maybeChanged(side({ nodes: [hook] }), side({ nodes: [{ ...hook, code: "SET 'a' = 'b'" }] }))).toBe("all");
  });
});

describe("models whose macros ask for rows", () => {
  const quiet = side({ nodes: [...all, node("operation.shop.hook")] });
  const asking = (nodeId: string | null, sql = "describe orders"): CompiledSide => {
    return { ...quiet, statements: [{ sql, executionConfig: {}, nodeId }] };
  };

  it("may always differ, with what reads them: they were asked before anything was made", () => {
    expect(maybeChanged(asking(orderView.uniqueId), asking(orderView.uniqueId))).toEqual([
      "model.shop.per_customer",
      "model.shop.top",
    ]);
  });

  it("may be any model where the statement does not say which", () => {
    expect(maybeChanged(asking(null), quiet)).toBe("all");
  });

  it("are not the hooks, which run before every model, nor the adapter's look for jobs", () => {
    expect(maybeChanged(asking("operation.shop.hook"), asking("operation.shop.hook"))).toEqual([]);
    expect(maybeChanged(asking(null, "SHOW JOBS"), quiet)).toEqual([]);
  });

  it("may be all where they cannot be compiled at all", () => {
    expect(maybeChanged(null, base)).toBe("all");
    expect(maybeChanged(base, null)).toBe("all");
  });
});

describe("hooks' statements", () => {
  const create = (columns: string) => `/** drop_statement('DROP TABLE IF EXISTS \`orders\`') */
CREATE TABLE orders /** mode('streaming')*/ (${columns}) with ('connector' = 'kafka');`;
  const comment = (node: string) => `/* {"node_id": "${node}"} */\n`;

  it("that create a source differently mark its readers", () => {
    const before = side({ nodes: all, sent: ["DROP TABLE IF EXISTS `orders`", create("id INT")] });
    const after = side({ nodes: all, sent: ["DROP TABLE IF EXISTS `orders`", create("id BIGINT")] });
    expect(maybeChanged(before, after)).toEqual(["model.shop.per_customer", "model.shop.top"]);
  });

  it("do not differ by dbt's comment, by the adapter's mode or by a query", () => {
    const before = side({ nodes: all, sent: [comment("a") + create("id INT")] });
    const sent = ["SET 'execution.runtime-mode' = 'batch'", "SHOW JOBS", comment("b") + create("id INT")];
    expect(maybeChanged(before, side({ nodes: all, sent }))).toEqual([]);
  });

  it.each([
    ["a SET", ["SET 'table.local-time-zone' = 'UTC'"], ["SET 'table.local-time-zone' = 'CET'"]],
    ["a table that is no source", ["create table t (a int)"], ["create table t (b int)"]],
    ["another order", ["create table t (a int)", "USE c"], ["USE c", "create table t (a int)"]],
  ])("bear on every model with %s", (_, before, after) => {
    expect(maybeChanged(side({ nodes: all, sent: before }), side({ nodes: all, sent: after }))).toBe("all");
  });
});

describe("macros", () => {
  const builtin = macro("macro.dbt_flink.create_table_as", "{% macro create_table_as() %}");
  const changes = (before: readonly [string, Macro], after: readonly [string, Macro], rest = [builtin], nodes = all) =>
    maybeChanged(side({ nodes, macros: [before, ...rest] }), side({ nodes, macros: [after, ...rest] }));

  it("of the project's own show in compiled code alone", () => {
    expect(changes(macro("macro.shop.large", "10"), macro("macro.shop.large", "20"))).toEqual([]);
  });

  it.each([
    ["an adapter's macro", "macro.dbt_flink.flink__x"],
    ["an override of one", "macro.shop.create_table_as"],
    ["a materialization", "macro.shop.materialization_mine_default"],
    ["an implementation found by dispatch", "macro.shop.flink__anything"],
  ])("bear on every model where it is %s", (_, id) => {
    expect(changes(macro(id, "1"), macro(id, "2"))).toBe("all");
  });

  it("bear on every model where an override or a hook calls them", () => {
    const override = macro("macro.shop.create_table_as", "{{ helper() }}", ["macro.shop.helper"]);
    const id = "macro.shop.helper";
    expect(changes(macro(id, "1"), macro(id, "2"), [builtin, override])).toBe("all");
    const hooked = node("model.shop.hooked", { config: { "post-hook": [{ sql: "{{ helper() }}" }] } });
    expect(changes(macro(id, "1"), macro(id, "2"), [builtin], [hooked])).toBe("all");
  });
});
