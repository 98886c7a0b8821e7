import { existsSync, mkdirSync, readdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { type DistributionRequest, defaultCacheFolder, provideDistribution } from "../../../src/flink/distribution.ts";
import { type FakeRegistries, fakeRegistries } from "./fake-registries.ts";

const version = "1.20.3";
const gateway = "org.apache.flink:flink-sql-gateway:1.20.3";

function request(registries: FakeRegistries, changes: Partial<DistributionRequest> = {}): DistributionRequest {
  const { cacheFolder, environment } = registries;
  return { version, flinkHome: null, connectors: [], cacheFolder, environment, log: () => undefined, ...changes };
}

describe("a distribution from the registries", () => {
  test("holds Flink's libraries, its plugins and the SQL Gateway, and nothing of opt", async () => {
    using registries = fakeRegistries(version);
    const distribution = await provideDistribution(request(registries));
    const flink = join(registries.cacheFolder, "flink", version);
    expect(distribution).toEqual({
      version,
      libFolder: join(flink, "lib"),
      pluginsFolder: join(flink, "plugins"),
      jars: [
        join(flink, "lib", "flink-dist-1.20.3.jar"),
        join(flink, "lib", "flink-table-runtime-1.20.3.jar"),
        join(registries.cacheFolder, "maven", ...gateway.split(":"), "flink-sql-gateway-1.20.3.jar"),
      ],
    });
    expect(readdirSync(flink).sort()).toEqual(["contents.json", "lib", "plugins"]);
  });

  test("is downloaded once: the second time there is no pip, no Maven and no network to ask", async () => {
    using registries = fakeRegistries(version);
    const connectors = ["org.apache.kafka:kafka-clients:3.4.0"];
    const first = await provideDistribution(request(registries, { connectors }));
    const second = await provideDistribution(request(registries, { connectors, environment: registries.offline }));
    expect(second).toEqual(first);
    expect(
      registries
        .calls()
        .map((call) => call.split(" ")[0])
        .sort(),
    ).toEqual(["mvn", "mvn", "python3"]);
  });

  test("is announced with a line per download, with its size and time", async () => {
    using registries = fakeRegistries(version);
    const lines: string[] = [];
    await provideDistribution(request(registries, { log: (line) => lines.push(line) }));
    expect(lines.sort()).toEqual([
      expect.stringMatching(/^downloaded Flink 1\.20\.3 from PyPI: \d+\.\d MB unpacked in \d+\.\d s$/),
      expect.stringMatching(/^downloaded org\.apache\.flink:flink-sql-gateway:1\.20\.3 from Maven: .* s$/),
      "downloading Flink 1.20.3 from PyPI",
      "downloading org.apache.flink:flink-sql-gateway:1.20.3 from Maven",
    ]);
  });

  test("is fetched again when a file of it was cut short", async () => {
    using registries = fakeRegistries(version);
    const { jars } = await provideDistribution(request(registries));
    truncateSync(jars[0] ?? "", 10);
    await provideDistribution(request(registries));
    expect(registries.calls().filter((call) => call.startsWith("python3"))).toHaveLength(2);
    expect(await provideDistribution(request(registries, { environment: registries.offline }))).toBeDefined();
  });

  test("asks pip for the very version, and for that package alone", async () => {
    using registries = fakeRegistries(version);
    await provideDistribution(request(registries));
    expect(registries.calls().join("\n")).toMatch(/-m pip download .*--no-deps .*apache-flink-libraries==1\.20\.3$/m);
  });
});

describe("what cannot be downloaded", () => {
  test("without Maven is `maven-missing`, and names what it was for", async () => {
    using registries = fakeRegistries(version);
    const home = request(registries, { flinkHome: unpacked(registries), environment: registries.offline });
    await expect(provideDistribution(home)).rejects.toMatchObject({
      code: "maven-missing",
      message: `PATH has no mvn, which is needed to download ${gateway}`,
    });
  });

  test("without Python is `python-missing`, and says what else would do", async () => {
    using registries = fakeRegistries(version);
    await expect(provideDistribution(request(registries, { environment: registries.offline }))).rejects.toMatchObject({
      code: "python-missing",
      message: expect.stringMatching(/^Flink 1\.20\.3 is downloaded with pip.*set flink-home$/),
    });
  });

  test("is `download-failed` with pip's own words, and leaves nothing behind", async () => {
    using registries = fakeRegistries(version);
    registries.replace("python3", "echo 'ERROR: No matching distribution found for apache-flink-libraries'; exit 1");
    await expect(provideDistribution(request(registries))).rejects.toMatchObject({
      code: "download-failed",
      message: expect.stringContaining("ERROR: No matching distribution found for apache-flink-libraries"),
    });
    expect(existsSync(join(registries.cacheFolder, "flink", version))).toBe(false);
    expect(readdirSync(join(registries.cacheFolder, "tmp"))).toEqual([]);
  });

  test.each([
    ["[ERROR] Could not find artifact a:b:jar:1 in central", "Could not find artifact a:b:jar:1 in central"],
    [
      "[ERROR] Failed to execute goal org.x:plugin:1:copy (default-cli) on project standalone-pom: Not found -> [Help 1]",
      "Not found",
    ],
    ["[ERROR] https://user:word@host/maven refused", "https://******@host/maven refused"],
    ["Killed", "Killed"],
  ])("is `download-failed` with Maven's first error, without its advice and secrets: %s", async (line, shown) => {
    using registries = fakeRegistries(version);
    registries.replace(
      "mvn",
      `printf '\\033[0m%s\\n' '${line}'; [ '${line}' = Killed ] || echo '[ERROR] Use -X'; exit 1`,
    );
    const failure = provideDistribution(request(registries, { flinkHome: unpacked(registries) }));
    await expect(failure).rejects.toMatchObject({
      code: "download-failed",
      message: expect.stringMatching(new RegExp(`^Maven did not download ${gateway}: .{0,4}${escaped(shown)}$`)),
    });
  });

  test("is `interrupted` when the signal fires, and pip does not go on", async () => {
    using registries = fakeRegistries(version);
    const controller = new AbortController();
    registries.replace("python3", "exec tail -f /dev/null");
    const provided = provideDistribution(request(registries, { signal: controller.signal }));
    const rejected = expect(provided).rejects.toMatchObject({ code: "interrupted" });
    await vi.waitFor(() => expect(registries.calls().join("\n")).toContain("python3 -m pip"));
    controller.abort();
    await rejected;
    expect(readdirSync(join(registries.cacheFolder, "tmp"))).toEqual([]);
  });
});

describe("flink-home", () => {
  test("is used as it is, with the gateway of its opt folder", async () => {
    using registries = fakeRegistries(version);
    const flinkHome = unpacked(registries);
    mkdirSync(join(flinkHome, "opt"), { recursive: true });
    for (const name of ["flink-sql-gateway-api-1.20.3.jar", "flink-sql-gateway-1.20.3.jar"]) {
      writeFileSync(join(flinkHome, "opt", name), name);
    }
    const distribution = await provideDistribution(request(registries, { flinkHome, environment: registries.offline }));
    expect(distribution.jars.at(-1)).toBe(join(flinkHome, "opt", "flink-sql-gateway-1.20.3.jar"));
    expect(distribution).toMatchObject({ libFolder: join(flinkHome, "lib"), pluginsFolder: null });
  });

  test("takes the gateway from Maven where it has none", async () => {
    using registries = fakeRegistries(version);
    const { jars } = await provideDistribution(request(registries, { flinkHome: unpacked(registries) }));
    expect(jars.at(-1)).toMatch(/maven.*flink-sql-gateway-1\.20\.3\.jar$/);
    expect(registries.calls()).toHaveLength(1);
  });

  test("of another version is refused with both versions", async () => {
    using registries = fakeRegistries(version);
    const flinkHome = unpacked(registries);
    await expect(provideDistribution(request(registries, { flinkHome, version: "2.3.0" }))).rejects.toMatchObject({
      code: "version-mismatch",
      message: `flink-home ${flinkHome} holds Flink 1.20.3, flink-version is 2.3.0`,
    });
  });

  test("without a flink-dist jar is refused", async () => {
    using registries = fakeRegistries(version);
    const flinkHome = join(registries.folder, "nothing");
    await expect(provideDistribution(request(registries, { flinkHome }))).rejects.toMatchObject({
      code: "inputs-invalid",
      message: expect.stringContaining(flinkHome),
    });
  });
});

describe("connectors", () => {
  test("are coordinates or paths, in the order given, after Flink's own", async () => {
    using registries = fakeRegistries(version);
    const own = join(registries.folder, "own.jar");
    writeFileSync(own, "jar");
    const connectors = ["org.apache.flink:flink-connector-kafka:3.4.0-1.20", own];
    const { jars } = await provideDistribution(request(registries, { connectors }));
    expect(jars.slice(-2)).toEqual([expect.stringMatching(/flink-connector-kafka-3\.4\.0-1\.20\.jar$/), own]);
  });

  test("that are neither are refused before anything is downloaded", async () => {
    using registries = fakeRegistries(version);
    await expect(provideDistribution(request(registries, { connectors: ["kafka"] }))).rejects.toMatchObject({
      code: "inputs-invalid",
      message: "connector kafka is neither a jar that exists nor group:artifact:version",
    });
    expect(registries.calls()).toEqual([]);
  });
});

test.each([
  [{ FLINK_DBT_DEPLOY_CACHE: "/c", XDG_CACHE_HOME: "/x", HOME: "/h" }, "/c"],
  [{ XDG_CACHE_HOME: "/x", HOME: "/h" }, "/x/flink-dbt-deploy"],
  [{ HOME: "/h" }, "/h/.cache/flink-dbt-deploy"],
  [{ FLINK_DBT_DEPLOY_CACHE: "", XDG_CACHE_HOME: "", HOME: "/h" }, "/h/.cache/flink-dbt-deploy"],
])("the cache folder of %o is %s", (environment, folder) => {
  expect(defaultCacheFolder(environment)).toBe(folder);
});

const escaped = (text: string) => text.replace(/[.*?]/g, "\\$&");

function unpacked(registries: FakeRegistries): string {
  const home = join(registries.folder, "flink-home");
  mkdirSync(join(home, "lib"), { recursive: true });
  writeFileSync(join(home, "lib", "flink-dist-1.20.3.jar"), "dist");
  return home;
}
