import { afterEach, beforeEach, expect, test } from "vitest";
import { type MergeRequest, postNote } from "../../../src/gitlab/note.ts";
import { FakeGitlab } from "./fake-gitlab.ts";

const marker = "<!-- flink-dbt-deploy plan production shop -->";
const first = { marker, body: `${marker}\n1 job will change\n` };
const second = { marker, body: `${marker}\n2 jobs will change\n` };

let gitlab: FakeGitlab;
beforeEach(async () => {
  gitlab = await FakeGitlab.start();
});
afterEach(async () => {
  await gitlab[Symbol.asyncDispose]();
});
const request = (more: Partial<MergeRequest> = {}): MergeRequest => ({
  url: gitlab.url,
  project: "42",
  iid: "7",
  token: { kind: "private", value: "glpat-ours" },
  now: () => new Date(0),
  sleep: async () => undefined,
  log: () => undefined,
  ...more,
});
const writes = () => gitlab.requests.filter((line) => !line.startsWith("GET "));

test("a note is posted once, edited in place, and left alone where it says the same", async () => {
  expect(await postNote(request(), first)).toEqual({ kind: "created" });
  expect(await postNote(request(), first)).toEqual({ kind: "unchanged" });
  expect(await postNote(request(), second)).toEqual({ kind: "updated" });
  expect(gitlab.notes.map(({ body }) => body)).toEqual([second.body.trimEnd()]);
  expect(writes().map((line) => line.split(" ")[0])).toEqual(["POST", "PUT"]);
});

test("it is found behind more than a page of others", async () => {
  await postNote(request(), first);
  for (let index = 0; index < 150; index += 1) gitlab.add("mona", `looks good ${index}`);
  expect(await postNote(request(), second)).toEqual({ kind: "updated" });
});

test("somebody else's note with our marker is not touched", async () => {
  gitlab.add("mallory", first.body);
  expect(await postNote(request(), second)).toEqual({ kind: "created" });
  expect(gitlab.notes.map(({ author }) => author)).toEqual(["mallory", "flink-bot"]);
});

test("an answer that is lost makes no second note", async () => {
  gitlab.losesNextAnswer = true;
  expect(await postNote(request(), first)).toEqual({ kind: "created" });
  expect(gitlab.notes).toHaveLength(1);
});

test("a job's token that may not write says what to set, and shows no token", async () => {
  const denied = postNote(request({ token: { kind: "job", value: "glcbt-secret" } }), first);
  await expect(denied).rejects.toMatchObject({
    code: "github-failed",
    message: expect.stringMatching(/answered 401: the job's own token may not do that; set GITLAB_TOKEN/) as string,
  });
  await expect(denied).rejects.not.toThrow("glcbt-secret");
});
