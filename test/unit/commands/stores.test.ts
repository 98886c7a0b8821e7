import { describe, expect, test } from "vitest";
import type { Shell } from "../../../src/commands/shell.ts";
import { openStore } from "../../../src/commands/stores.ts";
import type { StoreInputs } from "../../../src/inputs/inputs.ts";
import { lockedStores } from "../../../src/ledger/stores/combined.ts";

const inputs: StoreInputs = {
  environment: "production",
  store: ["artifact", "file", "cache"],
  ledgerDir: "ledger",
  projectDir: ".",
  ledgerGit: null,
  ledgerGitToken: null,
  ledgerRef: null,
  githubToken: "given",
  artifactRetentionDays: 90,
  firstDeployment: false,
};
const actions = {
  GITHUB_REPOSITORY: "acme/shop",
  GITHUB_REF: "refs/heads/main",
  ACTIONS_RESULTS_URL: "https://results.example/",
  ACTIONS_RUNTIME_TOKEN: "token",
  ACTIONS_CACHE_SERVICE_V2: "true",
};
const open = (changed: Partial<StoreInputs> = {}, environment: NodeJS.ProcessEnv = actions) => {
  const shell: Partial<Shell> = { cwd: "/srv", environment, signal: new AbortController().signal };
  return openStore({ ...inputs, ...changed }, shell as Shell);
};

describe("the stores of an environment", () => {
  test("are taken in one order, whatever order they are named in", async () => {
    const described = lockedStores(await open()).map(({ description }) => description);
    expect(described).toEqual([
      "file /srv/ledger/production",
      "cache production on refs/heads/main",
      "artifact acme/shop production",
    ]);
  });

  test("keep for a while only, without a folder", async () => {
    expect((await open()).keeps).toBe("for-good");
    expect((await open({ store: ["artifact", "cache"] })).keeps).toBe("for-a-while");
  });

  test("take the token that the command line has in its environment, and need one", async () => {
    const none = { store: ["artifact"], githubToken: null } as const;
    await open(none, { ...actions, GITHUB_TOKEN: "of the environment" });
    await expect(open(none)).rejects.toMatchObject({
      code: "inputs-invalid",
      message: expect.stringContaining("github-token"),
    });
  });

  test("of GitHub are refused outside of GitHub Actions, and a folder is not", async () => {
    await expect(open({ store: ["cache"] }, {})).rejects.toMatchObject({ code: "inputs-invalid" });
    expect((await open({ store: ["file"] }, {})).description).toBe("file /srv/ledger/production");
  });
});
