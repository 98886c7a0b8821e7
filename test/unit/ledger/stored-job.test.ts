import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { Store } from "../../../src/ledger/store.ts";
import { loadJob, secretsOf, storeJob, unsealProgram } from "../../../src/ledger/stored-job.ts";
import type { Job } from "../../../src/project/job.ts";
import { job } from "../deploy/jobs.ts";

/** A store in memory; what it keeps can be looked at and damaged. */
function memory(): Store & { readonly values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    description: "memory",
    values,
    entries: async () => [],
    append: async () => {},
    putValue: async (key, text) => void values.set(key, text),
    getValue: async (key) => values.get(key) ?? "",
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
    const store = memory();
    const one = job();
    const reference = await storeJob(store, one, '{"plan": 1}', "1.20.3");
    expect(reference.digest).toBe(one.digest);
    expect(await loadJob(store, reference)).toEqual({
      version: 1,
      job: one,
      compiledPlan: '{"plan": 1}',
      flinkVersion: "1.20.3",
    });
  });

  test("has the same reference as often as it is stored", async () => {
    const store = memory();
    const [one, two] = [await storeJob(store, job(), null, "1.20.3"), await storeJob(store, job(), null, "1.20.3")];
    expect(one).toEqual(two);
    expect(store.values.size).toBe(1);
  });

  test("holds no secret, in the program or in its compiled plan", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(secret, { minLength: 5, maxLength: 5 }), async (secrets) => {
        const store = memory();
        const plan = JSON.stringify({ options: { password: secrets[0], "sasl.token": secrets[1] } });
        await storeJob(store, withSecrets(secrets), plan, "1.20.3");
        const [text = ""] = store.values.values();
        for (const one of secrets) expect(text).not.toContain(one);
      }),
      few,
    );
  });

  test("gets its secrets back from whoever has them", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(secret, { minLength: 5, maxLength: 5 }), async (secrets) => {
        const store = memory();
        const one = withSecrets(secrets);
        const { job: stored } = await loadJob(store, await storeJob(store, one, null, "1.20.3"));
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
        const store = memory();
        const one = withSecrets([text.replaceAll("'", "''")]);
        const { job: stored } = await loadJob(store, await storeJob(store, one, null, "1.20.3"));
        expect(unsealProgram(stored.program, secretsOf([one.program]))).toEqual(one.program);
      }),
      { numRuns: 15, endOnFailure: true, examples: [["a$&b$1"], ["jdbc:x://u:p@h"], ['password="x"']] },
    );
  });

  test("cannot be sent again where one of its secrets is not at hand", async () => {
    const store = memory();
    const one = withSecrets(["Qzfirst", "Qzsecond"]);
    const { job: stored } = await loadJob(store, await storeJob(store, one, null, "1.20.3"));
    const known = [...secretsOf([one.program])];
    expect(unsealProgram(stored.program, new Map(known.slice(1)))).toBeNull();
    expect(unsealProgram(stored.program, new Map())).toBeNull();
  });

  test("without secrets needs none", async () => {
    const store = memory();
    const { job: stored } = await loadJob(store, await storeJob(store, job(), null, "1.20.3"));
    expect(unsealProgram(stored.program, new Map())).toEqual(job().program);
  });

  test.each([
    ["is not what was written", (text: string) => text.replace("numbers", "letters")],
    ["is not there", () => ""],
  ])("is refused where its value %s", async (_, damage) => {
    const store = memory();
    const reference = await storeJob(store, job(), null, "1.20.3");
    store.values.set(reference.value, damage(store.values.get(reference.value) ?? ""));
    await expect(loadJob(store, reference)).rejects.toMatchObject({ code: "ledger-unreadable" });
  });
});
