import { execFile } from "node:child_process";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const example = join(import.meta.dirname, "..", "..", "examples", "shop");

/** A commit to the shop: what a colleague changes, and what they write about it. */
export interface Edit {
  readonly message: string;
  readonly replacements: readonly { readonly file: string; readonly from: string; readonly to: string }[];
}

/** Both keep the state: other constants in the same operators. The view is read by two jobs. */
export const goodEdit: Edit = {
  message: "VAT rises to 20 percent, and orders count from 2.00 on",
  replacements: [
    { file: "models/order_log.sql", from: "vat_percent = 19", to: "vat_percent = 20" },
    { file: "models/counted_orders.sql", from: "amount_cents >= 100", to: "amount_cents >= 200" },
  ],
};

/** A column that no table has, and dbt cannot know that. */
export const badEdit: Edit = {
  message: "Group revenue by a column that does not exist",
  replacements: [{ file: "models/revenue_per_customer.sql", from: "sum(amount_cents)", to: "sum(amount_in_cents)" }],
};

/** Copies `examples/shop` to a new folder, which becomes a git repository, and commits it. */
export async function createShop(folder: string): Promise<void> {
  await cp(example, folder, { recursive: true });
  await git(folder, "init", "--quiet", "--initial-branch=main");
  await commitAll(folder, "A shop");
}

/** Throws where the example no longer holds what the edit replaces. */
export async function commitEdit(folder: string, edit: Edit): Promise<void> {
  for (const { file, from, to } of edit.replacements) {
    const path = join(folder, file);
    const before = await readFile(path, "utf8");
    if (before.split(from).length !== 2) throw new Error(`${file} does not hold \`${from}\` once`);
    await writeFile(
      path,
      before.replace(from, () => to),
    );
  }
  await commitAll(folder, edit.message);
}

async function commitAll(folder: string, message: string): Promise<void> {
  await git(folder, "add", "--all");
  await git(folder, "commit", "--quiet", "--message", message);
}

/** Without the user's own configuration: no signing, no hooks, no templates. */
async function git(folder: string, ...args: readonly string[]): Promise<void> {
  const [name, email] = ["demo", "demo@example.com"];
  await promisify(execFile)("git", args, {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
    },
  });
}
