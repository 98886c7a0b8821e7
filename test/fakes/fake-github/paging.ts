import type { GithubReply, GithubRequest } from "./server.ts";
import type { Site } from "./site.ts";

/** One page of a list, with the links to the next and the last in a header, by the repository's id as GitHub has them. */
export function paged(items: readonly unknown[], request: GithubRequest, site: Site): GithubReply {
  const perPage = Math.min(Number(request.query.get("per_page") ?? 30), 100);
  const page = Number(request.query.get("page") ?? 1);
  const last = Math.max(1, Math.ceil(items.length / perPage));
  const path = request.path.replace(`/repos/${site.repository}`, `/repositories/${site.repositoryId}`);
  const to = (number: number, rel: string): string => {
    const query = new URLSearchParams(request.query);
    query.set("page", String(number));
    return `<${site.api}${path}?${query}>; rel="${rel}"`;
  };
  const before = page > 1 ? [to(page - 1, "prev")] : [];
  const after = page < last ? [to(page + 1, "next"), to(last, "last")] : [];
  const first = page > 1 ? [to(1, "first")] : [];
  const links = [...before, ...after, ...first];
  return {
    status: 200,
    headers: links.length === 0 ? {} : { link: links.join(", ") },
    body: items.slice((page - 1) * perPage, page * perPage),
  };
}
