import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeFlink } from "../fakes/fake-flink.ts";
import { job } from "../unit/plan/jobs.ts";
import { checkpointing, deployed } from "./deployed.ts";
import { distFolder, Folders, runCli } from "./harness.ts";

let folders: Folders;
let cwd: string;
let fake: FakeFlink;
let status: readonly string[];
beforeEach(async () => {
  folders = new Folders();
  cwd = await folders.make();
  fake = await FakeFlink.start();
  const ledger = await folders.make();
  await deployed([job("orders_daily", { executionConfig: { "pipeline.name": "orders_daily", ...checkpointing } })], {
    fake,
    ledger,
  });
  const urls = ["--gateway-url", fake.gatewayUrl, "--jobmanager-url", fake.jobmanagerUrl];
  status = ["status", ...urls, "--ledger-dir", ledger];
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
  await folders[Symbol.asyncDispose]();
});

/** Runs the command with a pseudo-terminal as its output, 140 columns wide, and returns what appears on it. */
async function onTerminal(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<string> {
  const command = [process.execPath, join(distFolder, "cli.js"), ...args].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["--quiet", "--return", "--command", `stty cols 140; exec ${command}`, "/dev/null"], {
    cwd,
    env: { PATH: process.env.PATH, LANG: "C.UTF-8", HOME: cwd, TERM: "xterm-256color", ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [shown, [code]] = await Promise.all([text(child.stdout), once(child, "close")]);
  expect(code).toBe(0);
  return shown.replaceAll("\r\n", "\n");
}

describe("a result is", () => {
  test("plain text at a terminal, in colours", async () => {
    const shown = await onTerminal(status, {});
    expect(shown).toContain("\u001b[1mStatus of default: the ledger and the cluster agree\u001b[22m\n");
    expect(shown).toMatch(/^Job {11}Ledger {3}Cluster/m);
    expect(shown).toMatch(/^orders_daily {2}running {2}RUNNING {2}[0-9a-f]{32} {2}—/m);
    expect(shown).not.toMatch(/\*\*|`|\|/);
  });

  test.each([{ NO_COLOR: "1" }, { TERM: "dumb" }])("without colours under %j", async (environment) => {
    const shown = await onTerminal(status, environment);
    expect(shown).toContain("Status of default: the ledger and the cluster agree\n");
    expect(shown).not.toContain("\u001b");
  });

  test("Markdown where it is piped", async () => {
    const { stdout } = await runCli(status, { cwd });
    expect(stdout).toContain("## Status of default: the ledger and the cluster agree\n");
    expect(stdout).toMatch(/^\| \*\*orders_daily\*\* \| running \|/m);
  });
});

describe("a reader that goes away, as `head -1` does, changes nothing:", () => {
  /** Both ends of what the reader lets go of are closed before the command has anything to say. */
  async function unread(streams: readonly ("stdout" | "stderr")[]): Promise<{ code: number; said: string }> {
    const child = spawn(process.execPath, [join(distFolder, "cli.js"), ...status], {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of streams) child[stream].destroy();
    const said = streams.includes("stderr") ? Promise.resolve("") : text(child.stderr);
    const [[code], all] = await Promise.all([once(child, "exit"), said]);
    return { code: code as number, said: all };
  }

  test("the command ends with its own code and without a word of the pipe", async () => {
    expect(await unread(["stdout"])).toEqual({ code: 0, said: "" });
    fake.cluster.loseJobs();
    const { code, said } = await unread(["stdout"]);
    expect(code).toBe(1);
    expect(said).toMatch(/^orders_daily: job [0-9a-f]{32} is not known .*\njob-down: .*\n$/);
  });

  test("nor does one of standard error", async () => {
    expect(await unread(["stdout", "stderr"])).toEqual({ code: 0, said: "" });
    fake.cluster.loseJobs();
    expect(await unread(["stdout", "stderr"])).toEqual({ code: 1, said: "" });
  });
});
