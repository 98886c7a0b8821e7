import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { actionYml, readme, recoveryPage } from "./generated.ts";

/** Writes what is generated: action.yml, the README's tables, and what happens when something dies. */
const root = join(import.meta.dirname, "..");
writeFileSync(join(root, "action.yml"), actionYml());
writeFileSync(join(root, "docs", "recovery.md"), recoveryPage());
const path = join(root, "README.md");
writeFileSync(path, readme(readFileSync(path, "utf8")));
