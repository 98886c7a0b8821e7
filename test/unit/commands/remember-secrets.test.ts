import { describe, expect, test } from "vitest";
import { rememberSecrets, secretInputs } from "../../../src/commands/remember-secrets.ts";
import { makePlan } from "../../../src/plan/make-plan.ts";
import { decodePlan, encodePlan, maskedJob } from "../../../src/plan/plan-file.ts";
import { maskSecrets, rememberSecret } from "../../../src/secrets.ts";
import { job } from "../plan/jobs.ts";

describe("what is known as a secret before anything is said", () => {
  test("is secret inputs; of headers their values", () => {
    const raw = { "flink-token": " token-one ", "flink-header": "X-A: value-one\nX-B:value-two \n", target: "dev" };
    expect(secretInputs(raw)).toEqual(["token-one", "value-one", "value-two"]);
  });

  test("is passwords in URLs, as they stand there and as they are sent", () => {
    rememberSecrets({ "gateway-url": "http://anna:p%40ss-w0rd@flink" }, {});
    for (const shown of ["p%40ss-w0rd", "p@ss-w0rd", Buffer.from("anna:p@ss-w0rd").toString("base64")]) {
      expect(maskSecrets(`x ${shown} y`)).toMatch(/^x \*{6}=? y$/);
    }
  });

  test("is the runner's tokens, and what dbt-env names that looks like one", () => {
    const environment = { GITHUB_TOKEN: "ghs_abcdefgh", KAFKA_PASSWORD: "kafka-geheim", REGION: "eu-central" };
    rememberSecrets({ "dbt-env": "KAFKA_PASSWORD, REGION" }, environment);
    expect(maskSecrets("ghs_abcdefgh kafka-geheim eu-central")).toBe("****** ****** eu-central");
  });

  test("is what vars hold under a key that looks secret", () => {
    rememberSecrets({ vars: '{"db_password": "vars-geheim", "topic": "orders"}' }, {});
    expect(maskSecrets("vars-geheim of orders")).toBe("****** of orders");
  });
});

test("a plan file masks what is known in what is said, and leaves programs and names as everybody sees them", () => {
  rememberSecret("orders-geheim");
  const one = job("orders-geheim", { insert: "INSERT INTO a SELECT 'orders-geheim'" });
  const change = { renamedFrom: null, before: null, reasons: [], explainedBefore: null, explainedAfter: null };
  const plan = makePlan({
    ...{ project: "shop", environment: "e", base: "deployed", head: "h", dbtVersion: "1", adapterVersion: "1" },
    flinkVersion: "1.20.3",
    changes: [{ ...change, kind: "create", job: one.name, after: one, state: { kind: "none", text: "orders-geheim" } }],
    unrecorded: [],
    findings: [],
  });
  const [read] = decodePlan(encodePlan(plan)).changes;
  expect(read).toMatchObject({ job: "orders-geheim", state: { text: "******" } });
  expect(read?.after).toEqual(maskedJob(one));
  expect(read?.after?.program).toEqual(one.program);
});
