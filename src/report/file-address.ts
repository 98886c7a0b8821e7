import { maskSecrets } from "../secrets.ts";

/** Where the project's files can be read as they are at the head of a plan. */
export interface Files {
  /** `https://github.com` */
  readonly server: string;
  /** `owner/name` */
  readonly repository: string;
  /** The whole sha. */
  readonly commit: string;
  /** Of the project in the repository; "" for the root. */
  readonly folder: string;
}

const longestAddress = 1_000;

/** The page of a file that a plan names, at a line; null where there is none, or where the path could lead elsewhere. */
export function fileAddress(files: Files | null, file: string, line: number | null): string | null {
  if (files === null || maskSecrets(file) !== file) return null;
  const { server, repository, commit, folder } = files;
  const segments = [...folder.split("/").filter((segment) => segment !== ""), ...file.split("/")];
  if (segments.some((segment) => /^\.{0,2}$/.test(segment) || segment.includes("\\"))) return null;
  const path = segments.map(encoded).join("/");
  const address = `${server}/${repository}/blob/${commit}/${path}${line === null ? "" : `#L${line}`}`;
  return address.length > longestAddress ? null : address;
}

/** Also what ends a link in Markdown. */
function encoded(segment: string): string {
  return encodeURIComponent(segment.toWellFormed()).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
