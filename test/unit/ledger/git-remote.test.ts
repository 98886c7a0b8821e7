import { describe, expect, test } from "vitest";
import {
  type GitRemoteRequest,
  gitEnvironment,
  gitRemote,
  maskGitWords,
} from "../../../src/ledger/stores/git-remote.ts";

const remote = (location: string, more: Partial<GitRemoteRequest> = {}) =>
  gitRemote({ location, folder: "/project", token: null, config: [], ...more });

describe("where a ledger's repository is", () => {
  test.each([
    ["https://git.example/team/ledger.git", "https://git.example/team/ledger.git"],
    ["ssh://git@git.example:2222/ledger.git", "ssh://git@git.example:2222/ledger.git"],
    ["git@git.example:team/ledger.git", "git@git.example:team/ledger.git"],
    ["file:///srv/ledger.git", "file:///srv/ledger.git"],
    ["/srv/ledger.git", "/srv/ledger.git"],
    ["../ledger.git", "/ledger.git"],
    ["https://ana@git.example/ledger", "https://git.example/ledger"],
    ["https://ana:hunter2@git.example/ledger", "https://git.example/ledger"],
  ])("%s", (location, url) => {
    expect(remote(location).url).toBe(url);
  });

  test.each([
    ["--upload-pack=touch", {}, "must be https://"],
    ["ext::sh -c true", {}, "must be https://"],
    ["ftp://git.example/ledger", {}, "must be https://"],
    ["https://ana:hunter2@:0:/", {}, "is no URL"],
    ["ssh://git:hunter2@git.example/ledger", {}, "ssh takes no password"],
    ["git@git.example:ledger", { token: "hunter2" }, "ledger-git-token is for a repository at https://"],
    ["https://git.example/ledger", { token: "hunter2\nhost=evil" }, "holds a control character"],
  ])("%s is refused", (location, more, said) => {
    const refusal = expect.objectContaining({ code: "inputs-invalid", message: expect.stringContaining(said) });
    expect(() => remote(location, more)).toThrow(refusal);
    expect(() => remote(location, more)).not.toThrow("hunter2");
  });

  test("a token's user is the one in the URL, or any", () => {
    const user = (location: string) => remote(location, { token: "t" }).variables.FLINK_DBT_DEPLOY_GIT_USER;
    expect(user("https://git.example/ledger")).toBe("x-access-token");
    expect(user("https://gitlab-ci-token@git.example/ledger")).toBe("gitlab-ci-token");
  });

  test("a user without a password is named to the user's own helpers, for that host", () => {
    expect(remote("https://ana@git.example:8443/ledger").config).toEqual([
      ["credential.https://git.example:8443.username", "ana"],
    ]);
  });
});

describe("git's environment", () => {
  test("goes on with the user's own config there, and leaves out what is of another repository or ours alone", () => {
    const variables = {
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "http.proxy",
      GIT_CONFIG_VALUE_0: "http://proxy",
      GIT_SSH_COMMAND: "ssh -i key",
      GIT_DIR: "/elsewhere/.git",
      GIT_TRACE_CURL: "/tmp/trace",
      FLINK_DBT_DEPLOY_LEDGER_GIT_TOKEN: "t",
      "INPUT_LEDGER-GIT-TOKEN": "t",
    };
    const environment = gitEnvironment(remote("/srv/ledger.git", { config: [["a.b", "c"]] }), variables);
    expect(environment).toMatchObject({
      GIT_CONFIG_KEY_0: "http.proxy",
      GIT_CONFIG_KEY_1: "a.b",
      GIT_CONFIG_VALUE_1: "c",
      GIT_SSH_COMMAND: "ssh -i key",
      GIT_TERMINAL_PROMPT: "0",
    });
    const last = Number(environment.GIT_CONFIG_COUNT) - 1;
    expect(environment).toHaveProperty(`GIT_CONFIG_KEY_${last}`);
    expect(Object.keys(environment).filter((name) => /TOKEN|GIT_DIR|TRACE/.test(name))).toEqual([]);
  });
});

test("what git says is shown without what it was given", () => {
  const header = "Authorization: Basic c2VjcmV0";
  const given = remote("https://git.example/ledger", { token: "p/w", config: [["http.extraheader", header]] });
  const words = `fatal: p/w, p%2Fw, ${header} at https://ana@git.example/ledger`;
  expect(maskGitWords(words, given)).toBe("fatal: ******, ******, ****** at https://******@git.example/ledger");
});
