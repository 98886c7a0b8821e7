import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { goTool, pythonTool, type Tool } from "./tools.ts";

const root = join(import.meta.dirname, "..", "..");
const filesIn = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".yml"))
    .map((name) => join(folder, name));
const files = [...filesIn(".github/workflows"), ...filesIn("examples/github")];

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-workflows-"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A workflow with the fault that the tool is there for, so that a run without findings says something. */
function faulty(text: string): string {
  const path = join(scratch, "faulty.yml");
  writeFileSync(path, text);
  return path;
}

function run(tool: Tool, args: readonly string[]): { readonly status: number | null; readonly output: string } {
  if ("missing" in tool) throw new Error(tool.missing);
  const { status, stdout, stderr } = spawnSync(tool.path, args, { cwd: root, encoding: "utf8" });
  return { status, output: `${stdout}${stderr}` };
}

describe("actionlint", () => {
  const tool = goTool("actionlint", "github.com/rhysd/actionlint/cmd/actionlint", "v1.7.12");
  const config = ["-config-file", ".github/actionlint.yaml", "-no-color"];

  test("finds nothing in the workflows and their callers", ({ skip }) => {
    if ("missing" in tool) skip(tool.missing);
    expect(run(tool, [...config, ...files])).toEqual({ status: 0, output: "" });
  });

  test("finds what is wrong", ({ skip }) => {
    if ("missing" in tool) skip(tool.missing);
    const text = readFileSync(join(root, "examples/github/flink-drift.yml"), "utf8");
    const { status, output } = run(tool, [...config, faulty(text.replace("schedule:", "shedule:"))]);
    expect(status).toBe(1);
    expect(output).toContain("shedule");
  });
});

describe("zizmor", () => {
  const tool = pythonTool("zizmor", "1.32.0");
  const options = ["--offline", "--no-progress", "--config", ".github/zizmor.yml"];

  test("finds nothing in the workflows and their callers", ({ skip }) => {
    if ("missing" in tool) skip(tool.missing);
    const { status, output } = run(tool, [...options, ...files]);
    expect(output).toContain("No findings to report");
    expect(status).toBe(0);
  });

  test("finds what is wrong", ({ skip }) => {
    if ("missing" in tool) skip(tool.missing);
    const text = readFileSync(join(root, ".github/workflows/plan.yml"), "utf8");
    const unpinned = text.replace(/actions\/checkout@[0-9a-f]{40}/, "actions/checkout@v4");
    const { status, output } = run(tool, [...options, faulty(unpinned)]);
    expect(status).not.toBe(0);
    expect(output).toContain("unpinned-uses");
  });
});
