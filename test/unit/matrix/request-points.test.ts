import { describe, expect, test } from "vitest";
import { type PointName, pointNames } from "../../matrix/crash-points.ts";
import { pointOfWrite, RequestPoints } from "../../matrix/request-points.ts";

const old = "a".repeat(32);
const fresh = "b".repeat(32);
const statement = (sql: string): string => JSON.stringify({ statement: sql });

/** Every kind of request of an upgrade, in order; the third is what a statement is answered with. */
const upgrade: readonly (readonly [request: string, point: PointName, body?: string, answer?: string])[] = [
  ["GET /v1/info", "reach"],
  ["GET /config", "reach"],
  ["GET /jobs/overview", "look"],
  [`GET /jobs/${old}/checkpoints`, "look"],
  ["POST /v1/sessions", "prepare"],
  ["POST /v1/sessions/s/statements", "prepare", statement("CREATE TABLE t (n INT)"), '{"operationHandle":"one"}'],
  ["GET /v1/sessions/s/operations/one/status", "prepare"],
  ["GET /v1/sessions/s/operations/one/result/0", "prepare"],
  ["DELETE /v1/sessions/s/operations/one/close", "tidy"],
  ["POST /v1/sessions/s/statements", "prepare", statement("EXPLAIN INSERT INTO t SELECT 1")],
  [`GET /jobs/${old}/savepoints/${fresh}`, "stop-status"],
  [`POST /jobs/${old}/stop`, "stop"],
  ["GET /jobs/overview", "stop-status"],
  [`GET /jobs/${old}/checkpoints`, "stop-status"],
  ["POST /v1/sessions/s/statements", "submit", statement("INSERT INTO t SELECT 1"), '{"operationHandle":"two"}'],
  ["GET /v1/sessions/s/operations/two/status", "submit"],
  ["GET /jobs/overview", "verify"],
  [`GET /jobs/${fresh}/checkpoints/config`, "verify"],
  [`GET /jobs/${fresh}/exceptions`, "verify"],
  ["GET /overview", "verify"],
  [`POST /jobs/${fresh}/checkpoints`, "checkpoint"],
  [`PATCH /jobs/${fresh}?mode=cancel`, "cancel"],
  ["DELETE /v1/sessions/s", "tidy"],
];

const seen = (request: string, body = "") => {
  const [method = "", path = ""] = request.split(" ");
  return { method, path, body };
};

describe("the point that a request belongs to", () => {
  test("follows from its path, its statement and what the run has asked for before", () => {
    const points = new RequestPoints();
    const found = upgrade.map(([request, , body, answer]) => {
      const point = points.pointOf(seen(request, body));
      if (answer !== undefined) points.answered(point, answer);
      return [request, point];
    });
    expect(found).toEqual(upgrade.map(([request, point]) => [request, point]));
  });

  test("follows, through the gateway alone, from its statement", () => {
    const points = new RequestPoints();
    const asked = ["SHOW JOBS", `STOP JOB '${old}' WITH SAVEPOINT`, "SHOW JOBS", "INSERT INTO t SELECT 1", "SHOW JOBS"];
    const found = asked.map((sql) => points.pointOf(seen("POST /v1/sessions/s/statements", statement(sql))));
    expect(found).toEqual(["look", "stop", "stop-status", "submit", "verify"]);
    const cancel = statement(`STOP JOB '${old}'`);
    expect(points.pointOf(seen("POST /v1/sessions/s/statements", cancel))).toBe("cancel");
  });

  test.each(["GET /jobs", `GET /jobs/${old}/plan`, "POST /savepoint-disposal"])(
    "%s, which no deployment makes today, belongs to none",
    (request) => expect(() => new RequestPoints().pointOf(seen(request))).toThrow(/crash point/),
  );
});

const writes: readonly (readonly [string, PointName])[] = [
  ["lock", "lock"],
  ["rollback-begun+rollback-begun", "begin-rollback"],
  ["stop-intended", "intend-stop"],
  ["stopped+submit-intended", "record-stop"],
  ["stopped+suspended", "record-stop"],
  ["stop-failed", "record-failure"],
  ["submit-intended", "intend-submit"],
  ["submitted", "record-submitted"],
  ["running", "record-running"],
  ["unlock", "unlock"],
];

describe("the point that a write belongs to", () => {
  test.each(writes)("%s: %s", (kind, point) => expect(pointOfWrite(kind)).toBe(point));

  test("is of what hangs on it most, where several jobs write at once", () => {
    expect(pointOfWrite("submitted+stop-intended+stopped+submit-intended")).toBe("record-stop");
  });

  test("must be known", () => expect(() => pointOfWrite("rolled")).toThrow(/crash point/));
});

test("every point of the documentation is one that a request or a write belongs to", () => {
  const reached = new Set([...upgrade, ...writes].map(([, point]) => point));
  expect(pointNames.filter((name) => !reached.has(name))).toEqual([]);
});
