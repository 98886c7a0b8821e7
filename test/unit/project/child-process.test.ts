import { expect, test } from "vitest";
import { runChild, TooMuchOutput } from "../../../src/project/child-process.ts";

const options = { cwd: "/", environment: { PATH: process.env.PATH } };

test("a program reads what it is given, and its bytes come back", async () => {
  const bytes = Buffer.from([0, 0x80, 0xff, 0x0a]);
  const { code, stdout } = await runChild(["cat"], { ...options, input: bytes, encoding: "latin1" });
  expect({ code, bytes: Buffer.from(stdout, "latin1") }).toEqual({ code: 0, bytes });
});

test("a program that reads nothing may be given something", async () => {
  expect((await runChild(["true"], { ...options, input: "x".repeat(1_000_000) })).code).toBe(0);
});

test("what a program leaves in the background is not waited for", async () => {
  const { code, stdout } = await runChild(["sh", "-c", "setsid sleep 60 & echo $!"], options);
  process.kill(Number(stdout));
  expect(code).toBe(0);
});

test("many at once need one listener", async () => {
  const before = process.listenerCount("exit");
  const all = Array.from({ length: 20 }, () => runChild(["cat"], { ...options, input: "" }));
  expect(process.listenerCount("exit")).toBe(before + 1);
  await Promise.all(all);
  expect(process.listenerCount("exit")).toBe(before);
});

test("a program that prints more than it may is ended, with all that it started", async () => {
  const printing = runChild(["sh", "-c", "yes & yes >&2"], { ...options, maxBytes: 100_000 });
  await expect(printing).rejects.toThrow(TooMuchOutput);
  await expect(printing).rejects.toThrow("it printed more than 98 KB");
});
