import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { Ledger } from "../../../src/ledger/ledger.ts";
import { keepJob, loadJob, secretsOf, unsealProgram } from "../../../src/ledger/stored-job.ts";
import type { Job } from "../../../src/project/job.ts";
import { job } from "../deploy/jobs.ts";

/** The values of a ledger; what it keeps can be looked at and damaged. */
function memory(): Pick<Ledger, "keep" | "value"> & { readonly values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    values,
    keep(text) {
      const key = createHash("sha256").update(text).digest("hex");
      values.set(key, text);
      return key;
    },
    value: async (key) => values.get(key) ?? "",
  };
}

/** A job whose source, sink, config and hook hold these secrets. */
function withSecrets(secrets: readonly string[]): Job {
  const [password = "p", token = "t", userInfo = "u", jaas = "j", key = "k"] = secrets;
  const plain = job();
  const [source, ...others] = plain.program.setup;
  if (source === undefined) throw new Error("the job reads nothing");
  const sql = `CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'jdbc', 'password' = '${password}',
    'url' = 'jdbc:mysql://admin:${userInfo}@db/shop',
    'properties.sasl.jaas.config' = 'org.x.PlainLoginModule required username="u" password="${jaas}";')`;
  return {
    ...plain,
    program: {
      ...plain.program,
      setup: [{ ...source, sql }, ...others],
      executionConfig: { ...plain.program.executionConfig, "s3.secret-key": key },
      preHooks: [`SET 'rest.auth.token' = '${token}'`],
    },
  };
}

/** Letters and digits that occur in nothing else, long enough to be looked for. */
const secret = fc.stringMatching(/^[A-Za-z0-9]{12,24}$/).map((text) => `Qz${text}`);
// A secret's fingerprint is slow on purpose.
vi.setConfig({ testTimeout: 60_000 });
const few = { numRuns: 3, endOnFailure: true };

describe("a stored job", () => {
  test("is read as it was, with its secrets sealed and its compiled plan", async () => {
    const ledger = memory();
    const one = job();
    const reference = keepJob(ledger, one, '{"plan": 1}', "1.20.3");
    expect(reference.digest).toBe(one.digest);
    expect(await loadJob(ledger, reference)).toEqual({
      version: 1,
      job: one,
      compiledPlan: '{"plan": 1}',
      flinkVersion: "1.20.3",
    });
  });

  test("has the same reference as often as it is stored", async () => {
    const ledger = memory();
    const [one, two] = [keepJob(ledger, job(), null, "1.20.3"), keepJob(ledger, job(), null, "1.20.3")];
    expect(one).toEqual(two);
    expect(ledger.values.size).toBe(1);
  });

  test("holds no secret, in the program or in its compiled plan", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(secret, { minLength: 5, maxLength: 5 }), async (secrets) => {
        const ledger = memory();
        const plan = JSON.stringify({ options: { password: secrets[0], "sasl.token": secrets[1] } });
        keepJob(ledger, withSecrets(secrets), plan, "1.20.3");
        const [text = ""] = ledger.values.values();
        for (const one of secrets) expect(text).not.toContain(one);
      }),
      few,
    );
  });

  test("gets its secrets back from whoever has them", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(secret, { minLength: 5, maxLength: 5 }), async (secrets) => {
        const ledger = memory();
        const one = withSecrets(secrets);
        const { job: stored } = await loadJob(ledger, keepJob(ledger, one, null, "1.20.3"));
        expect(unsealProgram(stored.program, secretsOf([one.program]))).toEqual(one.program);
      }),
      few,
    );
  });

  test("gets back a secret of any signs, even one that holds another", async () => {
    const odd = fc.oneof(
      fc.string({ unit: "grapheme", minLength: 1 }),
      fc.constantFrom("a$&b$1", "jdbc:x://u:p@h", "it''s", 'password="x"'),
    );
    await fc.assert(
      fc.asyncProperty(odd, async (text) => {
        const ledger = memory();
        const one = withSecrets([text.replaceAll("'", "''")]);
        const { job: stored } = await loadJob(ledger, keepJob(ledger, one, null, "1.20.3"));
        expect(unsealProgram(stored.program, secretsOf([one.program]))).toEqual(one.program);
      }),
      { numRuns: 15, endOnFailure: true, examples: [["a$&b$1"], ["jdbc:x://u:p@h"], ['password="x"']] },
    );
  });

  test("cannot be sent again where one of its secrets is not at hand", async () => {
    const ledger = memory();
    const one = withSecrets(["Qzfirst", "Qzsecond"]);
    const { job: stored } = await loadJob(ledger, keepJob(ledger, one, null, "1.20.3"));
    const known = [...secretsOf([one.program])];
    expect(unsealProgram(stored.program, new Map(known.slice(1)))).toBeNull();
    expect(unsealProgram(stored.program, new Map())).toBeNull();
  });

  test("without secrets needs none", async () => {
    const ledger = memory();
    const { job: stored } = await loadJob(ledger, keepJob(ledger, job(), null, "1.20.3"));
    expect(unsealProgram(stored.program, new Map())).toEqual(job().program);
  });

  test.each([
    ["is not what was written", (text: string) => text.replace("numbers", "letters")],
    ["is not there", () => ""],
  ])("is refused where its value %s", async (_, damage) => {
    const ledger = memory();
    const reference = keepJob(ledger, job(), null, "1.20.3");
    ledger.values.set(reference.value, damage(ledger.values.get(reference.value) ?? ""));
    await expect(loadJob(ledger, reference)).rejects.toMatchObject({ code: "ledger-unreadable" });
  });
});
