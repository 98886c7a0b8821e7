import { expect, test } from "vitest";
import { ownLogins } from "../../../src/github/identity.ts";
import { GithubRefusal } from "../../../src/github/refusal.ts";

const refuse = (): Promise<never> => Promise.reject(new GithubRefusal("github-failed", "not accessible", 403));

test.each([
  ["api.github.com", ["github-actions[bot]"]],
  ["api.acme.ghe.com", ["github-actions[bot]"]],
  ["git.example.org", ["github-actions[bot]", "gitea-actions", "forgejo-actions"]],
  ["notgithub.com", ["github-actions[bot]", "gitea-actions", "forgejo-actions"]],
])("on %s a token that does not tell whose it is may be of %j", async (host, expected) => {
  expect([...(await ownLogins({ host, get: refuse, send: refuse }))]).toEqual(expected);
});
