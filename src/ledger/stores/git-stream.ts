import type { Files } from "./git-tree.ts";

export interface Commit {
  readonly parent: string | null;
  readonly message: string;
  readonly at: Date;
  /** Put beside, or in the place of, those that the parent has. */
  readonly files: Files;
}

const author = "flink-dbt-deploy <flink-dbt-deploy@localhost>";

/** What `git fast-import` reads to make this commit and to answer with its id. */
export function fastImport({ parent, message, at, files }: Commit): Buffer {
  const parts: (string | Buffer)[] = [];
  const data = (text: string): void => {
    const bytes = Buffer.from(text);
    parts.push(`data ${bytes.length}\n`, bytes, "\n");
  };
  parts.push(`commit refs/heads/next\nmark :1\ncommitter ${author} ${Math.floor(at.getTime() / 1000)} +0000\n`);
  data(message);
  if (parent !== null) parts.push(`from ${parent}\n`);
  for (const [path, text] of files) {
    parts.push(`M 100644 inline ${path}\n`);
    data(text);
  }
  parts.push("\nget-mark :1\ndone\n");
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)));
}

/** The objects' ids by path, from `git ls-tree -r -z`. */
export function treeIds(listing: string): ReadonlyMap<string, string> {
  const lines = listing.split("\0").filter((line) => line !== "");
  return new Map(
    lines.map((line) => {
      const [, id, path] = /^\d+ \w+ ([0-9a-f]+)\t(.*)$/s.exec(line) ?? [];
      if (id === undefined || path === undefined) throw new Error(`git ls-tree printed ${JSON.stringify(line)}`);
      return [path, id];
    }),
  );
}

/** The texts of as many objects as were asked for, from what `git cat-file --batch` printed, a character a byte. */
export function blobTexts(printed: string, count: number): readonly string[] {
  const texts: string[] = [];
  let at = 0;
  while (texts.length < count) {
    const end = printed.indexOf("\n", at);
    const head = printed.slice(at, end < 0 ? undefined : end);
    const size = /^[0-9a-f]+ blob (\d+)$/.exec(head)?.[1];
    if (size === undefined) throw new Error(`git cat-file printed ${JSON.stringify(head)}`);
    at = end + 1 + Number(size);
    texts.push(Buffer.from(printed.slice(end + 1, at), "latin1").toString("utf8"));
    at += 1;
  }
  return texts;
}

/** The commit that a ref names, from `git ls-remote`, whose pattern also finds refs that end like this one; or null. */
export function remoteCommit(listing: string, ref: string): string | null {
  const line = listing.split("\n").find((one) => one.endsWith(`\t${ref}`));
  return line?.split("\t")[0] ?? null;
}
