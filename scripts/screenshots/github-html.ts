import type { Root } from "hast";
import rehypeRaw from "rehype-raw";
import rehypeSanitize from "rehype-sanitize";
import rehypeStringify from "rehype-stringify";
import remarkGfm from "remark-gfm";
import remarkGithub from "remark-github";
import remarkParse from "remark-parse";
import remarkRehype from "remark-rehype";
import { unified } from "unified";

/** Markdown as GitHub renders it: its tables, its mentions and references, and only the elements that it lets through. */
export function githubTree(markdown: string): Root {
  const processor = unified()
    .use(remarkParse)
    .use(remarkGfm)
    .use(remarkGithub, { repository: "acme/shop" })
    .use(remarkRehype, { allowDangerousHtml: true })
    .use(rehypeRaw)
    .use(rehypeSanitize);
  return processor.runSync(processor.parse(markdown));
}

export function githubHtml(markdown: string): string {
  return unified().use(rehypeStringify).stringify(githubTree(markdown));
}
