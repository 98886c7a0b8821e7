/**
 * Nothing that we read nests a tenth as deep; what does was made to exhaust the stack of whoever walks through it. Flink's
 * compiled plans go deepest, two levels for each operator of an expression.
 */
export const deepestJson = 2_000;

/** Parses JSON; throws SyntaxError where it is none, and a plain Error where it nests too deep. */
export function parseJson(text: string): unknown {
  refuseDepth(text);
  return JSON.parse(text);
}

/** Throws where brackets nest deeper than `deepestJson`. Other errors of the text are left to its parser. */
export function refuseDepth(text: string): void {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charCodeAt(at);
    if (sign === quote) at = endOfString(text, at);
    else if (sign === openBrace || sign === openBracket) {
      depth += 1;
      if (depth > deepestJson) throw new Error(`it nests deeper than ${deepestJson} levels`);
    } else if (sign === closeBrace || sign === closeBracket) depth -= 1;
  }
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [...'"\\{}[]'].map((sign) =>
  sign.charCodeAt(0),
);

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const sign = text.charCodeAt(at);
    if (sign === backslash) at += 1;
    else if (sign === quote) return at;
  }
  return text.length;
}
