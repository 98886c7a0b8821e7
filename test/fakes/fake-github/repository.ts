import type { Accounts } from "./accounts.ts";
import { nodeId, type Site, timestamp } from "./site.ts";

/** The repository itself, or a fork of it, as pull requests name it. */
export function repositoryJson(
  site: Site,
  accounts: Accounts,
  { fullName, id }: { readonly fullName: string; readonly id: number },
): Readonly<Record<string, unknown>> {
  const [owner = "", name = ""] = fullName.split("/");
  const url = `${site.api}/repos/${fullName}`;
  const page = `${site.web}/${fullName}`;
  return {
    id,
    node_id: nodeId("R", id),
    name,
    full_name: fullName,
    owner: accounts.json(accounts.named(owner)),
    private: true,
    html_url: page,
    description: null,
    fork: id !== site.repositoryId,
    url,
    ...Object.fromEntries(lists.map((list) => [`${list}_url`, `${url}/${list.replaceAll("_", "/")}`])),
    git_url: `${page.replace("https:", "git:")}.git`,
    ssh_url: `git@github.com:${fullName}.git`,
    clone_url: `${page}.git`,
    svn_url: page,
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    default_branch: "main",
    ...Object.fromEntries(counts.map((count) => [count, 0])),
    ...Object.fromEntries(switches.map((one) => [one, one === "has_issues"])),
    pushed_at: timestamp(new Date(0)),
    created_at: timestamp(new Date(0)),
    updated_at: timestamp(new Date(0)),
  };
}

const lists = [
  ...["archive", "assignees", "blobs", "branches", "collaborators", "comments", "commits", "compare", "contents"],
  ...["contributors", "deployments", "downloads", "events", "forks", "git_commits", "git_refs", "git_tags", "hooks"],
  ...["issue_comment", "issue_events", "issues", "keys", "labels", "languages", "merges", "milestones"],
  ...["notifications", "pulls", "releases", "stargazers", "statuses", "subscribers", "subscription", "tags", "teams"],
  "trees",
];
const counts = [
  ...["forks", "forks_count", "open_issues", "open_issues_count", "size", "stargazers_count", "watchers"],
  "watchers_count",
];
const switches = ["has_downloads", "has_issues", "has_projects", "has_wiki", "has_pages", "archived", "disabled"];
