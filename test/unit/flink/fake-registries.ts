import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder with a `python3` and an `mvn` of our own, which bring files made here and keep count of their calls. */
export interface FakeRegistries extends Disposable {
  readonly folder: string;
  readonly cacheFolder: string;
  /** PATH holds the fakes. */
  readonly environment: NodeJS.ProcessEnv;
  /** PATH holds neither. */
  readonly offline: NodeJS.ProcessEnv;
  readonly calls: () => readonly string[];
  /** Replaces one of them by this shell script. */
  readonly replace: (name: "python3" | "mvn", script: string) => void;
}

export function fakeRegistries(version: string): FakeRegistries {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "flink-dbt-deploy-registries-")));
  const archive = sourceDistribution(folder, version);
  const calls = join(folder, "calls");
  writeFileSync(calls, "");
  const bin = join(folder, "bin");
  const empty = join(folder, "empty");
  mkdirSync(bin);
  mkdirSync(empty);
  const replace = (name: string, script: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n[ "$1" = -c ] && exit 0\necho "${name} $*" >> ${calls}\n${script}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  // pip download ... --dest <folder> <requirement>
  replace("python3", `while [ "$1" != --dest ]; do shift; done; cp ${archive} "$2"`);
  // mvn ... -Dartifact=<coordinate> -DoutputDirectory=<folder>
  replace(
    "mvn",
    `for a in "$@"; do case $a in -Dartifact=*) c=\${a#*=};; -DoutputDirectory=*) d=\${a#*=};; esac; done
     echo "$c" > "$d/$(echo "$c" | cut -d: -f2)-$(echo "$c" | cut -d: -f3).jar"`,
  );
  return {
    folder,
    cacheFolder: join(folder, "cache"),
    environment: { PATH: `${bin}:/usr/bin:/bin` },
    offline: { PATH: empty },
    calls: () => readFileSync(calls, "utf8").split("\n").filter(Boolean),
    replace,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** As PyPI's: everything under one folder, with the distribution in `deps`. */
function sourceDistribution(folder: string, version: string): string {
  const root = `apache-flink-libraries-${version}`;
  const files = [
    "lib/flink-dist",
    "lib/flink-table-runtime",
    "plugins/metrics-jmx/flink-metrics-jmx",
    "opt/flink-python",
  ];
  for (const file of files) {
    const path = join(folder, root, "deps", `${file}-${version}.jar`);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, file.repeat(100));
  }
  const archive = join(folder, `${root}.tar.gz`);
  execFileSync("tar", ["-czf", archive, "-C", folder, root]);
  return archive;
}
