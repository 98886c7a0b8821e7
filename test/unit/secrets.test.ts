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
    ["properties.pwd"],
    ["db_pass"],
    ["ssl.key.passphrase"],
  ])("the value of %s is a secret", (key) => expect(isSecretKey(key)).toBe(true));

  test.each([
    ["topic"],
    ["table.exec.state.ttl"],
    ["key.format"],
    ["primary-key"],
    ["bypass"],
    ["pass-through"],
    ["compass"],
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
    ["JSON numbers", '{"password": 1234, "n": 1}', '{"password": ******, "n": 1}'],
    [
      "JSON within JSON",
      String.raw`{"a": "{\"password\": \"x\", \"n\": \"1\"}"}`,
      String.raw`{"a": "{\"password\": \"******\", \"n\": \"1\"}"}`,
    ],
    [
      "options with comments",
      "'password' /* a */ = -- b\n 'x', 'topic' = 'y'",
      "'password' /* a */ = -- b\n '******', 'topic' = 'y'",
    ],
    ["a string with escapes", String.raw`'password' = E'a\'b', 'topic' = 'y'`, "'password' = E'******', 'topic' = 'y'"],
    ["Unicode strings", String.raw`U&'\0070assword' = U&'\0061b'`, String.raw`U&'\0070assword' = U&'******'`],
    ["a string on two lines", "'password' = 'a'\n  'b', 'topic' = 'y'", "'password' = '******', 'topic' = 'y'"],
    [
      "Flink's list of options",
      "'topic'='orders'\n'password'='x'\n'z'='1'",
      "'topic'='orders'\n'password'='******'\n'z'='1'",
    ],
    ["SET", "SET 'secret-key'=abc", "SET 'secret-key'=******"],
    ["SET without quotes", "/* c */ set s3.secret-key = abc;", "/* c */ set s3.secret-key = ******;"],
    ["a quotation", "is `s3.secret-key=ab` here", "is `s3.secret-key=******` here"],
    ["an UPDATE", "update t set token = u.token, n = 1", "update t set token = u.token, n = 1"],
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
