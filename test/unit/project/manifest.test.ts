import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeManifest, readManifest } from "../../../src/project/manifest.ts";

const model = {
  unique_id: "model.shop.orders",
  resource_type: "model",
  name: "orders",
  alias: "orders_out",
  package_name: "shop",
  original_file_path: "models/orders.sql",
  depends_on: { macros: [], nodes: ["source.shop.raw.orders"] },
  config: { materialized: "table", execution_config: { "pipeline.name": "orders" } },
  raw_code: "select {{ 1 }}",
  compiled_code: "select 1",
  created_at: 1,
};
const source = {
  resource_type: "source",
  name: "orders",
  identifier: "raw_orders",
  package_name: "raw_package",
  original_file_path: "models/sources.yml",
  config: { enabled: true },
  columns: { id: { name: "id", data_type: "BIGINT" } },
};
const manifest = {
  metadata: {
    dbt_schema_version: "https://schemas.getdbt.com/dbt/manifest/v7.json",
    dbt_version: "1.3.8",
    adapter_type: "flink",
  },
  nodes: { "model.shop.orders": model },
  sources: { "source.shop.raw.orders": source },
  macros: {
    "macro.shop.large": {
      name: "large",
      package_name: "shop",
      macro_sql: "text",
      depends_on: { macros: ["macro.dbt.x"] },
    },
  },
};

const withModel = (change: object) => ({ ...manifest, nodes: { "model.shop.orders": { ...model, ...change } } });
const decodedModel = (change: object) => decodeManifest(withModel(change), "shop").nodes[0];

describe("a manifest", () => {
  it("gives models and sources with what the adapter renders as their relation", () => {
    const { dbtVersion, adapterType, nodes } = decodeManifest(manifest, "shop");
    expect({ dbtVersion, adapterType }).toEqual({ dbtVersion: "1.3.8", adapterType: "flink" });
    expect(nodes).toMatchObject([
      {
        uniqueId: "model.shop.orders",
        resourceType: "model",
        materialized: "table",
        relation: "orders_out",
        file: "models/orders.sql",
        dependsOn: ["source.shop.raw.orders"],
        code: "select 1",
      },
      { uniqueId: "source.shop.raw.orders", resourceType: "source", relation: "raw_orders", dependsOn: [], code: null },
    ]);
  });

  it("places the files of other packages in dbt_packages", () => {
    expect(decodeManifest(manifest, "shop").nodes[1]?.file).toBe("dbt_packages/raw_package/models/sources.yml");
  });

  it("gives macros with the macros they call", () => {
    expect(decodeManifest(manifest, "shop").macros.get("macro.shop.large")).toEqual({
      name: "large",
      packageName: "shop",
      text: "text",
      uses: ["macro.dbt.x"],
    });
  });

  it("takes the older names of code, and the uncompiled code where there is no other", () => {
    const { compiled_code: _, raw_code: __, ...old } = model;
    const decoded = (fields: object) =>
      decodeManifest({ ...manifest, nodes: { "model.shop.orders": { ...old, ...fields } } }, "shop").nodes[0]?.code;
    expect(decoded({ compiled_sql: "select 1", raw_sql: "select {{ 1 }}" })).toBe("select 1");
    expect(decoded({ raw_sql: "select {{ 1 }}" })).toBe("select {{ 1 }}");
  });

  it("has the same settings for the same node, whenever and wherever it was parsed", () => {
    const elsewhere = {
      created_at: 2,
      root_path: "/elsewhere",
      compiled_path: "/elsewhere/x",
      config: { ...model.config },
    };
    expect(decodedModel(elsewhere)?.settings).toBe(decodedModel({})?.settings);
    expect(decodedModel({ columns: { id: { meta: 1 } } })?.settings).not.toBe(decodedModel({})?.settings);
  });
});

describe("a manifest that is not one", () => {
  it.each([
    ["no object at all", [], "manifest is not an object"],
    ["no version", { ...manifest, metadata: {} }, "metadata.dbt_schema_version is not a string"],
    [
      "another artifact's version",
      { ...manifest, metadata: { ...manifest.metadata, dbt_schema_version: "dbt/catalog/v1.json" } },
      'metadata.dbt_schema_version is "dbt/catalog/v1.json"',
    ],
    ["a node without a name", withModel({ name: 1 }), "nodes.model.shop.orders.name is not a string"],
    [
      "a dependency that is no id",
      withModel({ depends_on: { nodes: ["a", null] } }),
      "nodes.model.shop.orders.depends_on.nodes[1] is not a string",
    ],
  ])("names what is wrong: %s", (_, value, message) => {
    expect(() => decodeManifest(value, "shop")).toThrow(message);
  });

  it.each([
    ["that is missing", null],
    ["that is cut short", '{"metadata": {'],
    ["of another shape", "{}"],
  ])("is an error with a code and the file: one %s", async (_, content) => {
    const folder = await mkdtemp(join(tmpdir(), "manifest-"));
    const file = join(folder, "manifest.json");
    if (content !== null) await writeFile(file, content);
    const reading = readManifest(file, "shop");
    await expect(reading).rejects.toMatchObject({
      code: "manifest-unreadable",
      message: expect.stringContaining(file),
    });
    await rm(folder, { recursive: true });
  });
});
