import { describe, expect, test } from "vitest";
import type { Finding } from "../../../src/project/job.ts";
import { annotationsOf } from "../../../src/report/annotations.ts";

const finding = (more: Partial<Finding> = {}): Finding => ({
  severity: "error",
  code: "model-invalid",
  message: "Column 'x' not found",
  job: "orders",
  file: "models/orders.sql",
  line: 3,
  ...more,
});

describe("findings are annotated", () => {
  test("at their file as the repository has it, and their line", () => {
    expect(annotationsOf([finding()], "pipelines/shop")).toEqual([
      {
        severity: "error",
        title: "flink-dbt-deploy: model-invalid",
        message: "Column 'x' not found",
        file: "pipelines/shop/models/orders.sql",
        line: 3,
      },
    ]);
  });

  test.each([
    ["without a file", { file: null }],
    ["without a line", { line: null }],
    ["outside of the repository", { file: "../../orders.sql" }],
    ["of the machine", { file: "/etc/passwd" }],
  ])("not where they are %s", (_name, more) => {
    expect(annotationsOf([finding(more)], "")).toEqual([]);
  });

  test("once where several jobs have the same", () => {
    expect(annotationsOf([finding({ job: "a" }), finding({ job: "b" })], "")).toHaveLength(1);
  });

  test("ten of a kind at most, of the errors one less, since the failure itself is one", () => {
    const many = (severity: Finding["severity"]): readonly Finding[] =>
      Array.from({ length: 12 }, (_, index) => finding({ severity, line: index + 1 }));
    const shown = annotationsOf([...many("note"), ...many("warning"), ...many("error")], "");
    expect(shown.map(({ severity }) => severity)).toEqual([
      ...Array(9).fill("error"),
      ...Array(10).fill("warning"),
      ...Array(10).fill("note"),
    ]);
  });
});
