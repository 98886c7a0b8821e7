import type { Element, Nodes } from "hast";
import { githubTree } from "../../../scripts/screenshots/github-html.ts";

/** What a reader of a page on GitHub gets of a comment, as far as open renderers do what GitHub does. */
export interface Page {
  readonly headings: readonly string[];
  readonly tables: number;
  readonly rows: number;
  readonly folds: number;
  /** By their addresses; those that GitHub makes of mentions and references too. */
  readonly links: readonly string[];
  /** Names of the elements that there are. */
  readonly elements: ReadonlySet<string>;
  /** Outside of code: what GitHub still looks through for mentions, references and emoji. */
  readonly prose: readonly string[];
  readonly text: string;
}

/** Rendered by GitHub's rules. */
export function githubPage(markdown: string): Page {
  const tree = githubTree(markdown);
  const elements = elementsIn(tree);
  const named = (...names: readonly string[]) => elements.filter(({ tagName }) => names.includes(tagName));
  return {
    headings: named("h1", "h2", "h3", "h4", "h5", "h6").map(textOf),
    tables: named("table").length,
    rows: named("tr").length - named("thead").length,
    folds: named("details").length,
    links: named("a").map(({ properties }) => String(properties.href)),
    elements: new Set(elements.map(({ tagName }) => tagName)),
    prose: proseIn(tree),
    text: textOf(tree),
  };
}

function elementsIn(node: Nodes): readonly Element[] {
  const inside = "children" in node ? node.children.flatMap(elementsIn) : [];
  return node.type === "element" ? [node, ...inside] : inside;
}

function proseIn(node: Nodes): readonly string[] {
  if (node.type === "text") return [node.value];
  if (!("children" in node) || (node.type === "element" && ["code", "pre", "a"].includes(node.tagName))) return [];
  return node.children.flatMap(proseIn);
}

function textOf(node: Nodes): string {
  if (node.type === "text") return node.value;
  return "children" in node ? node.children.map(textOf).join("") : "";
}
