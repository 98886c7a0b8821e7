import { describe, expect, test } from "vitest";
import { fingerprintSecret, isSecretKey, maskConfig, maskSecrets } from "../../src/secrets.ts";

describe("secrets", () => {
  test.each([
    ["password"],
    ["properties.sasl.jaas.config"],
    ["properties.ssl.keystore.password"],
    ["s3.secret-key"],
    ["s3.access-key"],
    ["fs.azure.account.key.x.blob.core.windows.net"],
    ["avro-confluent.basic-auth.user-info"],
    ["apiKey"],
  ])("the value of %s is a secret", (key) => expect(isSecretKey(key)).toBe(true));

  test.each([
    ["topic"],
    ["table.exec.state.ttl"],
    ["key.format"],
    ["primary-key"],
    ["password-file"],
    ["parallelism.default"],
  ])("the value of %s is none", (key) => expect(isSecretKey(key)).toBe(false));

  test.each([
    [
      "SQL options",
      "with ('password' = 'it''s', 'topic' = 'orders')",
      "with ('password' = '******', 'topic' = 'orders')",
    ],
    [
      "a hint",
      "/** execution_config('s3.secret-key=abc;parallelism.default=2') */",
      "/** execution_config('s3.secret-key=******;parallelism.default=2') */",
    ],
    ["JSON", '{"api-key": "abc", "n": "1"}', '{"api-key": "******", "n": "1"}'],
    ["user info", "jdbc:postgresql://me:pw@db/x and http://u@h/", "jdbc:postgresql://******@db/x and http://******@h/"],
    [
      "jaas",
      `'x' = 'module required username="u" password="p";'`,
      `'x' = 'module required username="u" password="******";'`,
    ],
    ["a query string", "https://h/p?token=abc&x=1", "https://h/p?token=******&x=1"],
    ["plain SQL", "select a = b from t where token = u.token", "select a = b from t where token = u.token"],
  ])("are masked in %s", (_name, text, masked) => expect(maskSecrets(text)).toBe(masked));

  test("masking twice changes nothing more", () => {
    const once = maskSecrets("'password'='x' http://a:b@c 'k'='v'");
    expect(maskSecrets(once)).toBe(once);
  });

  test("a config is masked by key", () => {
    expect(maskConfig({ "s3.secret-key": "abc", "state.savepoints.dir": "s3://b" })).toEqual({
      "s3.secret-key": "******",
      "state.savepoints.dir": "s3://b",
    });
  });

  test("another secret has another fingerprint, the same one the same", () => {
    expect(fingerprintSecret("a")).toBe(fingerprintSecret("a"));
    expect(fingerprintSecret("a")).not.toBe(fingerprintSecret("b"));
    expect(fingerprintSecret("hunter2")).not.toContain("hunter2");
  });
});
