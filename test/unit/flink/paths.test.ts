import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSamePath, normalisePath } from "../../../src/flink/paths.ts";

describe("two ways to write one place are the same", () => {
  test.each([
    ["file:/a/b", "file:///a/b"],
    ["file:/a/b", "/a/b"],
    ["file:///a/b/", "file:/a/b"],
    ["file://localhost/a/b", "file:/a/b"],
    ["s3a://bucket/a", "s3://bucket/a/"],
    ["s3n://bucket/a", "S3://bucket/a"],
    ["hdfs://node:9000/a//b", "hdfs://node:9000/a/b"],
    ["/", "file:///"],
  ])("%s and %s", (left, right) => {
    expect(isSamePath(left, right)).toBe(true);
  });
});

describe("different places stay different", () => {
  test.each([
    ["file:/a", "file:/A"],
    ["s3://bucket/a", "s3://other/a"],
    ["s3://bucket/a", "gs://bucket/a"],
    ["s3://bucket/a", "file:/bucket/a"],
    ["hdfs:/a/b", "hdfs://a/b"],
    ["/a/b", "/a/b2"],
  ])("%s and %s", (left, right) => {
    expect(isSamePath(left, right)).toBe(false);
  });
});

const segment = fc.stringMatching(/^[A-Za-z0-9_.-]{1,8}$/);
const segments = fc.array(segment, { minLength: 1, maxLength: 5 });
const scheme = fc.constantFrom("s3", "s3a", "hdfs", "gs", "abfss", "oss");

test("normalising twice changes nothing more", () => {
  const path = fc.oneof(
    fc.string(),
    fc.tuple(scheme, segments).map(([name, parts]) => `${name}://${parts.join("/")}`),
  );
  fc.assert(fc.property(path, (text) => normalisePath(normalisePath(text)) === normalisePath(text)));
});

test("slashes doubled or at the end never matter, and segments always do", () => {
  fc.assert(
    fc.property(scheme, segments, segments, fc.integer({ min: 1, max: 3 }), (name, left, right, count) => {
      const path = `${name}://${left.join("/")}`;
      expect(isSamePath(path, `${name}://${left.join("/".repeat(count))}${"/".repeat(count)}`)).toBe(true);
      expect(isSamePath(path, `${name}://${right.join("/")}`)).toBe(left.join("/") === right.join("/"));
    }),
  );
});

test("a local path is the same with each number of slashes that Flink or a person puts after file:", () => {
  fc.assert(
    fc.property(segments, (parts) => {
      const path = `/${parts.join("/")}`;
      const written = [path, `file:${path}`, `file://${path}`, `file://localhost${path}`];
      expect(new Set(written.map(normalisePath)).size).toBe(1);
    }),
  );
});
