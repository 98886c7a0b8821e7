import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { githubHtml } from "./github-html.ts";

export type Theme = "light" | "dark";

export interface Picture {
  readonly markdown: string;
  readonly theme: Theme;
  /** Who says it, in the head of the box; null for a job summary, which has no author. */
  readonly author: string | null;
  /** How many of the folds are open, from the first on. */
  readonly open: number;
}

const find = createRequire(import.meta.url).resolve;

/** What GitHub's own sheet does around a comment; colours of its diff highlighting. */
const around: Readonly<Record<Theme, string>> = {
  light:
    "--page:#ffffff; --box:#d0d7de; --head:#f6f8fa; --text:#1f2328; --muted:#59636e; --added:#dafbe1; --removed:#ffebe9; --range:#6639ba; --plus:#116329; --minus:#82071e",
  dark: "--page:#0d1117; --box:#3d444d; --head:#151b23; --text:#f0f6fc; --muted:#9198a1; --added:#033a16; --removed:#67060c; --range:#d2a8ff; --plus:#aff5b4; --minus:#ffdcd7",
};
const layout = `
body { margin: 0; padding: 16px; background: var(--page); font-family: "Noto Sans", "DejaVu Sans", "Noto Color Emoji", sans-serif; }
.box { border: 1px solid var(--box); border-radius: 6px; max-width: 900px; }
.head { background: var(--head); color: var(--muted); border-bottom: 1px solid var(--box); border-radius: 6px 6px 0 0; padding: 8px 16px; font-size: 14px; }
.head b { color: var(--text); }
.bot { border: 1px solid var(--box); border-radius: 2em; padding: 0 6px; font-size: 12px; }
.markdown-body { padding: 16px; font-size: 14px; }
.markdown-body details { margin-bottom: 8px; }
.markdown-body details > summary { cursor: pointer; }
.added { background: var(--added); color: var(--plus); }
.removed { background: var(--removed); color: var(--minus); }
.range { color: var(--range); font-weight: 600; }
.mermaid { text-align: center; margin: 8px 0 16px; }
`;

/** A page of its own, which draws its graphs by itself and then has its height as its title. */
export function pageOf({ markdown, theme, author, open }: Picture): string {
  const sheet = readFileSync(find(`github-markdown-css/github-markdown-${theme}.css`), "utf8");
  const head =
    author === null
      ? ""
      : `<div class="head"><b>${author}</b> <span class="bot">bot</span> commented 2 minutes ago</div>`;
  return `<!doctype html>
<html style="${around[theme]}"><head><meta charset="utf-8"><title>0</title><style>${sheet}${layout}</style></head>
<body><div class="box">${head}<div class="markdown-body">${withGraphsAndColours(githubHtml(markdown))}</div></div>
<script src="file://${find("mermaid/dist/mermaid.min.js")}"></script>
<script>
[...document.querySelectorAll("details")].slice(0, ${open}).forEach((fold) => { fold.open = true; });
mermaid.initialize({ startOnLoad: false, securityLevel: "strict", theme: "${theme === "dark" ? "dark" : "default"}" });
mermaid.run({ querySelector: "details[open] .mermaid", suppressErrors: false })
  .catch((error) => { document.body.prepend("Mermaid: " + error); })
  .then(() => document.fonts.ready)
  .then(() => { document.title = String(document.documentElement.scrollHeight); });
</script></body></html>`;
}

function withGraphsAndColours(html: string): string {
  return html
    .replace(/<pre><code class="language-mermaid">([\s\S]*?)<\/code><\/pre>/g, '<div class="mermaid">$1</div>')
    .replace(/<pre><code class="language-diff">([\s\S]*?)<\/code><\/pre>/g, (_block, text: string) => {
      const lines = text.replace(/\n$/, "").split("\n").map(coloured);
      return `<pre><code>${lines.join("\n")}</code></pre>`;
    });
}

function coloured(line: string): string {
  const kind = line.startsWith("+")
    ? "added"
    : line.startsWith("-")
      ? "removed"
      : line.startsWith("@@")
        ? "range"
        : null;
  return kind === null ? line : `<span class="${kind}">${line}</span>`;
}
