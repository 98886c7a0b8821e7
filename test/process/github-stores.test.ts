import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeFlink } from "../fakes/fake-flink.ts";
import { FakeGithub } from "../fakes/fake-github.ts";
import { job } from "../unit/plan/jobs.ts";
import { checkpointing, deployed } from "./deployed.ts";
import { Folders, runAction, type StepEnded } from "./harness.ts";

const running = (name: string) => job(name, { executionConfig: { "pipeline.name": name, ...checkpointing } });

/** The bundle with its own copy of GitHub's clients, as the runner starts it. */
describe.each(["artifact", "cache"])("the action with its ledger in the store `%s`", (store) => {
  let folders: Folders;
  let flink: FakeFlink;
  let github: FakeGithub;
  let ledger: string;
  beforeEach(async () => {
    folders = new Folders();
    ledger = await folders.make();
    flink = await FakeFlink.start();
    github = await FakeGithub.start();
  });
  afterEach(async () => {
    await github[Symbol.asyncDispose]();
    await flink[Symbol.asyncDispose]();
    await folders[Symbol.asyncDispose]();
  });

  /** A step of a workflow run of its own. */
  async function step(command: string, inputs: Readonly<Record<string, string>> = {}): Promise<StepEnded> {
    const cwd = await folders.make();
    return await runAction(
      {
        command,
        store,
        "gateway-url": flink.gatewayUrl,
        "jobmanager-url": flink.jobmanagerUrl,
        "github-token": "token-of-the-job",
        ...(command === "status" ? {} : { "savepoint-dir": "file:///savepoints" }),
        ...inputs,
      },
      { cwd, environment: { ...github.environmentOf(github.startRun()), RUNNER_TEMP: await folders.make() } },
    );
  }

  /** Both stores take the file store's ledger over when they are named together with it. */
  async function begin(): Promise<void> {
    await deployed([running("orders"), running("customers")], { fake: flink, ledger });
    const both = await step("suspend", { jobs: "customers", store: `${store}, file`, "ledger-dir": ledger });
    expect(both).toMatchObject({ code: 0, outputs: { reason: "ok" } });
  }

  test("suspends a job in one run, shows it in another, and resumes it in a third, each from the ledger alone", async () => {
    await begin();
    const suspended = await step("suspend", { jobs: "orders" });
    expect(suspended).toMatchObject({ code: 0, outputs: { reason: "ok" } });
    expect(suspended.stdout).not.toMatch(/^(?!::)(Artifact name is valid|Uploaded bytes|\[command\])/m);
    expect([...flink.living("orders"), ...flink.living("customers")]).toEqual([]);

    const status = await step("status");
    expect(status).toMatchObject({ code: 0, outputs: { reason: "ok" } });
    expect(status.stdout).toMatch(/\*\*orders\*\* \| suspended/);

    const resumed = await step("resume", { jobs: "*" });
    expect(resumed).toMatchObject({ code: 0, outputs: { reason: "ok" } });
    expect([flink.living("orders").length, flink.living("customers").length]).toEqual([1, 1]);
    const numbers = flink.numbers("orders");
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
  });

  test("does nothing to a job where it cannot write its intent down", async () => {
    await begin();
    const isWrite = ({ path }: { readonly path: string }) => /(CreateArtifact|CreateCacheEntry)$/.test(path);
    // The lock is taken; then the service refuses.
    github.trouble({ matches: isWrite, effect: { status: 403, body: { msg: "over quota" } }, skip: 1, times: 1_000 });
    const { code, outputs } = await step("suspend", { jobs: "orders" });
    expect({ code, reason: outputs.reason }).toEqual({ code: 1, reason: "store-unconfirmed" });
    expect(flink.living("orders")).toHaveLength(1);
  });

  test("says which input is wrong where GitHub's services are not to be had", async () => {
    const cwd = await folders.make();
    const inputs = { command: "status", store, "gateway-url": flink.gatewayUrl, "github-token": "t" };
    const { errors, outputs } = await runAction(inputs, { cwd });
    expect(outputs.reason).toBe("inputs-invalid");
    expect(errors[0]?.message).toContain(`store: ${store} works in GitHub Actions alone`);
  });
});
