import { refuseDepth } from "../flink/parse-json.ts";

/**
 * JSON whose numbers keep every digit: a compiled plan holds BIGINT literals that a double cannot, and the plan is
 * executed again. A number that JavaScript would write differently is carried as `ExactNumber`.
 */
export class ExactNumber {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type ExactJson =
  | string
  | number
  | boolean
  | null
  | ExactNumber
  | readonly ExactJson[]
  | { readonly [key: string]: ExactJson };

const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
// No JSON text of Flink's holds U+0000, which a Java string literal in SQL cannot bring in either.
const mark = "\u0000";
const carried = /"\\u0000([^"]*)"/g;

/** Parses JSON; throws SyntaxError where the text is not JSON. */
export function parseExactJson(text: string): ExactJson {
  refuseDepth(text);
  const marked = text.replace(token, (found) =>
    found.startsWith('"') || String(Number(found)) === found ? found : JSON.stringify(`${mark}${found}`),
  );
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === "string" && value.startsWith(mark) ? new ExactNumber(value.slice(1)) : value,
  ) as ExactJson;
}

/** Writes JSON with every object's keys sorted, indented by `indent` blanks. */
export function writeExactJson(value: ExactJson, indent = 0): string {
  const text = JSON.stringify(
    value,
    (_key, item: unknown) => {
      if (item instanceof ExactNumber) return `${mark}${item.text}`;
      return isObject(item) ? sorted(item) : item;
    },
    indent,
  );
  return text.replace(carried, "$1");
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function sorted(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).sort(([left], [right]) => (left < right ? -1 : 1)));
}
