import { changedAtRun } from "./changed-macros.ts";
import type { CompiledManifest, CompiledNode } from "./manifest.ts";
import { isQuery, leadingWords, withoutQueryComment } from "./query-comment.ts";
import type { RecordedStatement } from "./recording.ts";

/** What `dbt compile` of one side tells. */
export interface CompiledSide {
  readonly manifest: CompiledManifest;
  /** Canonical text of what bears on every model alike: target, vars, versions, dbt_project.yml, packages. */
  readonly settings: string;
  /** What was sent: the on-run-start hooks' statements and the macros' queries. */
  readonly statements: readonly RecordedStatement[];
}

/**
 * The unique ids of the table models whose programs may differ between two sides, each side's own models included, with
 * all that read a changed node; `all` where something differs that may bear on any model. Sound, not exact: a model
 * that is not named here is sent alike. Null is a side that cannot be compiled without being run.
 */
export function maybeChanged(base: CompiledSide | null, head: CompiledSide | null): readonly string[] | "all" {
  if (base === null || head === null) return "all";
  if (base.settings !== head.settings) return "all";
  if (base.manifest.dbtVersion !== head.manifest.dbtVersion) return "all";
  if (changedAtRun(base.manifest, head.manifest)) return "all";
  const sources = changedSources(base, head);
  const asking = askingNodes([...base.statements, ...head.statements]);
  if (sources === "all" || asking === "all") return "all";
  const before = byId(base.manifest);
  const after = byId(head.manifest);
  const ids = [...new Set([...before.keys(), ...after.keys()])];
  const changed = ids.filter((id) => sources.has(id) || asking.has(id) || !sameNode(before.get(id), after.get(id)));
  if (changed.some((id) => id.startsWith("operation."))) return "all";
  const reached = withReaders(changed, [...base.manifest.nodes, ...head.manifest.nodes]);
  return ids.filter((id) => reached.has(id) && (isTableModel(before.get(id)) || isTableModel(after.get(id)))).sort();
}

function sameNode(before: CompiledNode | undefined, after: CompiledNode | undefined): boolean {
  return (
    before !== undefined &&
    after !== undefined &&
    before.code === after.code &&
    before.checksum === after.checksum &&
    before.settings === after.settings &&
    before.dependsOn.join() === after.dependsOn.join()
  );
}

/**
 * The sources that the hooks create differently. A hook's statement that differs and creates no source may prepare the
 * session of every job.
 */
function changedSources(base: CompiledSide, head: CompiledSide): ReadonlySet<string> | "all" {
  const before = hookTexts(base);
  const after = hookTexts(head);
  const kept = before.filter((text) => after.includes(text));
  const inOrder = after.filter((text) => before.includes(text));
  if (kept.join("\n;\n") !== inOrder.join("\n;\n")) return "all";
  const ids = new Set<string>();
  const different = [...before, ...after].filter((text) => !before.includes(text) || !after.includes(text));
  for (const text of different) {
    const created = createdSources(text, [...base.manifest.nodes, ...head.manifest.nodes]);
    if (created.length === 0 && !isOfNoEffect(text)) return "all";
    for (const id of created) ids.add(id);
  }
  return ids;
}

/**
 * The models whose macros ask for rows. dbt compiles a model before the objects that it asks about are made, so what
 * they were told is no proof.
 */
function askingNodes(statements: readonly RecordedStatement[]): ReadonlySet<string> | "all" {
  const ids = statements.filter(({ sql }) => isQuery(sql)).map(({ nodeId }) => nodeId);
  return ids.includes(null)
    ? "all"
    : new Set(ids.filter((id) => id !== null && !id.startsWith("operation.")) as string[]);
}

/** Without the mode that the adapter sets before each statement, and without queries. */
function hookTexts({ statements }: CompiledSide): readonly string[] {
  return statements.map(({ sql }) => withoutQueryComment(sql)).filter((sql) => !isOfNoEffect(sql));
}

function isOfNoEffect(sql: string): boolean {
  const [first = ""] = leadingWords(sql, 1);
  return isQuery(sql) || first === "SHOW" || first === "DROP" || /^SET\s+'execution\.runtime-mode'/i.test(sql);
}

function createdSources(sql: string, nodes: readonly CompiledNode[]): readonly string[] {
  if (leadingWords(sql, 2).join(" ") !== "CREATE TABLE") return [];
  const head = sql.slice(0, sql.indexOf("(", sql.search(/create\s+table/i)));
  const names = new Set(head.split(/[^\p{L}\p{N}_$-]+/u));
  return nodes
    .filter((node) => node.resourceType === "source" && names.has(node.relation))
    .map((node) => node.uniqueId);
}

/** The nodes and everything that reads them, directly or not, on either side. */
function withReaders(changed: readonly string[], nodes: readonly CompiledNode[]): ReadonlySet<string> {
  const readers = new Map<string, string[]>();
  for (const node of nodes) {
    for (const id of node.dependsOn) readers.set(id, [...(readers.get(id) ?? []), node.uniqueId]);
  }
  const reached = new Set(changed);
  for (const id of reached) for (const reader of readers.get(id) ?? []) reached.add(reader);
  return reached;
}

/** Views and ephemeral models are objects of the jobs that read them; every other model is sent as a table. */
function isTableModel(node: CompiledNode | undefined): boolean {
  return node?.resourceType === "model" && node.materialized !== "view" && node.materialized !== "ephemeral";
}

function byId(manifest: CompiledManifest): ReadonlyMap<string, CompiledNode> {
  return new Map(manifest.nodes.map((node) => [node.uniqueId, node]));
}
