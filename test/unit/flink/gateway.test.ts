import { describe, expect, test } from "vitest";
import { Gateway } from "../../../src/flink/gateway.ts";
import { FakeFlink } from "../../fakes/fake-flink.ts";
import { json, type StubServer, serve } from "./stub-server.ts";

const paths = (flink: FakeFlink): readonly string[] =>
  flink.requests.map(({ method, path }) => `${method} ${path.replace(/[0-9a-f-]{36}/g, "*")}`);

describe("a statement", () => {
  test("is submitted, waited for, fetched and let go", async () => {
    await using flink = await FakeFlink.start();
    const session = await new Gateway({ url: flink.gatewayUrl }).openSession();
    await session.execute("SHOW VIEWS");
    expect(paths(flink).slice(1)).toEqual([
      "POST /v1/sessions/*/statements",
      "GET /v1/sessions/*/operations/*/status",
      "GET /v1/sessions/*/operations/*/result/0",
      "DELETE /v1/sessions/*/operations/*/close",
    ]);
  });

  test("carries its execution config alone", async () => {
    await using flink = await FakeFlink.start();
    const session = await new Gateway({ url: flink.gatewayUrl }).openSession();
    await session.execute("SHOW VIEWS;", { executionConfig: { a: "b" } });
    await session.execute("SHOW VIEWS");
    expect(flink.statements.map(({ sql, executionConfig }) => [sql, executionConfig])).toEqual([
      ["SHOW VIEWS", { a: "b" }],
      ["SHOW VIEWS", {}],
    ]);
  });

  test.each(["submit", "status", "result"] as const)("fails alike when its error shows at %s", async (place) => {
    await using flink = await FakeFlink.start();
    flink.gateway.errorsShowAt = place;
    const session = await new Gateway({ url: flink.gatewayUrl }).openSession();
    await expect(session.execute("SELECT * FROM nothere")).rejects.toMatchObject({
      code: "statement-failed",
      message: "From line 1, column 15 to line 1, column 21: Object 'nothere' not found",
    });
  });

  test("of an expired session is session-expired", async () => {
    await using flink = await FakeFlink.start();
    const session = await new Gateway({ url: flink.gatewayUrl }).openSession();
    flink.gateway.expireSessions();
    await expect(session.execute("SHOW JOBS")).rejects.toMatchObject({ code: "session-expired" });
  });

  test("is looked at after 5 ms, then ever more seldom up to 250 ms", async () => {
    await using slow = await slowGateway(9);
    const waits: number[] = [];
    const gateway = new Gateway({ url: slow.url, sleep: async (ms) => void waits.push(ms) });
    await (await gateway.openSession()).execute("SHOW JOBS");
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 250, 250, 250]);
  });

  test("that does not end in time is named by its keyword only, and let go", async () => {
    await using stuck = await slowGateway(Number.POSITIVE_INFINITY);
    const session = await new Gateway({ url: stuck.url }).openSession();
    await expect(session.execute("CREATE TABLE x WITH ('password' = 'p')", { timeoutMs: 30 })).rejects.toMatchObject({
      code: "gateway-unreachable",
      message: expect.stringMatching(/^CREATE TABLE did not end within 30 ms/),
    });
    expect(stuck.requests.at(-1)).toBe("DELETE /v1/sessions/s/operations/o/close");
  });

  test("ends in interrupted when the caller gives up, and is let go all the same", async () => {
    await using stuck = await slowGateway(Number.POSITIVE_INFINITY);
    const control = new AbortController();
    const sleep = async (): Promise<void> => control.abort();
    const session = await new Gateway({ url: stuck.url, signal: control.signal, sleep }).openSession();
    await expect(session.execute("SHOW JOBS")).rejects.toMatchObject({ code: "interrupted" });
    expect(stuck.requests.at(-1)).toBe("DELETE /v1/sessions/s/operations/o/close");
  });
});

describe("a result", () => {
  const column = { name: "n", logicalType: { type: "BIGINT", nullable: false }, comment: null };
  const page = (kind: string, rows: readonly number[], next: number | null) => ({
    resultType: kind,
    results: { columns: [column], data: rows.map((row) => ({ kind: "INSERT", fields: [row] })) },
    ...(next === null ? {} : { nextResultUri: `/v1/sessions/s/operations/o/result/${next}` }),
  });

  test("is fetched page by page, also where a page is empty or not ready", async () => {
    const pages = [
      { resultType: "NOT_READY", nextResultUri: "/v1/sessions/s/operations/o/result/0" },
      page("PAYLOAD", [], 1),
      page("PAYLOAD", [1, 2], 2),
      page("PAYLOAD", [3], 3),
      page("EOS", [], null),
    ];
    await using server = await pagedGateway(pages);
    const result = await (await new Gateway({ url: server.url, sleep: async () => {} }).openSession()).execute(
      "SELECT 1",
    );
    expect(result).toEqual({
      columns: [{ name: "n", type: "BIGINT", nullable: false }],
      rows: [[1], [2], [3]],
      jobId: null,
    });
  });

  test("without an end is given up at the row limit", async () => {
    await using server = await pagedGateway([], page("PAYLOAD", [1, 2, 3, 4], 1));
    const session = await new Gateway({ url: server.url, rowLimit: 10 }).openSession();
    await expect(session.execute("SELECT 1")).rejects.toMatchObject({
      code: "statement-failed",
      message: "more than 10 rows; add a LIMIT",
    });
    expect(server.requests.at(-1)).toBe("DELETE /v1/sessions/s/operations/o/close");
  });
});

/** A gateway whose statement is RUNNING at the first `looks` looks. */
async function slowGateway(looks: number): Promise<StubServer> {
  let left = looks;
  return await serve((request, response) => {
    const path = request.url ?? "";
    if (path.endsWith("/status")) {
      left -= 1;
      return json({ status: left >= 0 ? "RUNNING" : "FINISHED" })(request, response);
    }
    return answered(path, { resultType: "EOS" })(request, response);
  });
}

async function pagedGateway(pages: readonly unknown[], rest: unknown = { resultType: "EOS" }): Promise<StubServer> {
  const left = [...pages];
  return await serve((request, response) => {
    const path = request.url ?? "";
    const body = path.includes("/result/") ? (left.shift() ?? rest) : { status: "FINISHED" };
    answered(path, body)(request, response);
  });
}

function answered(path: string, body: unknown): ReturnType<typeof json> {
  if (path === "/v1/sessions") return json({ sessionHandle: "s" });
  if (path.endsWith("/statements")) return json({ operationHandle: "o" });
  return json(body);
}
