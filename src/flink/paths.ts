/**
 * One form for the ways in which Flink and people write one place: `file:/a`, `file:///a/` and `/a` are the same,
 * so are s3, s3a and s3n. Only for comparing, never for sending.
 */
export function normalisePath(path: string): string {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(path)?.[1]?.toLowerCase();
  // A path without a scheme is a local one, to Flink and here.
  if (scheme === undefined) return `file://${tidied(path)}`;
  const rest = path.slice(scheme.length + 1);
  if (scheme === "file") return `file://${tidied(rest.replace(/^\/\/(?:localhost(?=\/|$))?/i, ""))}`;
  const name = scheme === "s3a" || scheme === "s3n" ? "s3" : scheme;
  return rest.startsWith("//") ? `${name}://${tidied(rest.slice(2))}` : `${name}:${tidied(rest)}`;
}

/** True when both name one place. */
export function isSamePath(left: string, right: string): boolean {
  return normalisePath(left) === normalisePath(right);
}

/** True when the path is one of something below the folder. */
export function isInside(path: string, folder: string): boolean {
  return normalisePath(path).startsWith(`${normalisePath(folder)}/`);
}

function tidied(path: string): string {
  return path.replace(/\/{2,}/g, "/").replace(/(?<=.)\/$/, "");
}
