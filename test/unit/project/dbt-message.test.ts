import { describe, expect, it } from "vitest";
import { dbtMessage, gatewayCauses } from "../../../src/project/dbt-message.ts";

const event = (code: string, level: string, msg: string, exc?: string) =>
  JSON.stringify({
    code,
    level,
    msg,
    data: exc === undefined ? {} : { exc },
    ts: "2026-01-01T00:00:00Z",
    type: "log_line",
  });
const failed = (...lines: string[]) => dbtMessage({ code: 1, stdout: lines.join("\n"), stderr: "" });

describe("dbt's message", () => {
  it("is the exception alone, without times and levels", () => {
    const compilation = "Compilation Error in model a (models/a.sql)\n  no such ref";
    expect(
      failed(
        event("A001", "info", "Running"),
        event("Z002", "error", `Encountered an error:\n${compilation}`, compilation),
      ),
    ).toBe(compilation);
  });

  it("is the summary of a run, without progress lines and the adapter's log", () => {
    expect(
      failed(
        event("E004", "error", "Flink adapter: Exception thrown"),
        event("Q035", "error", "1 of 2 ERROR creating sql table model a"),
        event("Z028", "error", "Database Error in model a (models/a.sql)"),
        event("Z029", "error", "  no such table"),
        event("Z028", "error", "Runtime Error in model b (models/b.sql)"),
        event("Z029", "error", "  no such column"),
      ),
    ).toBe(
      "Database Error in model a (models/a.sql)\n  no such table\nRuntime Error in model b (models/b.sql)\n  no such column",
    );
  });

  it("is the reason where dbt also says that it could not run", () => {
    const reason = "Runtime Error\n  Could not find profile named 'shop'";
    expect(
      failed(
        event("A009", "error", "Encountered an error while reading the project:"),
        event("A010", "error", `  ERROR: ${reason}`, reason),
        event(
          "Z002",
          "error",
          "Encountered an error:\nRuntime Error\n  Could not run dbt",
          "Runtime Error\n  Could not run dbt",
        ),
      ),
    ).toBe(reason);
  });

  it("is read from a later dbt's log too", () => {
    expect(failed(JSON.stringify({ info: { code: "M001", level: "error", msg: "No such model" }, data: {} }))).toBe(
      "No such model",
    );
  });

  it("is the end of what was printed where there is no log at all", () => {
    expect(dbtMessage({ code: 1, stdout: "", stderr: "Traceback\nModuleNotFoundError: dbt" })).toBe(
      "Traceback\nModuleNotFoundError: dbt",
    );
    expect(dbtMessage({ code: 3, stdout: "", stderr: "" })).toBe("it ended with exit code 3");
    expect(dbtMessage({ code: null, stdout: "", stderr: "" })).toBe("it ended with a signal");
  });
});

describe("a gateway's error inside Python's notation", () => {
  it("is its last cause", () => {
    const trace =
      "<Exception on server side:\\norg.apache.flink.Outer: x\\n\\tat a.b\\nCaused by: java.lang.Inner: It\\'s gone\\n\\tat c.d\\n\\nEnd of exception on server side>";
    expect(gatewayCauses(`  ('SQL gateway error: ', {'errors': ['Internal server error.', '${trace}']})`)).toBe(
      "  SQL gateway error: It's gone",
    );
  });

  it("is the whole text where it names no cause", () => {
    expect(
      gatewayCauses(`('SQL gateway error: ', {'errors': ['Internal server error.', "Object 'b' not found"]})`),
    ).toBe("SQL gateway error: Object 'b' not found");
  });

  it("is the status where there is no text", () => {
    expect(gatewayCauses("('SQL gateway error: ', 500)")).toBe("SQL gateway error: HTTP 500");
  });
});
