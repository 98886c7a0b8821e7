import { expect, test } from "vitest";
import { readCommentCommand } from "../../../src/github/comment-command.ts";

test.each([
  ["/flink plan", { kind: "plan" }],
  ["/flink status", { kind: "status" }],
  [" \r\n/flink   plan \n", { kind: "plan" }],
  ["/flink deploy staging", { kind: "deploy", environment: "staging" }],
  ["/flink suspend orders_daily", { kind: "suspend", jobs: "orders_daily" }],
  ["/flink resume orders_*", { kind: "resume", jobs: "orders_*" }],
])("%j is a command", (body, expected) => {
  expect(readCommentCommand(body)).toEqual(expected);
});

test.each([
  "",
  "looks good",
  "please do /flink deploy production",
  "> /flink deploy production",
  "`/flink deploy production`",
  "```\n/flink deploy production\n```",
  "<!-- -->/flink deploy production",
  "\u200b/flink deploy production",
  "\ufeff/flink deploy production",
  "\u00a0/flink deploy production",
  "／flink deploy production",
  "/ｆlink deploy production",
  "/FLINK deploy production",
  "/flinking deploy production",
  "/flink/deploy production",
  "//flink deploy production",
  "ok\n/flink deploy production",
])("%j is none", (body) => {
  expect(readCommentCommand(body)).toEqual({ kind: "none" });
});

test.each([
  "/flink",
  "/flink help",
  "/flink Deploy production",
  "/flink deploy",
  "/flink deploy production staging",
  "/flink deploy production\n/flink deploy staging",
  "/flink deploy production\nthanks",
  "/flink deploy ../production",
  "/flink deploy pro..duction",
  "/flink deploy $(whoami)",
  "/flink deploy `whoami`",
  "/flink deploy production;rm",
  `/flink deploy \${{secrets.TOKEN}}`,
  "/flink deploy -production",
  `/flink deploy ${"a".repeat(64)}`,
  `/flink deploy ${"a".repeat(400)}`,
  "/flink deploy pr\u043eduction",
  "/flink deploy production\u202e",
  "/flink deploy production\u200b",
  "/flink\u00a0deploy production",
  "/flink\tdeploy production",
  "/flink deploy production\0",
  "/flink plan production",
  "/flink status --all",
  "/flink suspend",
  "/flink suspend *",
  "/flink suspend ?*",
  "/flink suspend orders,customers",
  "/flink suspend orders customers",
  "/flink suspend 'orders'",
  "/flink suspend @team",
  "/flink suspend --jobs=orders",
  "/flink resume ../../etc",
  "/flink resume orders|customers",
  "/flink resume orders>out",
])("%j begins like a command, and is refused with how to write one", (body) => {
  expect(readCommentCommand(body)).toEqual({
    kind: "unreadable",
    why: expect.stringContaining("write one of `/flink plan`") as string,
  });
});

test("a second line is told as what it is, not as a wrong name", () => {
  expect(readCommentCommand("/flink deploy production\nthanks")).toMatchObject({
    why: expect.stringContaining("more than one line") as string,
  });
});

test("what it refuses, it does not repeat", () => {
  const { why } = readCommentCommand("/flink @team <script>") as { readonly why: string };
  expect(why).not.toMatch(/@team|script/);
});
