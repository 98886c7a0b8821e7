import { describe, expect, test } from "vitest";
import { decodeRunEvent, readRunEvent } from "../../../src/github/run-event.ts";

const [head, merge, queue] = ["a".repeat(40), "b".repeat(40), "c".repeat(40)];
const end = (repository: string | null) => ({
  sha: head,
  ref: "change",
  repo: repository === null ? null : { full_name: repository },
});
const pull = (repository: string | null) => ({
  pull_request: { number: 7, head: end(repository), base: end("acme/shop") },
});
const ofPull = (fork: string | null, commit: string | null = head) => ({
  kind: "pull-request",
  number: 7,
  head: commit,
  fork,
});
const ofCommit = (commit: string, pushedTo: object | null = null) => ({ kind: "commit", head: commit, pushedTo });
const ended = (more: object = {}) => ({ workflow_run: { head_sha: queue, ...more } });
const fork = { full_name: "mallory/shop", owner: { login: "mallory" } };

describe("an event tells what a plan is of:", () => {
  test.each([
    ["pull_request", pull("acme/shop"), ofPull(null)],
    ["pull_request_target", pull("mallory/shop"), ofPull("mallory/shop")],
    ["pull_request", pull(null), ofPull("a deleted repository")],
    ["issue_comment", { issue: { number: 7, pull_request: {} } }, ofPull(null, null)],
    ["issue_comment", { issue: { number: 8 } }, ofCommit(merge)],
    ["merge_group", { merge_group: { head_sha: queue } }, { kind: "merge-group", head: queue }],
    ["workflow_run", ended(), ofCommit(queue)],
    ["workflow_run", ended({ head_branch: "change", head_repository: null }), ofCommit(queue)],
    [
      "workflow_run",
      ended({ head_branch: "change", head_repository: fork }),
      ofCommit(queue, { owner: "mallory", repository: "mallory/shop", branch: "change" }),
    ],
    ["workflow_run", ended({ event: "merge_group" }), { kind: "merge-group", head: queue }],
    ["push", {}, ofCommit(merge)],
  ])("%s %j", (name, payload, expected) => {
    expect(decodeRunEvent(name, payload, merge)).toEqual(expected);
  });

  test.each([
    ["is not there", () => Promise.reject(new Error("ENOENT"))],
    ["is not JSON", () => Promise.resolve("{")],
    ["is of another shape", () => Promise.resolve('{"pull_request": {"number": "7"}}')],
    ["names no commit", () => Promise.resolve(JSON.stringify(pull("acme/shop")).replaceAll(head, "../../user"))],
  ])("the commit alone where it %s", async (_name, read) => {
    const environment = { GITHUB_EVENT_NAME: "pull_request", GITHUB_EVENT_PATH: "/event.json", GITHUB_SHA: merge };
    expect(await readRunEvent(environment, read)).toEqual(ofCommit(merge));
  });
});
