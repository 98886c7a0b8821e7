import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { distFolder, Folders } from "./harness.ts";

const folders = new Folders();
afterAll(() => folders[Symbol.asyncDispose]());

const bundles = ["index.js", "cli.js", "toolkit.js"] as const;
const builtIn = new Set([...builtinModules, ...builtinModules.map((name) => `node:${name}`)]);
/** `toolkit.js` is loaded by the other two, from beside them. */
const isOurs = (specifier: string): boolean => builtIn.has(specifier) || /^\.\/toolkit\.js$/.test(specifier);

describe("the bundles", () => {
  test.each(bundles)("%s names no module but Node's and ours", (bundle) => {
    const text = readFileSync(join(distFolder, bundle), "utf8");
    // As ncc writes them: at the top, as a call of what createRequire made, and what a dependency loads when it needs it.
    const forms = [
      /(?:^|[;}\n])import\s*(?:[\w$*{][^"';]*?from\s*)?["']([^"'\n]+)["']/g,
      /\(import\.meta\.url\)\("([^"\n]+)"\)/g,
      /(?<![\w$.])import\("([^"\n]+)"\)/g,
      /require\("([^"\n]+)"\)/g,
    ];
    const specifiers = forms.flatMap((form) => [...text.matchAll(form)].map(([, specifier = ""]) => specifier));
    expect(specifiers.length).toBeGreaterThan(10);
    expect(specifiers.filter((specifier) => !isOurs(specifier))).toEqual([]);
  });

  test("load nothing but what Node has and what lies beside them", async () => {
    const folder = await folders.make({ "package.json": '{ "type": "module" }' });
    for (const bundle of bundles) copyFileSync(join(distFolder, bundle), join(folder, bundle));
    // Everything that is resolved is written down; nothing is near that could be found by name.
    writeFileSync(
      join(folder, "watch.mjs"),
      `import { registerHooks } from "node:module";
       import { appendFileSync } from "node:fs";
       registerHooks({ resolve: (specifier, context, next) => {
         const found = next(specifier, context);
         appendFileSync(${JSON.stringify(join(folder, "resolved"))}, found.url + "\\n");
         return found;
       } });`,
    );
    const environment = { PATH: process.env.PATH, HOME: folder, INPUT_COMMAND: "plan", "INPUT_PROJECT-DIR": "none" };
    for (const bundle of bundles) {
      const args = ["--import", join(folder, "watch.mjs"), join(folder, bundle), "--help"];
      try {
        execFileSync(process.execPath, args, { cwd: folder, env: environment, stdio: "pipe" });
      } catch (error) {
        // The action has no project here, and says so; what cannot be loaded would be said otherwise.
        expect(String((error as { stdout?: unknown }).stdout)).toContain("there is no folder none");
      }
    }
    const resolved = readFileSync(join(folder, "resolved"), "utf8").trim().split("\n");
    expect(resolved.length).toBeGreaterThan(20);
    const beside = new Set(bundles.map((bundle) => `file://${join(folder, bundle)}`));
    expect(
      resolved.filter((url) => !url.startsWith("node:") && !beside.has(url) && !url.endsWith("/watch.mjs")),
    ).toEqual([]);
  });
});
