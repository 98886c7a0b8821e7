import { describe, expect, test } from "vitest";
import { actionsRuntime } from "../../../src/commands/actions.ts";

const environment = {
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_API_URL: "https://api.github.com/",
  GITHUB_REPOSITORY: "acme/shop",
  GITHUB_REPOSITORY_ID: "42",
  GITHUB_REF: "refs/heads/main",
  ACTIONS_RESULTS_URL: "https://results.example/",
  ACTIONS_RUNTIME_TOKEN: "token",
  ACTIONS_CACHE_SERVICE_V2: "true",
};
const without = (name: string) => ({ ...environment, [name]: "" });
const refused = (message: RegExp) =>
  expect.objectContaining({ code: "inputs-invalid", message: expect.stringMatching(message) });

describe("GitHub's runner", () => {
  test("tells where its services are", () => {
    expect(actionsRuntime("artifact", environment)).toEqual({
      apiUrl: "https://api.github.com",
      repository: "acme/shop",
      repositoryId: 42,
      ref: "refs/heads/main",
      resultsUrl: "https://results.example/",
      runtimeToken: "token",
    });
  });

  test.each(["https://acme.ghe.com", "http://github.localhost:3000"])("has them on %s too", (server) => {
    expect(() => actionsRuntime("cache", { ...environment, GITHUB_SERVER_URL: server })).not.toThrow();
  });

  test.each(["https://github.acme.example", "https://github.com.acme.example", "https://notgithub.com", "nonsense"])(
    "has none on %s",
    (server) => {
      expect(() => actionsRuntime("artifact", { ...environment, GITHUB_SERVER_URL: server })).toThrow(
        refused(/^store: artifact is not to be had on /),
      );
    },
  );

  test.each(["ACTIONS_RESULTS_URL", "ACTIONS_RUNTIME_TOKEN", "GITHUB_REPOSITORY", "GITHUB_REF"])(
    "does not give %s to a command that is run by hand",
    (name) => {
      expect(() => actionsRuntime("artifact", without(name))).toThrow(
        refused(/^store: artifact works in GitHub Actions/),
      );
    },
  );

  test("may have an older cache service, which is none", () => {
    expect(() => actionsRuntime("cache", without("ACTIONS_CACHE_SERVICE_V2"))).toThrow(refused(/^store: cache needs/));
    expect(() => actionsRuntime("artifact", without("ACTIONS_CACHE_SERVICE_V2"))).not.toThrow();
  });

  test("may be too old to tell the repository's id", () => {
    expect(actionsRuntime("artifact", without("GITHUB_REPOSITORY_ID")).repositoryId).toBeNull();
  });
});
