import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { Gateway } from "../../../src/flink/gateway.ts";
import { JobManager } from "../../../src/flink/jobmanager.ts";
import { FakeFlink } from "../../fakes/fake-flink.ts";
import { json, serve } from "./stub-server.ts";

const information = { productName: "Apache Flink", version: "1.20.3" };

describe("a lost connection", () => {
  test("is tried again for what only reads, after 50, 200 and 800 ms", async () => {
    await using flink = await FakeFlink.start();
    flink.cut("gateway", { when: "before", matches: () => true, times: 3 });
    const waits: number[] = [];
    const gateway = new Gateway({ url: flink.gatewayUrl, sleep: async (ms) => void waits.push(ms) });
    expect(await gateway.info()).toEqual(information);
    expect(waits).toEqual([50, 200, 800]);
  });

  test("ends in gateway-unreachable when it stays lost", async () => {
    await using flink = await FakeFlink.start();
    flink.setDown("gateway", true);
    const gateway = new Gateway({ url: flink.gatewayUrl, sleep: async () => {} });
    await expect(gateway.info()).rejects.toMatchObject({
      code: "gateway-unreachable",
      message: expect.stringContaining(`GET ${flink.gatewayUrl}/v1/info`),
    });
  });

  test("is never tried again for what changes something", async () => {
    await using flink = await FakeFlink.start();
    flink.cut("gateway", { when: "after", matches: ({ method }) => method === "POST" });
    const gateway = new Gateway({ url: flink.gatewayUrl });
    await expect(gateway.openSession()).rejects.toMatchObject({ code: "gateway-unreachable" });
    expect(flink.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(["POST /v1/sessions"]);
  });
});

describe("what does not answer", () => {
  test("is gateway-unreachable when nothing listens", async () => {
    const closed = await serve(json({}));
    await closed[Symbol.asyncDispose]();
    await expect(new Gateway({ url: closed.url }).info()).rejects.toMatchObject({
      code: "gateway-unreachable",
      message: `no sql gateway answers GET ${closed.url}/v1/info: ECONNREFUSED; check gateway-url`,
    });
    await expect(new JobManager({ url: closed.url }).config()).rejects.toMatchObject({
      code: "jobmanager-unreachable",
      message: `no flink jobmanager answers GET ${closed.url}/config: ECONNREFUSED; check jobmanager-url`,
    });
  });

  test("is gateway-unreachable when the name does not resolve", async () => {
    const gateway = new Gateway({ url: "http://gateway.invalid:8083" });
    await expect(gateway.info()).rejects.toMatchObject({ code: "gateway-unreachable" });
  });

  test("is gateway-unreachable when no answer comes within the limit", async () => {
    await using silent = await serve(() => {});
    const gateway = new Gateway({ url: silent.url, requestTimeoutMs: 20 });
    await expect(gateway.info()).rejects.toMatchObject({
      code: "gateway-unreachable",
      message: expect.stringContaining("no answer within 20 ms"),
    });
  });

  test("is gateway-unreachable when the body does not end within the limit", async () => {
    await using slow = await serve((_, response) => void response.writeHead(200).write("{"));
    const gateway = new Gateway({ url: slow.url, requestTimeoutMs: 20 });
    await expect(gateway.info()).rejects.toMatchObject({ code: "gateway-unreachable" });
  });

  test("ends in interrupted when the caller gives up", async () => {
    const control = new AbortController();
    await using silent = await serve(() => control.abort());
    const gateway = new Gateway({ url: silent.url, signal: control.signal });
    await expect(gateway.info()).rejects.toMatchObject({ code: "interrupted" });
  });
});

describe("what answers wrongly", () => {
  test.each([
    ["HTML", 200, "<html>hello</html>", "not-a-gateway"],
    ["other JSON", 200, '{"hello":1}', "not-a-gateway"],
    ["a list", 200, "[]", "not-a-gateway"],
    ["a page that is not there", 404, "<html>not found</html>", "not-a-gateway"],
    ["a redirect", 302, "", "not-a-gateway"],
    ["a proxy that fails", 500, "<html>broken</html>", "gateway-unreachable"],
    ["a proxy without its gateway", 502, "<html>bad gateway</html>", "gateway-unreachable"],
    ["a login", 401, "", "gateway-unreachable"],
  ])("%s is told apart", async (_, status, body, code) => {
    await using other = await serve((_, response) => void response.writeHead(status).end(body));
    await expect(new Gateway({ url: other.url }).info()).rejects.toMatchObject({ code });
    await expect(new JobManager({ url: other.url }).job("a".repeat(32))).rejects.toMatchObject({
      code: "jobmanager-unreachable",
    });
  });

  test("the message names the place in the answer", async () => {
    await using other = await serve(json({ productName: "Apache Flink", version: 1 }));
    await expect(new Gateway({ url: other.url }).info()).rejects.toThrow("version is 1, not a string");
  });

  test("an endless body is given up", async () => {
    const blocks = Readable.from(Array<Buffer>(65).fill(Buffer.alloc(1024 * 1024, " ")));
    await using endless = await serve((_, response) => void blocks.pipe(response.writeHead(200)));
    await expect(new Gateway({ url: endless.url }).info()).rejects.toThrow("larger than 64 MB");
  });
});

describe("an address", () => {
  test("may have a path of its own", async () => {
    await using proxy = await serve(json(information));
    await new Gateway({ url: `${proxy.url}/flink/` }).info();
    expect(proxy.requests).toEqual(["GET /flink/v1/info"]);
  });

  test("may be without a scheme", async () => {
    await using plain = await serve(json(information));
    expect(await new Gateway({ url: plain.url.replace("http://", "") }).info()).toEqual(information);
  });

  test("sends its user info as basic authorization and never shows it", async () => {
    const seen: (string | undefined)[] = [];
    await using guarded = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(403).end();
    });
    const url = guarded.url.replace("http://", "http://anna:p%40ss@");
    const error: unknown = await new Gateway({ url }).info().catch((thrown: unknown) => thrown);
    expect(seen).toEqual([`Basic ${Buffer.from("anna:p@ss").toString("base64")}`]);
    expect(String(error)).toContain("access denied (403)");
    expect(String(error)).not.toMatch(/anna|ss@/);
  });

  test("sends the headers it was given", async () => {
    const seen: (string | undefined)[] = [];
    await using guarded = await serve((request, response) => {
      seen.push(request.headers.authorization);
      json(information)(request, response);
    });
    await new Gateway({ url: guarded.url, headers: { authorization: "Bearer x" } }).info();
    expect(seen).toEqual(["Bearer x"]);
  });

  test.each(["ftp://user:secret@host", "http://user:secret@ho st"])("%s is refused without showing it", (url) => {
    const open = (): unknown => new Gateway({ url });
    expect(open).toThrow(
      expect.objectContaining({ code: "inputs-invalid", message: expect.not.stringMatching("secret") }),
    );
  });
});
