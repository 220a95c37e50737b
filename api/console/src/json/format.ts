/**
 * Lays a valid JSON text out with two spaces a level. It moves white space only: every name, string and number is
 * copied as it stands.
 */
export function format(text: string, indent = 2): string {
  const out: string[] = [];
  const pads: string[] = ["\n"];
  let depth = 0;
  const newline = (): string => (pads[depth] ??= `\n${" ".repeat(indent * depth)}`);
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 32 || code === 10 || code === 13 || code === 9) {
      at++;
    } else if (code === 34) {
      const end = stringEnd(text, at);
      out.push(text.slice(at, end));
      at = end;
    } else if (code === 123 || code === 91) {
      const close = afterSpace(text, at + 1);
      const closer = text.charCodeAt(close);
      if (closer === 125 || closer === 93) {
        out.push(code === 123 ? "{}" : "[]");
        at = close + 1;
      } else {
        depth++;
        out.push(code === 123 ? "{" : "[", newline());
        at++;
      }
    } else if (code === 125 || code === 93) {
      depth = Math.max(0, depth - 1);
      out.push(newline(), code === 125 ? "}" : "]");
      at++;
    } else if (code === 44) {
      out.push(",", newline());
      at++;
    } else if (code === 58) {
      out.push(": ");
      at++;
    } else {
      const end = literalEnd(text, at);
      out.push(text.slice(at, end));
      at = end;
    }
  }
  return out.join("");
}

/** The same text without the white space between tokens: what is sent when a document is large. */
export function compact(text: string): string {
  const out: string[] = [];
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 32 || code === 10 || code === 13 || code === 9) {
      at++;
      continue;
    }
    const end = code === 34 ? stringEnd(text, at) : Math.max(at + 1, literalEnd(text, at));
    out.push(text.slice(at, end));
    at = end;
  }
  return out.join("");
}

function afterSpace(text: string, at: number): number {
  let next = at;
  while (next < text.length && text.charCodeAt(next) <= 32) next++;
  return next;
}

function stringEnd(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return quote + 1;
  }
  return text.length;
}

function literalEnd(text: string, start: number): number {
  let at = start;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code <= 32 || code === 44 || code === 58 || code === 91 || code === 93 || code === 123 || code === 125) break;
  }
  return at;
}
