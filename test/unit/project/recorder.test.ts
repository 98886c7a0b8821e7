import { afterEach, describe, expect, it } from "vitest";
import { type Answer, type Recorder, startRecorder } from "../../../src/project/recorder.ts";

const noAnswer: Answer = () => Promise.reject(new Error("nothing was to be asked"));
const commented = (nodeId: string, sql: string) => `/* {"app": "dbt", "node_id": "${nodeId}"} */\n${sql}`;

let recorder: Recorder;
afterEach(() => recorder[Symbol.asyncDispose]());

/** What the adapter reads of a response. */
interface Body {
  readonly sessionHandle: string;
  readonly operationHandle: string;
  readonly status: string;
  readonly productName: string;
  readonly versions: readonly string[];
  readonly results: { readonly columns: readonly { readonly name: string }[]; readonly data: readonly unknown[] };
}

async function call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Body }> {
  const response = await fetch(`${recorder.url}${path}`, { method, ...(body ? { body: JSON.stringify(body) } : {}) });
  return { status: response.status, body: (await response.json()) as Body };
}

async function openSession(version = "v1"): Promise<string> {
  const { body } = await call("POST", `/${version}/sessions`, { sessionName: "shop" });
  return `/${version}/sessions/${body.sessionHandle}`;
}

/** Sends a statement as the adapter does: submit, status, first page. */
async function send(session: string, statement: string, executionConfig: object | null = null) {
  const { body } = await call("POST", `${session}/statements`, { statement, executionConfig });
  const operation = `${session}/operations/${body.operationHandle}`;
  const status = await call("GET", `${operation}/status`);
  return { status: status.body.status, result: await call("GET", `${operation}/result/0`) };
}

describe("what is kept", () => {
  it("is every statement in order, with its execution config and the node of dbt's query comment", async () => {
    recorder = await startRecorder({ answer: noAnswer });
    const session = await openSession();
    await send(session, "SET 'execution.runtime-mode' = 'streaming'");
    await send(session, commented("model.shop.a", "create table a as (select 1)"), { "pipeline.name": "a", n: 1 });
    expect(recorder.statements()).toEqual([
      { sql: "SET 'execution.runtime-mode' = 'streaming'", executionConfig: {}, nodeId: null },
      {
        sql: commented("model.shop.a", "create table a as (select 1)"),
        executionConfig: { "pipeline.name": "a", n: "1" },
        nodeId: "model.shop.a",
      },
    ]);
  });

  it.each([
    ["after the statement", 'create view v as (select 1)\n/* {"node_id": "model.shop.v"} */;', "model.shop.v"],
    ["of the user's own words", "/* owned by team b */ create view v as (select 1)", null],
    ["of the user's own braces", "/* {team b} */ create view v as (select 1)", null],
    ["without a node", '/* {"connection_name": "master"} */ create view v as (select 1)', null],
    ["in a string only", `create view v as (select '/* {"node_id": "x"} */' as c)`, null],
  ])("has the node right with a query comment %s", async (_, statement, nodeId) => {
    recorder = await startRecorder({ answer: noAnswer });
    await send(await openSession(), statement);
    expect(recorder.statements().map((kept) => kept.nodeId)).toEqual([nodeId]);
  });

  it("is forgotten on clear", async () => {
    recorder = await startRecorder({ answer: noAnswer });
    await send(await openSession(), "create table a (x int)");
    recorder.clear();
    expect(recorder.statements()).toEqual([]);
  });

  it("comes from many sessions and threads at once", async () => {
    recorder = await startRecorder({ answer: noAnswer });
    const sessions = await Promise.all([openSession(), openSession("v2"), openSession("v4")]);
    const sent = sessions.flatMap((session, s) =>
      Array.from({ length: 20 }, (_, n) => [session, `SET '${s}' = '${n}'`]),
    );
    await Promise.all(sent.map(([session = "", statement = ""]) => send(session, statement)));
    expect(
      recorder
        .statements()
        .map(({ sql }) => sql)
        .sort(),
    ).toEqual(sent.map(([, statement]) => statement).sort());
  });
});

