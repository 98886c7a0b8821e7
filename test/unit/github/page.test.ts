import { describe, expect, test } from "vitest";
import { nextPage } from "../../../src/github/page.ts";

const answer = (headers: Readonly<Record<string, string>>) => ({ status: 200, headers, body: Buffer.alloc(0) });
const next = "https://api.github.com/repositories/42/issues/7/comments?per_page=100&page=2";

describe("a list goes on", () => {
  test.each([
    ["where its link leads", { link: `<${next}>; rel="next", <${next}9>; rel="last"` }, 100, 100, "url"],
    [
      "where a link without quotes leads, behind others",
      { link: `<${next}0>; rel=prev, <${next}>; rel=next` },
      9,
      99,
      "url",
    ],
    ["nowhere when no link leads on", { link: `<${next}>; rel="first"` }, 100, 200, "none"],
    ["nowhere after an empty page", { link: `<${next}>; rel="next"` }, 0, 100, "none"],
    ["by number while more are counted than seen", { "x-total-count": "31" }, 30, 30, "number"],
    ["nowhere when as many are seen as are counted", { "x-total-count": "300" }, 300, 300, "none"],
    ["by number after a full page of a server that tells nothing", {}, 100, 100, "number"],
    ["nowhere after a page that is not full", {}, 99, 99, "none"],
    ["by number though the count is none", { "x-total-count": "many" }, 100, 100, "number"],
  ] as const)("%s", (_name, headers, here, seen, kind) => {
    const found = nextPage(answer(headers as Readonly<Record<string, string>>), { here, seen });
    expect(found).toEqual(kind === "url" ? { kind, url: next } : { kind });
  });
});
