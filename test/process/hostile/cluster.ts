import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { Gateway } from "../../../src/flink/gateway.ts";
import { JobManager } from "../../../src/flink/jobmanager.ts";
import { FakeFlink } from "../../fakes/fake-flink.ts";
import { json, serve } from "../../unit/flink/stub-server.ts";
import { job } from "../../unit/plan/jobs.ts";
import { checkpointing, deployed } from "../deployed.ts";
import type { Folders } from "../harness.ts";
import { asked, door, type Got, type HostileRow } from "./row.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const flink = { productName: "Apache Flink", version: "1.20.3" };
const page = (data: readonly unknown[]) => ({
  resultType: "PAYLOAD",
  results: { columns: [{ name: "a", logicalType: { type: "VARCHAR", nullable: true } }], data },
  nextResultUri: "/v1/sessions/s/operations/o/result/1",
});
const rowOf = (value: unknown) => ({ kind: "INSERT", fields: [value] });

/** What a gateway or a JobManager that somebody else has taken over may answer. */
export function hostileClusters(folders: Folders): readonly HostileRow[] {
  const status = async (answer: Answer, token = false): Promise<Got> => {
    await using server = await serve(answer);
    const environment = token ? { FLINK_DBT_DEPLOY_FLINK_TOKEN: "hunter2hunter2" } : {};
    return await door("command", "status", { "gateway-url": server.url }, { cwd: await folders.make(), environment });
  };
  const gateway = (tried: string, answer: Answer, says: RegExp, code = "not-a-gateway"): HostileRow => ({
    area: "gateway",
    tried,
    got: () => status(answer, true),
    code,
    says,
    hides: ["hunter2"],
  });
  const jobmanager = (tried: string, answer: Answer, says: RegExp): HostileRow => ({
    area: "jobmanager",
    tried,
    got: async () => {
      await using server = await serve(answer);
      await using fake = await FakeFlink.start();
      const inputs = { "gateway-url": fake.gatewayUrl, "jobmanager-url": server.url };
      return await door("command", "status", inputs, { cwd: await folders.make() });
    },
    code: "jobmanager-unreachable",
    says,
  });
  const statement = (tried: string, results: Answer, says: RegExp, code: string): HostileRow => ({
    area: "gateway",
    tried,
    got: async () => {
      await using server = await serve((request, response) => {
        const path = request.url ?? "";
        if (path.endsWith("/result/0") || path.endsWith("/result/1")) return results(request, response);
        json({ sessionHandle: "s", operationHandle: "o", status: "FINISHED" })(request, response);
      });
      const session = await new Gateway({ url: server.url, requestTimeoutMs: 10_000 }).openSession();
      return await asked(async () => JSON.stringify(await session.execute("SELECT 1", { timeoutMs: 30_000 })));
    },
    code,
    says,
  });
  const endless: Answer = (_, response) => {
    const blocks = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(1 << 20, " ");
      })(),
    );
    response.on("close", () => blocks.destroy());
    blocks.pipe(response.writeHead(200));
  };
  const text =
    (body: string, code = 200): Answer =>
    (_, response) =>
      void response.writeHead(code).end(body);
  return [
    gateway("HTML", text("<html>hello</html>"), /the answer is not JSON/),
    gateway("an answer that never ends", endless, /the answer is larger than 64 MB/),
    gateway("JSON that nests 100000 deep", text("[".repeat(100_000)), /nests deeper than 2000 levels/),
    gateway("a version that is a number", json({ ...flink, version: 1 }), /version is 1, not a string/),
    gateway("a list where an object belongs", json([flink]), /is \[/),
    gateway("nothing", text(""), /the answer is not JSON/),
    gateway(
      "__proto__ with what is asked for",
      text('{"__proto__":{"productName":"x","version":"1.20.3"}}'),
      /productName is missing/,
    ),
    gateway(
      "a redirect to another host",
      (_, response) => void response.writeHead(302, { location: "https://evil.example/?t=hunter2hunter2" }).end(),
      /it leads to https:\/\/evil\.example\/, and what is sent stays with one host/,
    ),
    gateway(
      "a redirect to a file",
      (_, response) => void response.writeHead(307, { location: "file:///etc/passwd" }).end(),
      /it leads to file:\/\/\/etc\/passwd/,
    ),
    gateway(
      "a redirect to itself, for ever",
      (request, response) => void response.writeHead(301, { location: request.url }).end(),
      /it leads to http/,
    ),
    gateway(
      "a redirect to nowhere",
      (_, response) => void response.writeHead(302, { location: "http://[" }).end(),
      /it leads to nowhere/,
    ),
    gateway(
      "headers of 1 MB",
      (_, response) => void response.writeHead(200, { "x-large": "y".repeat(1 << 20) }).end(),
      /UND_ERR_HEADERS_OVERFLOW/,
      "gateway-unreachable",
    ),
    gateway("a login page", text("<html>password</html>", 401), /access denied \(401\)/, "gateway-unreachable"),
    gateway(
      "no HTTP",
      (_, response) => void response.socket?.end("SSH-2.0-OpenSSH\r\n"),
      /no sql gateway answers/,
      "gateway-unreachable",
    ),
    gateway(
      "an error that repeats the token",
      (request, response) => json({ errors: [`bad ${request.headers.authorization}`] }, 500)(request, response),
      /bad Bearer \*{6}/,
      "statement-failed",
    ),
    gateway(
      "an error that repeats the token in base64",
      (request, response) =>
        json({ errors: [`bad ${Buffer.from(`x:${request.headers.authorization}`).toString("base64")}`] }, 500)(
          request,
          response,
        ),
      /bad /,
      "statement-failed",
    ),
    gateway(
      "an error with workflow commands",
      json({ errors: ["::add-mask::x\n##[set-output name=reason]ok"] }, 500),
      /add-mask/,
      "statement-failed",
    ),
    {
      area: "gateway",
      tried: "an answer that drips, a byte at a time",
      got: async () => {
        await using server = await serve((_, response) => {
          const drip = setInterval(() => response.write(" "), 5);
          response.writeHead(200).on("close", () => clearInterval(drip));
        });
        return await asked(() => new Gateway({ url: server.url, requestTimeoutMs: 300 }).info());
      },
      code: "gateway-unreachable",
      says: /no answer within 300 ms/,
    },
    statement(
      "200000 rows on one page",
      json(page(Array(200_000).fill(rowOf("x")))),
      /more than 100000 rows; add a LIMIT/,
      "statement-failed",
    ),
    statement(
      "pages of 40 MB without an end",
      json(page([rowOf("y".repeat(40 << 20))])),
      /more than 128 MB; add a LIMIT/,
      "statement-failed",
    ),
    statement("a row that is no row", json(page([1])), /results\.data\[0\] is 1/, "not-a-gateway"),
    jobmanager("HTML", text("<html>"), /is not answered by flink jobmanager/),
    jobmanager("an answer that never ends", endless, /larger than 64 MB/),
    jobmanager(
      "a redirect to another host",
      (_, response) => void response.writeHead(302, { location: "http://169.254.169.254/latest" }).end(),
      /it leads to http:\/\/169\.254\.169\.254\/latest/,
    ),
    jobmanager(
      "a version that is a list",
      json({ "flink-version": ["1.20.3"], "refresh-interval": 1 }),
      /flink-version is \["1\.20\.3"\]/,
    ),
    {
      area: "jobmanager",
      tried: "a job id that is a path",
      got: () => asked(() => new JobManager({ url: "http://127.0.0.1:1" }).job("../../config")),
      code: "unknown-job",
      says: /is not an id of 32 hex digits/,
    },
    {
      area: "names",
      tried: "jobs named to write outputs and workflow commands, in status",
      got: async () => {
        await using fake = await FakeFlink.start();
        const ledger = await folders.make();
        const names = ["a\nreason=ok\ncode<<X", "::set-env name=PATH::/x", "##[add-mask]all"];
        const jobs = names.map((name, at) =>
          job(`t${at}`, { executionConfig: { "pipeline.name": name, ...checkpointing } }, { name }),
        );
        await deployed(jobs, { fake, ledger });
        const inputs = { "gateway-url": fake.gatewayUrl, "jobmanager-url": fake.jobmanagerUrl, "ledger-dir": ledger };
        const got = await door("action", "status", inputs, { cwd: await folders.make() });
        return { ...got, line: "the table, with them as text" };
      },
      code: "ok",
      says: /as text/,
    },
  ];
}