describe("what is answered from memory", () => {
  it.each([
    "create table a (x int)",
    "-- a comment\n/** drop_statement('drop view v') */ create view v as (select 1)",
    "drop table if exists `a`",
    "SET 'a' = 'b'",
    "insert into a values (1)",
    "USE CATALOG c",
  ])("is one row OK in one last page: %s", async (statement) => {
    recorder = await startRecorder({ answer: noAnswer });
    const { status, result } = await send(await openSession(), statement);
    expect(status).toBe("FINISHED");
    expect(result.body).toMatchObject({ resultType: "EOS", results: { data: [{ fields: ["OK"] }] } });
  });

  it("is no job at all, so that the adapter stops none", async () => {
    recorder = await startRecorder({ answer: noAnswer });
    const session = await openSession();
    const jobs = await send(session, "SHOW JOBS");
    expect(jobs.result.body.results.columns.map((column) => column.name)).toEqual([
      "job id",
      "job name",
      "status",
      "start time",
    ]);
    expect(jobs.result.body.results.data).toEqual([]);
    expect((await send(session, " STOP JOB 'x' WITH SAVEPOINT")).result.body.results.data).toEqual([]);
  });

  it("is the rest of the protocol", async () => {
    recorder = await startRecorder({ answer: noAnswer });
    const session = await openSession();
    const { body } = await call("POST", `${session}/statements`, { statement: "create table a (x int)" });
    const operation = `${session}/operations/${body.operationHandle}`;
    expect((await call("GET", "/v1/info")).body.productName).toBe("Apache Flink");
    expect((await call("GET", "/api_versions")).body.versions).toContain("V1");
    expect((await call("POST", `${session}/heartbeat`)).status).toBe(200);
    expect((await call("POST", `${operation}/cancel`)).body).toEqual({ status: "CANCELED" });
    expect((await call("DELETE", `${operation}/close`)).body).toEqual({ status: "CLOSED" });
    expect((await call("DELETE", session)).body).toEqual({ status: "CLOSED" });
    expect((await call("POST", `${session}/statements`, { statement: "SET" })).status).toBe(500);
    expect((await call("GET", "/v1/nonsense")).status).toBe(404);
  });
});

describe("what is asked", () => {
  it.each([
    "SELECT 1",
    "with t as (select 1) select * from t",
    "(select 1)",
    "show tables",
    "DESCRIBE a",
    "desc a",
    "EXPLAIN select 1",
    "values (1)",
  ])("is a statement that wants real rows: %s", async (statement) => {
    const answer: Answer = async () => ({ columns: [{ name: "n", type: "INT" }], rows: [[1], [2]] });
    recorder = await startRecorder({ answer });
    const { result } = await send(await openSession(), commented("model.shop.a", statement));
    expect(result.body).toMatchObject({
      resultType: "EOS",
      results: { columns: [{ name: "n", logicalType: { type: "INT" } }], data: [{ fields: [1] }, { fields: [2] }] },
    });
  });

  it("comes with the statements that were sent before it", async () => {
    const seen: string[][] = [];
    const answer: Answer = async (statement, before) => {
      seen.push([statement, ...before.map(({ sql }) => sql)]);
      return { columns: [], rows: [] };
    };
    recorder = await startRecorder({ answer });
    const session = await openSession();
    await send(session, "create table a (x int)");
    await send(session, "show tables");
    expect(seen).toEqual([["show tables", "create table a (x int)"]]);
  });

  it("reaches dbt as the gateway's own error where it cannot be answered", async () => {
    recorder = await startRecorder({ answer: () => Promise.reject(new Error("Object 'b' not found")) });
    const { status, result } = await send(await openSession(), "select * from b");
    expect(status).toBe("ERROR");
    expect(result).toEqual({ status: 500, body: { errors: ["Internal server error.", "Object 'b' not found"] } });
  });

  it("is not an answer to dbt's tests, which are left alone", async () => {
    recorder = await startRecorder({ answer: noAnswer });
    const { result } = await send(await openSession(), "select /** test_query('true') */ count(*) as failures from a");
    expect(result.body.results.data).toEqual([{ kind: "INSERT", fields: [0, false, false] }]);
  });
});
