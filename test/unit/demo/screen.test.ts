import { expect, test } from "vitest";
import { shorten, tableOf, wrap } from "../../../scripts/demo/screen.ts";

test("long ids and paths of the demo are said shortly, other paths are left as they are", () => {
  const line =
    "26 s log: submitting 0123456789abcdef0123456789abcdef from file:/tmp/demo/savepoints/log/savepoint-01-23";
  expect(shorten(line, "/tmp/demo")).toBe("26 s log: submitting 01234567… from …/savepoint-01-23");
  expect(shorten("see /var/log/demo.log", "/tmp/demo")).toBe("see /var/log/demo.log");
});

test("the table has a row per step in columns, and a failed step says so in its first line only", () => {
  expect(
    tableOf([
      { title: "Start", result: "runs", seconds: 1.25, ok: true },
      { title: "Deploy it", result: "failed\nin many words", seconds: 101, ok: false },
    ]),
  ).toEqual([
    "Step       Result       Time", //
    "Start      runs        1.3 s",
    "Deploy it  ✘ failed  101.0 s",
  ]);
});

test("a long line is broken at spaces and goes on two columns further in", () => {
  expect(wrap("  one two three four", 9)).toEqual(["  one two", "    three", "    four"]);
  expect(wrap("short", 9)).toEqual(["short"]);
  expect(wrap("a  b", 9)).toEqual(["a  b"]);
  expect(wrap("one-long-word and more", 9)).toEqual(["one-long-word", "  and", "  more"]);
});
