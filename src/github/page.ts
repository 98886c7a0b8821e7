import type { Answer } from "./web.ts";

export const perPage = 100;

/** Where a list goes on. */
export type NextPage =
  | { readonly kind: "none" }
  | { readonly kind: "number" }
  | { readonly kind: "url"; readonly url: string };

/**
 * Where a list goes on after a page of `here` items, `seen` of them in all so far. A `link` header tells; forges that have
 * none tell how many there are in all, and fill their pages with fewer than they are asked for. Pure.
 */
export function nextPage(
  { headers }: Answer,
  { here, seen }: { readonly here: number; readonly seen: number },
): NextPage {
  if (here === 0) return { kind: "none" };
  const { link } = headers;
  if (link !== undefined) {
    const url = nextLink(link);
    return url === null ? { kind: "none" } : { kind: "url", url };
  }
  const total = Number(headers["x-total-count"]);
  const isMore = headers["x-total-count"] !== undefined && Number.isFinite(total) ? seen < total : here >= perPage;
  return { kind: isMore ? "number" : "none" };
}

/** `<https://api.github.com/repositories/42/issues/7/comments?page=2>; rel="next", <...>; rel="last"`. */
function nextLink(header: string): string | null {
  for (const [, url = "", parameters = ""] of header.matchAll(/<([^<>]*)>([^<]*)/g)) {
    if (/;\s*rel="?next"?(?=[\s;,]|$)/i.test(parameters)) return url;
  }
  return null;
}
