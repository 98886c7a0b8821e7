import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");

test("dist is what `npm run build` makes of the sources", () => {
  const fresh = mkdtempSync(join(tmpdir(), "flink-dbt-deploy-dist-"));
  try {
    execFileSync(process.execPath, [join(root, "scripts", "build.ts"), fresh]);
    expect(readdirSync(join(root, "dist")).sort()).toEqual(readdirSync(fresh).sort());
    for (const file of readdirSync(fresh)) {
      // Compared as booleans: a difference of a megabyte of minified code helps nobody.
      const same = readFileSync(join(root, "dist", file)).equals(readFileSync(join(fresh, file)));
      expect({ file, same }).toEqual({ file, same: true });
    }
  } finally {
    rmSync(fresh, { recursive: true });
  }
});
