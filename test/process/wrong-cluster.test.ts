import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FakeFlink } from "../fakes/fake-flink.ts";
import { type Door, Folders, run } from "./harness.ts";

const folders = new Folders();
const servers: Server[] = [];
let cwd: string;
let fake: FakeFlink;
let nobody: string;
let website: string;
let proxy: string;
beforeAll(async () => {
  cwd = await folders.make({ "dbt_project.yml": "name: shop\n" });
  fake = await FakeFlink.start({ version: "1.20.3" });
  website = await serve(200, "text/html", "<html><body>Grafana</body></html>");
  proxy = await serve(503, "text/html", "<html>no healthy upstream</html>");
  nobody = await serve(200, "text/plain", "");
  servers.pop()?.close();
});
afterAll(async () => {
  for (const server of servers) server.close();
  await fake[Symbol.asyncDispose]();
  await folders[Symbol.asyncDispose]();
});

async function serve(status: number, type: string, body: string): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status, { "content-type": type }).end(body));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe.each(["command", "action"] as const)("through the %s", (door: Door) => {
  const places: readonly (readonly [string, () => Readonly<Record<string, string>>, string, string])[] = [
    ["nobody answers", () => ({ "gateway-url": nobody }), "gateway-unreachable", "ECONNREFUSED"],
    ["a proxy has no gateway", () => ({ "gateway-url": proxy }), "gateway-unreachable", "status 503"],
    ["a website answers", () => ({ "gateway-url": website }), "not-a-gateway", "the answer is not JSON"],
    ["the JobManager answers", () => ({ "gateway-url": fake.jobmanagerUrl }), "not-a-gateway", "status 404"],
    [
      "the gateway answers for the JobManager",
      () => ({ "gateway-url": fake.gatewayUrl, "jobmanager-url": fake.gatewayUrl }),
      "jobmanager-unreachable",
      "check jobmanager-url",
    ],
    [
      "no JobManager answers",
      () => ({ "gateway-url": fake.gatewayUrl, "jobmanager-url": nobody }),
      "jobmanager-unreachable",
      "ECONNREFUSED",
    ],
  ];
  test.each(places)("%s: %o is told in one line, with what to check", async (_name, inputs, reason, said) => {
    const result = await run(door, "status", inputs(), { cwd });
    expect(result).toMatchObject({ code: 1, reason });
    expect(result.message).toContain(said);
    expect(result.message.split("\n")).toHaveLength(2);
    expect(result.everything).not.toMatch(/^\s+at /m);
  });

  test("a cluster of another version than planned for is refused before dbt is asked for", async () => {
    const inputs = { "gateway-url": fake.gatewayUrl, "flink-version": "2.3.0" };
    const { reason, message } = await run(door, "deploy", inputs, { cwd: await repository() });
    expect(reason).toBe("version-mismatch");
    expect(message).toContain(`flink-version is 2.3.0, but the cluster at ${fake.gatewayUrl} runs 1.20.3`);
  });

  test("a gateway and a JobManager of two versions are refused", async () => {
    fake.jobmanager.version = "1.19.1";
    const inputs = { "gateway-url": fake.gatewayUrl, "jobmanager-url": fake.jobmanagerUrl };
    const { reason, message } = await run(door, "status", inputs, { cwd });
    fake.version = "1.20.3";
    expect(reason).toBe("version-mismatch");
    expect(message).toContain("the SQL Gateway is Flink 1.20.3, but the JobManager is 1.19.1");
  });

  test("a password in a URL is told by no message", async () => {
    for (const url of [nobody, website, fake.jobmanagerUrl]) {
      const secret = url.replace("://", "://deployer:hunter2%40home@");
      const { everything } = await run(door, "status", { "gateway-url": secret }, { cwd });
      expect(everything).not.toContain("hunter2");
    }
    const inputs = { "gateway-url": fake.gatewayUrl.replace("://", "://me:hunter2@home's@"), "flink-version": "2.3.0" };
    const { reason, everything } = await run(door, "deploy", inputs, { cwd: await repository() });
    expect({ reason, told: /hunter2|home's/.test(everything) }).toEqual({ reason: "version-mismatch", told: false });
  });
});

let made: Promise<string> | null = null;
async function repository(): Promise<string> {
  made ??= (async () => {
    const { execFileSync } = await import("node:child_process");
    const folder = await folders.make({ "dbt_project.yml": "name: shop\n" });
    execFileSync("git", ["init", "--quiet"], { cwd: folder });
    return folder;
  })();
  return await made;
}
