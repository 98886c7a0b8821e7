import { realpath } from "node:fs/promises";
import { relative, resolve } from "node:path";
import type { Finding } from "../project/job.ts";
import { canonicalSql, splitStatements } from "../project/statement.ts";
import { fileAt } from "../project/worktree.ts";
import { rememberSecretsIn } from "../secrets.ts";
import type { Checkout } from "./checkout.ts";
import { readInputFile } from "./input-file.ts";

/** Written by hand; it runs at the start of every session. */
const maxInitSqlBytes = 4 * 1024 * 1024;

/** The statements of `init-sql`; none where it is not given. Throws `inputs-invalid` where it cannot be read. */
export async function readInitSql(path: string | null, cwd: string): Promise<readonly string[]> {
  if (path === null) return [];
  const text = await readInputFile({ input: "init-sql", file: path, cwd, maxBytes: maxInitSqlBytes });
  rememberSecretsIn(text);
  return splitStatements(text);
}

/**
 * A warning where `init-sql` is another one than at the base commit: it is in no job's program, so no job is upgraded
 * for it. A file outside of the repository has no earlier state that could be looked at.
 */
export async function initSqlFindings(
  path: string | null,
  cwd: string,
  { base, repository }: { readonly base: string } & Pick<Checkout, "repository">,
): Promise<readonly Finding[]> {
  if (path === null) return [];
  const inRepository = relative(repository, await realpath(resolve(cwd, path)));
  if (inRepository.startsWith("..")) return [];
  const before = await fileAt(repository, base, inRepository);
  const [now, then] = [await readInitSql(path, cwd), splitStatements(before ?? "")].map((statements) =>
    statements.map(canonicalSql).join(";\n"),
  );
  if (now === then) return [];
  const message = `\`init-sql\` (${inRepository}) is ${before === null ? "not in the base" : "another one in the base"}. It is part of no job: running jobs that use what it makes are not upgraded for it.`;
  return [{ severity: "warning", code: "compiles-differently", message, job: null, file: null, line: null }];
}
