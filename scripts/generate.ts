import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { actionYml, readme } from "./generated.ts";

/** Writes what is generated from the inputs' table and the error codes: action.yml, and the README's tables. */
const root = join(import.meta.dirname, "..");
writeFileSync(join(root, "action.yml"), actionYml());
const path = join(root, "README.md");
writeFileSync(path, readme(readFileSync(path, "utf8")));
