import { npm } from "./npm.ts";

/** Fails where something is known against what the bundles are made of; a registry that does not tell is no failure. */
const { code, out } = npm("audit", "--omit", "dev", "--json");
const answer = parsed(out);
if (answer?.metadata === undefined) {
  console.log("npm audit: the registry did not answer, so nothing is known");
} else if (code === 0) {
  console.log("npm audit: nothing is known against the dependencies");
} else {
  console.log(out);
  process.exitCode = 1;
}

function parsed(text: string): { readonly metadata?: unknown } | null {
  try {
    return JSON.parse(text) as { readonly metadata?: unknown } | null;
  } catch {
    // A registry that answers with something else.
    return null;
  }
}
