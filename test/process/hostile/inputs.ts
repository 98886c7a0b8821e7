import { execFileSync } from "node:child_process";
import { symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { matchingNames } from "../../../src/commands/names.ts";
import { readInputs } from "../../../src/inputs/inputs.ts";
import type { Folders } from "../harness.ts";
import { asked, door, type HostileRow } from "./row.ts";

const nobody = "http://127.0.0.1:1";

/** What a workflow, or whoever can change what it passes on, may write into an input. */
export async function hostileInputs(folders: Folders): Promise<readonly HostileRow[]> {
  const cwd = await folders.make({
    "not-a-certificate.pem": "hunter2hunter2\n",
    "deep.json": "[".repeat(100_000),
    "empty/.keep": "",
  });
  execFileSync("mkfifo", [join(cwd, "pipe")]);
  symlinkSync("/dev/zero", join(cwd, "endless"));
  writeFileSync(join(cwd, "large.json"), "");
  truncateSync(join(cwd, "large.json"), 300 * 1024 * 1024);
  const through = (
    tried: string,
    [command, inputs]: readonly [string, Readonly<Record<string, string>>],
    says: RegExp,
    more: Partial<HostileRow> & { readonly environment?: Readonly<Record<string, string>> } = {},
  ): HostileRow => ({
    area: "inputs",
    tried,
    got: () => door("command", command, inputs, { cwd, environment: more.environment ?? {} }),
    code: "inputs-invalid",
    says,
    ...more,
  });
  const status = (inputs: Readonly<Record<string, string>>) =>
    ["status", { "gateway-url": nobody, ...inputs }] as const;
  const suspend = (inputs: Readonly<Record<string, string>>) =>
    ["suspend", { "gateway-url": nobody, jobs: "*", ...inputs }] as const;
  const secure = { "gateway-url": "https://127.0.0.1:1" };
  return [
    ...["../x", "a/../../etc", "prod\nreason=ok", "prod\u202egnp", "x".repeat(5_000), ".", "-rf", "ｐｒｏｄ"].map(
      (name) =>
        through(
          `environment ${shown(name)}`,
          status({ environment: name }),
          /^environment: ".*" must be letters, digits/,
        ),
    ),
    ...["file:///etc/passwd", "ftp://flink", "javascript:alert(1)", "data:,x", "gopher://127.0.0.1"].map((url) =>
      through(
        `gateway-url ${url}`,
        ["status", { "gateway-url": url }],
        /^gateway-url: .* must be a URL that begins with http/,
      ),
    ),
    through(
      "gateway-url that is none, with a password",
      ["status", { "gateway-url": "http://me:hunter2hunter2@[::1" }],
      /must be a URL/,
      {
        hides: ["hunter2"],
      },
    ),
    through(
      "gateway-url with a line break and a header",
      status({ "gateway-url": `${nobody}/\r\nX-Evil: 1` }),
      /no sql gateway answers GET/,
      {
        code: "gateway-unreachable",
      },
    ),
    through(
      "gateway-url whose password only looks encoded",
      status({ "gateway-url": "http://me:hunter%zz2@127.0.0.1:1" }),
      /ECONNREFUSED/,
      {
        code: "gateway-unreachable",
        hides: ["hunter"],
      },
    ),
    through("savepoint-dir /etc", suspend({ "savepoint-dir": "/etc" }), /must be a URI with its scheme/),
    through(
      "savepoint-dir with a password",
      suspend({ "savepoint-dir": "s3://k:hunter2hunter2@b/s" }),
      /must hold no password/,
      {
        hides: ["hunter2"],
      },
    ),
    through(
      "savepoint-dir with a line break",
      suspend({ "savepoint-dir": "s3://b/s\nx" }),
      /must be a URI with its scheme/,
    ),
    ...["--upload-pack=x", "refs/heads/../../x", "refs/heads/a..b", "refs/heads/.lock", "refs/heads/a b"].map((ref) =>
      through(`ledger-ref ${ref}`, status({ "ledger-ref": ref }), /^ledger-ref: .* must be the full name of a ref/),
    ),
    ...["ext::sh -c true", "-oProxyCommand=true", "ftp://git.example/x", "ssh://me:hunter2hunter2@git.example/x"].map(
      (place) =>
        through(`ledger-git ${place}`, status({ store: "git", "ledger-git": place }), /^ledger-git: /, {
          hides: ["hunter2"],
        }),
    ),
    through(
      "to with SQL",
      ["rollback", { "gateway-url": nobody, to: "'; DROP TABLE x" }],
      /^to: .* must be at least 6 signs/,
    ),
    through(
      "first-deployment with a second line",
      ["deploy", { "gateway-url": nobody, "first-deployment": "true\nx" }],
      /must be one of/,
    ),
    through(
      "init-sql that is a device",
      suspend({ "init-sql": "endless" }),
      /^init-sql: endless cannot be read: .* is no file/,
    ),
    through("init-sql that is a pipe nobody writes into", suspend({ "init-sql": "pipe" }), /pipe is no file/),
    through("init-sql that is a folder", suspend({ "init-sql": "empty" }), /empty is no file/),
    through(
      "ledger-file of 300 MB",
      ["ledger-import", { "ledger-file": "large.json" }],
      /large\.json is larger than 256 MB/,
    ),
    through(
      "ledger-file that nests 100000 deep",
      ["ledger-import", { "ledger-file": "deep.json" }],
      /deep\.json is not JSON/,
    ),
    through(
      "tls-ca that is a device",
      status({ ...secure, "tls-ca": "endless" }),
      /^tls-ca: endless cannot be read: .* is no file/,
    ),
    through(
      "tls-ca that holds something else",
      status({ ...secure, "tls-ca": "not-a-certificate.pem" }),
      /^tls-ca: holds no certificate/,
      {
        hides: ["hunter2"],
      },
    ),
    through("tls-ca for http", status({ "tls-ca": "not-a-certificate.pem" }), /^tls-ca: says nothing without .* https/),
    through("tls-key without tls-cert", status({ ...secure, "tls-key": "x" }), /^tls-cert: is required with `tls-key`/),
    through(
      "flink-token in argv",
      ["status", { "gateway-url": nobody, "flink-token": "hunter2hunter2" }],
      /give it in the environment variable/,
      {
        hides: ["hunter2"],
      },
    ),
    ...(
      [
        ["FLINK_TOKEN", "hunter2hunter2\u0007", /^flink-token must be one word/],
        ["FLINK_TOKEN", "hunter2hunter2\nX-Evil: 1", /^flink-token must be one word/],
        [
          "FLINK_HEADER",
          "X-Key: hunter2hunter2\u0000".replace("\u0000", "\u0001"),
          /^flink-header needs a value of printable ASCII/,
        ],
        ["FLINK_HEADER", "Host: hunter2hunter2", /^flink-header may not be host, which is HTTP's own/],
        ["FLINK_HEADER", "Transfer-Encoding: chunked", /^flink-header may not be transfer-encoding/],
        ["FLINK_HEADER", "hunter2hunter2", /^flink-header must be written `name: value`/],
        ["FLINK_HEADER", "A: hunter2hunter2\nA: b", /^flink-header gives a twice/],
      ] as const
    ).map(([variable, value, says]) =>
      through(`${variable} ${shown(value).replaceAll("hunter2hunter2", "...")}`, status({}), says, {
        environment: { [`FLINK_DBT_DEPLOY_${variable}`]: value },
        hides: ["hunter2"],
      }),
    ),
    {
      area: "inputs",
      tried: "a NUL in project-dir",
      got: () => asked(() => readInputs("plan", { "project-dir": "a\0b" })),
      code: "inputs-invalid",
      says: /^project-dir: .* must not hold a NUL/,
    },
    {
      area: "inputs",
      tried: "a glob of 60 stars against a name of 60 letters",
      got: () => asked(() => matchingNames(["a".repeat(60)], [`${"*".repeat(60)}b`])),
      code: "unknown-job",
      says: /no job matches/,
    },
    through("a name of Object.prototype as the command", ["__proto__", {}], /^command: "__proto__" is none of/),
  ];
}

const shown = (text: string): string => {
  const visible = JSON.stringify(text).replace(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16)}`);
  return visible.length > 40 ? `${visible.slice(0, 30)}... (${text.length} signs)` : visible;
};
