import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isRunnable } from "../../../src/plan/runnable.ts";
import { withoutForeignCode } from "../../../src/planner/foreign-code.ts";
import { startRecorder } from "../../../src/project/recorder.ts";
import { code, fenced, htmlText, plainText, withVisibleSigns } from "../../../src/report/markdown-text.ts";
import { job } from "../../unit/plan/jobs.ts";
import { type Door, type Folders, writeFiles } from "../harness.ts";
import { asked, door, type Got, type HostileRow } from "./row.ts";

const password = "S3cr3t/Pa+ss word?";
const profiles = `shop:
  target: dev
  outputs:
    dev: { type: flink, host: nowhere, port: 1, session_name: s, schema: s, password: "${password}" }
`;
const projectFile = "name: shop\nprofile: shop\nmodel-paths: [models]\n";

interface Project {
  readonly files?: Readonly<Record<string, string>>;
  /** Committed symbolic links, by their paths. */
  readonly links?: Readonly<Record<string, string>>;
  /** What dbt does, as a shell script; `$target` is its target folder. */
  readonly dbt?: string;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly which?: Door;
  readonly before?: (folder: string) => void;
}

/** What the author of a pull request may put into a project, or make of dbt that renders it. */
export function hostileProjects(folders: Folders): readonly HostileRow[] {
  const planned = async ({ files = {}, links = {}, dbt = "exit 0", ...more }: Project): Promise<Got> => {
    const cwd = await folders.make({
      "dbt_project.yml": projectFile,
      "profiles.yml": profiles,
      "models/a.sql": "select 1",
    });
    await writeFiles(cwd, files);
    for (const [path, target] of Object.entries(links)) {
      execFileSync("rm", ["-f", join(cwd, path)]);
      symlinkSync(target, join(cwd, path));
    }
    more.before?.(cwd);
    const git = (...words: readonly string[]) =>
      execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.com", ...words], { cwd, stdio: "ignore" });
    git("init", "--quiet", "--initial-branch=main");
    git("add", "--all");
    git("commit", "--quiet", "--message", "a change");
    const program = join(await folders.make(), "dbt");
    const target = `while [ $# -gt 0 ]; do [ "$1" = --target-path ] && target=$2; shift; done; mkdir -p "$target"`;
    writeFileSync(program, `#!/bin/sh\ncase "$1" in --version) exit 0;; esac\nall="$*"\n${target}\n${dbt}\n`);
    chmodSync(program, 0o755);
    // Without a Flink, which would only make it slower: dbt comes first.
    const inputs = { "dbt-command": program, "flink-home": "none", base: "deployed", ...more.inputs };
    const got = await door(more.which ?? "command", "plan", inputs, { cwd, environment: more.environment ?? {} });
    return existsSync(join(cwd, "pwned")) ? { ...got, code: "pwned" } : got;
  };
  const row = (area: string, tried: string, project: Project, [wanted, says, ...hides]: Wanted): HostileRow => ({
    area,
    tried,
    got: () => planned(project),
    code: wanted,
    says,
    hides: [...hides, "S3cr3t"],
  });
  const unreadable = (says: RegExp): Wanted => ["manifest-unreadable", says];
  const failed = (says: RegExp, ...hides: readonly string[]): Wanted => ["dbt-failed", says, ...hides];
  const manifest = (tried: string, dbt: string, says: RegExp): HostileRow =>
    row("manifest", tried, { dbt: dbt.replaceAll("$manifest", '"$target/manifest.json"') }, unreadable(says));
  const lies = "a link that leads out of the repository";
  const tokens = {
    GITHUB_TOKEN: "ghs_token-of-the-job",
    ACTIONS_RUNTIME_TOKEN: "runtime-token-of-the-job",
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: "oidc-token-of-the-job",
    ACTIONS_ID_TOKEN_REQUEST_URL: "https://oidc.example/secret-place",
    AWS_SECRET_ACCESS_KEY: "aws-key-of-the-job",
    AZURE_CLIENT_SECRET: "azure-secret-of-the-job",
    GOOGLE_APPLICATION_CREDENTIALS: "/google-credentials-of-the-job",
    FLINK_DBT_DEPLOY_FLINK_TOKEN: "flink-token-of-the-job",
    FLINK_DBT_DEPLOY_FLINK_HEADER: "X-Key: flink-header-of-the-job",
    KAFKA_PASSWORD: "kafka-password-of-the-job",
    SSH_AUTH_SOCK: "/ssh-agent-of-the-job",
  };
  const printing = "env | sort >&2; exit 1";
  return [
    row(
      "paths",
      "dbt_project.yml is a link to /proc/self/environ",
      { links: { "dbt_project.yml": "/proc/self/environ" } },
      unreadable(new RegExp(lies)),
    ),
    row(
      "paths",
      "profiles.yml is a link to /dev/zero",
      { links: { "profiles.yml": "/dev/zero" } },
      unreadable(new RegExp(lies)),
    ),
    row(
      "paths",
      "a model is a link to git's config, with its token",
      { links: { "models/b.sql": "../.git/config" } },
      unreadable(new RegExp(lies)),
    ),
    row(
      "paths",
      "a model is a link with many .. to /etc/hostname",
      { links: { "models/b.sql": `${"../".repeat(20)}etc/hostname` } },
      unreadable(new RegExp(lies)),
    ),
    row("paths", "a folder of models is a link to /", { links: { "models/all": "/" } }, unreadable(new RegExp(lies))),
    row(
      "paths",
      "packages-install-path ../../x",
      { files: { "dbt_project.yml": `${projectFile}packages-install-path: ../../x\n` } },
      unreadable(/packages-install-path is \.\.\/\.\.\/x/),
    ),
    row(
      "paths",
      "packages-install-path /tmp",
      { files: { "dbt_project.yml": `${projectFile}packages-install-path: /tmp\n` } },
      unreadable(/packages-install-path is \/tmp/),
    ),
    row(
      "paths",
      "a package that dbt installs links to /etc",
      {
        files: { "packages.yml": "packages: []\n" },
        dbt: 'case "$all" in *deps*) mkdir -p dbt_packages; d=$(echo "$all" | sed "s/.*--project-dir \\([^ ]*\\).*/\\1/"); mkdir -p $d/dbt_packages/e; ln -s /etc $d/dbt_packages/e/x;; esac',
      },
      unreadable(new RegExp(lies)),
    ),
    row(
      "paths",
      "profiles-dir with a profile that is a device",
      { inputs: { "profiles-dir": "other" }, before: (folder) => linkTo(folder, "other/profiles.yml", "/dev/zero") },
      failed(/profiles\.yml cannot be read: .* is no file/),
    ),
    row(
      "paths",
      "target-path ../../x in dbt_project.yml",
      { files: { "dbt_project.yml": `${projectFile}target-path: ../../x\n` } },
      unreadable(/manifest\.json/),
    ),
    row(
      "profiles",
      "profiles.yml of 2 MB",
      { files: { "profiles.yml": `x: ${"y".repeat(2 << 20)}` } },
      failed(/profiles\.yml is larger than 1 MB/),
    ),
    row("profiles", "profiles.yml that is no YAML", { files: { "profiles.yml": "a: [}" } }, failed(/is not YAML/)),
    row(
      "profiles",
      "a billion laughs",
      { files: { "profiles.yml": laughs } },
      failed(/is not YAML: Excessive alias count/),
    ),
    row(
      "profiles",
      "dbt_project.yml that nests 100000 deep",
      { files: { "dbt_project.yml": "[".repeat(100_000) } },
      failed(/is not YAML/),
    ),
    row(
      "profiles",
      "dbt_project.yml of 2 MB",
      { files: { "dbt_project.yml": `name: ${"y".repeat(2 << 20)}` } },
      unreadable(/dbt_project\.yml is larger than 1 MB/),
    ),
    row(
      "profiles",
      "a project whose name is a list",
      { files: { "dbt_project.yml": "name: [a]\n" } },
      unreadable(/has no name/),
    ),
    row(
      "profiles",
      "a project name with workflow commands",
      { files: { "dbt_project.yml": 'name: ""\n' }, which: "action" },
      unreadable(/has no name/),
    ),
    manifest("of 200 MB", "truncate -s 200M $manifest", /manifest\.json is larger than 128 MB/),
    manifest(
      "that nests 100000 deep",
      "head -c 100000 /dev/zero | tr '\\0' '[' > $manifest",
      /nests deeper than 2000 levels/,
    ),
    manifest("that is HTML", "echo '<html>' > $manifest", /cannot read .*manifest\.json/),
    manifest("that is a pipe", "mkfifo $manifest", /manifest\.json is no file/),
    manifest("that is a link to /dev/zero", "ln -s /dev/zero $manifest", /manifest\.json is no file/),
    manifest(
      "whose nodes are a number",
      `echo '{"metadata":{"dbt_schema_version":"https://x/manifest/v7.json"},"nodes":1}' > $manifest`,
      /nodes is not an object/,
    ),
    manifest(
      "of another program",
      `echo '{"metadata":{"dbt_schema_version":"x"}}' > $manifest`,
      /dbt_schema_version is "x"/,
    ),
    manifest("that is not there", "exit 0", /ENOENT/),
    row(
      "dbt",
      "prints without an end",
      { dbt: 'yes \'{"level": "error"}\'' },
      failed(/was ended: it printed more than 64 MB/),
    ),
    row("dbt", "ends by a signal", { dbt: "kill -9 $$" }, failed(/ended with a signal/)),
    row(
      "dbt",
      "prints its environment, of a job full of tokens",
      { dbt: printing, environment: tokens },
      failed(/./, ...Object.values(tokens).map(sentValue)),
    ),
    row(
      "dbt",
      "the same with dbt-env *",
      { dbt: printing, environment: tokens, inputs: { "dbt-env": "*" } },
      failed(/./, ...Object.values(tokens).map(sentValue)),
    ),
    row(
      "dbt",
      "the same through the action",
      { dbt: printing, environment: tokens, which: "action", inputs: { "github-token": "input-token-of-the-job" } },
      failed(
        /./,
        "INPUT_",
        ...Object.values(tokens)
          .map(sentValue)
          .filter((value) => value !== tokens.GITHUB_TOKEN),
      ),
    ),
    row(
      "dbt",
      "prints a password that dbt-env passes, in base64 too",
      {
        dbt: 'echo "no access with $KAFKA_PASSWORD" >&2; printf "user:$KAFKA_PASSWORD" | base64 >&2; exit 1',
        environment: tokens,
        inputs: { "dbt-env": "KAFKA_PASSWORD" },
      },
      failed(
        /no access with \*{6}/,
        tokens.KAFKA_PASSWORD,
        Buffer.from(`user:${tokens.KAFKA_PASSWORD}`).toString("base64").slice(8, 20),
      ),
    ),
    row(
      "dbt",
      "prints the profile's password URL-encoded",
      { dbt: `echo 'no access with ${encodeURIComponent(password)}' >&2; exit 1` },
      failed(/no access with \*{6}/, encodeURIComponent(password)),
    ),
    row(
      "dbt",
      "prints a password of vars",
      { dbt: 'echo "bad vars: geheim-geheim" >&2; exit 1', inputs: { vars: "{db_password: geheim-geheim}" } },
      failed(/bad vars: \*{6}/, "geheim"),
    ),
    row(
      "dbt",
      "says workflow commands, through the action",
      {
        which: "action",
        dbt: `printf '::add-mask::x\\n  ::stop-commands::y\\n##[set-output name=reason]ok\\n::set-env name=PATH::/x\\n' >&2; exit 1`,
      },
      failed(/add-mask/),
    ),
    row("git refs", "base --output=pwned", { inputs: { base: "--output=pwned" } }, [
      "base-missing",
      /no commit "--output=pwned"/,
    ]),
    row("git refs", "head --upload-pack=touch pwned", { inputs: { head: "--upload-pack=touch pwned" } }, [
      "base-missing",
      /no commit "--upload-pack/,
    ]),
    row("git refs", "base $(touch pwned)", { inputs: { base: "$(touch pwned)" } }, [
      "base-missing",
      /no commit "\$\(touch pwned\)"/,
    ]),
    row("git refs", "base main; touch pwned", { inputs: { base: "main; touch pwned" } }, [
      "base-missing",
      /no commit "main; touch pwned"/,
    ]),
    row("git refs", "base HEAD:dbt_project.yml", { inputs: { base: "HEAD:dbt_project.yml" } }, [
      "base-missing",
      /no commit "HEAD:dbt_project\.yml"/,
    ]),
    row(
      "git refs",
      "base with a line break and a workflow command",
      { which: "action", inputs: { base: "x\n::set-env name=PATH::/x" } },
      ["base-missing", /no commit "x/],
    ),
    ...recorded(),
    ...written(),
  ];
}

type Wanted = readonly [code: string, says: RegExp, ...hides: readonly string[]];

/** Of a header its value. */
const sentValue = (value: string): string => value.replace(/^X-Key: /, "");

const laughs = [
  "a: &a [x, x, x, x, x, x, x, x, x]",
  ..."bcdefghi".split("").map((name, at) => `${name}: &${name} [${Array(9).fill(`*${"abcdefgh"[at]}`).join(", ")}]`),
].join("\n");

function linkTo(folder: string, path: string, target: string): void {
  execFileSync("mkdir", ["-p", join(folder, path, "..")]);
  symlinkSync(target, join(folder, path));
  writeFileSync(join(folder, ".gitignore"), "other\n");
}

/** What dbt, or whoever else finds its port, may send to the recorder. */
function recorded(): readonly HostileRow[] {
  const send = (path: string, body: string | Buffer) => async (): Promise<Got> => {
    await using recorder = await startRecorder({ answer: () => Promise.reject(new Error("nothing is asked")) });
    const opened = await fetch(`${recorder.url}/v1/sessions`, { method: "POST", body: "{}" });
    const { sessionHandle } = (await opened.json()) as { readonly sessionHandle: string };
    const answer = await fetch(`${recorder.url}${path.replace("SESSION", sessionHandle)}`, { method: "POST", body });
    const line = (await answer.text()).slice(0, 300);
    return { code: String(answer.status), line, everything: line, log: "" };
  };
  const row = (
    tried: string,
    body: string | Buffer,
    says: RegExp,
    path = "/v1/sessions/SESSION/statements",
  ): HostileRow => ({
    area: "recorder",
    tried,
    got: send(path, body),
    code: /Not found/.test(says.source) ? "404" : "500",
    says,
  });
  return [
    row("a statement of 17 MB", Buffer.alloc(17 << 20, " "), /a statement of more than 16 MB is not recorded/),
    row("JSON that nests 100000 deep", "[".repeat(100_000), /nests deeper than 2000 levels/),
    row("no JSON", "<html>", /not valid JSON/),
    row("a statement that is a number", '{"statement":1}', /the request has no statement/),
    row("a session of somebody else", "{}", /does not exist/, "/v1/sessions/other/statements"),
    row("a path with ..", "{}", /Not found/, "/v1/../../etc/passwd"),
  ];
}

const visible = (text: string) => (): Promise<Got> => asked(() => text);

/** Names, SQL and messages on their way into Markdown, HTML and a terminal; and SQL on its way into the planner. */
function written(): readonly HostileRow[] {
  const row = (area: string, tried: string, text: string, says: RegExp, ...hides: readonly string[]): HostileRow => ({
    area,
    tried,
    got: visible(text),
    code: "ok",
    says,
    hides,
  });
  const cut = (tried: string, sql: string, says: RegExp): HostileRow =>
    row("SQL", tried, String(withoutForeignCode(sql)), says, "evil.jar");
  return [
    row("names", "<img src=x onerror=alert(1)>", plainText("<img src=x onerror=alert(1)>"), /^&lt;img/, "<img"),
    row("names", "](javascript:alert(1))", plainText("a](javascript:alert(1))"), /^a\\\]/),
    row("names", "@everyone and #1", plainText("@everyone #1"), /^@\u200beveryone #\u200b1/),
    row("names", "a table's | and a line break", plainText("a | b\n| c"), /^a \\\| b \\\| c$/),
    row("names", "a backtick that ends the code", code("a`<b>`"), /&lt;b&gt;/, "<b>"),
    row("names", "</summary> within a summary", htmlText("</summary><h1>"), /&#60;\/summary&#62;/, "<"),
    row("names", "a link that GitHub would make", plainText("see https://evil.example"), /:\u200b\/\//, "https://"),
    row("SQL", "a fence of ten backticks", fenced("sql", `select 1\n${"`".repeat(10)}\n<script>`), /^`{11}sql/),
    row("SQL", "marks of writing direction", withVisibleSigns("a\u202eb\u2066c"), /^a⟨U\+202E⟩b⟨U\+2066⟩c$/, "\u202e"),
    row(
      "SQL",
      "control signs of a terminal",
      withVisibleSigns("\u001b]0;owned\u0007"),
      /^⟨U\+001B⟩\]0;owned⟨U\+0007⟩$/,
      "\u001b",
    ),
    cut("ADD JAR", "ADD JAR '/evil.jar'", /^null$/),
    cut("ADD JAR behind a comment", "/* x */ add /**/ jar '/evil.jar'", /^null$/),
    cut("SET 'pipeline.jars'", "SET 'pipeline.jars' = 'file:///evil.jar'", /^null$/),
    cut("SET python.executable", "SET python.executable = /evil.jar", /^null$/),
    cut(
      "CREATE FUNCTION ... USING JAR",
      "CREATE FUNCTION f AS 'x.Y' USING JAR '/evil.jar'",
      /^CREATE FUNCTION f AS 'x\.Y'$/,
    ),
    {
      area: "plan file",
      tried: "another program under the reviewed digest",
      got: () =>
        asked(() => isRunnable({ ...job("a"), program: { ...job("a").program, insert: "INSERT INTO a SELECT 666" } })),
      code: "inputs-invalid",
      says: /is not the one that its digest is of/,
    },
  ];
}
