import { describe, expect, test } from "vitest";
import { type Attempt, judge } from "../../../src/github/patience.ts";

const now = new Date("2026-01-01T12:00:00Z");
const answered = (status: number, headers: Readonly<Record<string, string>> = {}, body = ""): Attempt => ({
  kind: "answered",
  answer: { status, headers, body: Buffer.from(body) },
});
const reset = (time: string) => ({
  "x-ratelimit-remaining": "0",
  "x-ratelimit-reset": String(Date.parse(time) / 1000),
});
const again = (afterMs: number) => ({ kind: "again", afterMs });
const over = (why: string) => ({ kind: "over", why: expect.stringContaining(why) });

describe("an attempt at a request", () => {
  test.each([
    ["is done when there is an answer", answered(200), 1, { kind: "done" }],
    ["is done when it is refused, which does not pass", answered(404), 1, { kind: "done" }],
    ["is done when a permission is missing", answered(403, { "x-ratelimit-remaining": "999" }), 1, { kind: "done" }],
    ["is made again after a 5xx, later each time", answered(503), 1, again(1_000)],
    ["is made again after a 5xx, later each time", answered(503), 4, again(8_000)],
    ["is given up after five 5xx", answered(503), 5, over("it answered 503 5 times")],
    ["is made again after a lost connection", { kind: "failed", cause: new Error("reset") }, 2, again(2_000)],
    ["is given up after five lost connections", { kind: "failed", cause: new Error("reset") }, 5, over("(reset)")],
    ["waits as long as it is told", answered(429, { "retry-after": "12" }), 1, again(12_000)],
    ["waits as long as it is told by a 403", answered(403, { "retry-after": "12" }), 1, again(12_000)],
    ["waits for a rate limit to end", answered(403, reset("2026-01-01T12:00:30Z")), 1, again(30_000)],
    ["waits a second where it has just ended", answered(403, reset("2026-01-01T11:59:59Z")), 1, again(1_000)],
    [
      "does not wait an hour for it",
      answered(403, reset("2026-01-01T13:00:00Z")),
      1,
      over("rate limit is used up until 2026-01-01T13:00:00Z"),
    ],
    ["does not wait for ever", answered(429, { "retry-after": "1" }), 5, over("rate limit")],
    [
      "waits a minute where only the text tells of the secondary limit",
      answered(403, { "x-ratelimit-remaining": "999" }, '{"message":"You have exceeded a secondary rate limit."}'),
      1,
      again(60_000),
    ],
  ] as const)("%s", (_name, attempt, made, expected) => {
    expect(judge(attempt, made, now)).toMatchObject(expected);
  });
});
