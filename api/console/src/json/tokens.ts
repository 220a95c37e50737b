import { MAX_NUMBER_CHARACTERS, type ProblemCode } from "./problems";
import { Kind } from "./tape";

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const NUMBER_LIKE = /[-+.0-9A-Za-z_]+/y;
const WORD = /[\p{L}\p{N}_$.@-]+/uy;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

export interface StringToken {
  end: number;
  problems: { code: ProblemCode; offset: number; length: number; message: string }[];
}

export function numberAt(text: string, start: number): { end: number; message?: string } {
  NUMBER.lastIndex = start;
  const exact = NUMBER.exec(text) ? NUMBER.lastIndex : start;
  NUMBER_LIKE.lastIndex = start;
  const whole = NUMBER_LIKE.exec(text) ? NUMBER_LIKE.lastIndex : start + 1;
  if (exact === whole) {
    const length = exact - start;
    return length <= MAX_NUMBER_CHARACTERS
      ? { end: exact }
      : { end: exact, message: `A number may have ${MAX_NUMBER_CHARACTERS} characters; this one has ${length}` };
  }
  const literal = text.slice(start, whole);
  let message = `${literal} is not a number JSON knows; text needs double quotes`;
  if (/^-?(Infinity|NaN)/.test(literal)) message = "JSON has no NaN and no Infinity";
  else if (literal.startsWith("+")) message = "A number may not begin with +";
  else if (/^-?0[0-9]/.test(literal)) message = "A number may not begin with 0; as text it needs double quotes";
  else if (/^-?\./.test(literal)) message = "A digit is missing before the decimal point";
  else if (/^-?[0-9]+\.($|[eE])/.test(literal)) message = "A digit is missing after the decimal point";
  return { end: whole, message };
}

export function wordAt(text: string, start: number): { end: number; kind: Kind; code: ProblemCode; message?: string } {
  if (text.startsWith("true", start) && !wordContinues(text, start + 4)) return word(start + 4, Kind.True);
  if (text.startsWith("false", start) && !wordContinues(text, start + 5)) return word(start + 5, Kind.False);
  if (text.startsWith("null", start) && !wordContinues(text, start + 4)) return word(start + 4, Kind.Null);
  WORD.lastIndex = start;
  const end = WORD.exec(text) ? WORD.lastIndex : start;
  const literal = text.slice(start, end);
  if (/^(NaN|Infinity)$/.test(literal)) return word(end, Kind.Null, "bad-number", "JSON has no NaN and no Infinity");
  if (/^(true|false|null)$/i.test(literal))
    return word(end, Kind.Null, "unexpected", `Write ${literal.toLowerCase()} in small letters`);
  if (/^(undefined|None|nil)$/.test(literal)) return word(end, Kind.Null, "unexpected", "Write null for “no value”");
  return word(end, Kind.String, "missing-quote", `Missing quotes: write "${literal}"`);
}

function word(end: number, kind: Kind, code: ProblemCode = "unexpected", message?: string) {
  return message === undefined ? { end, kind, code } : { end, kind, code, message };
}

function wordContinues(text: string, at: number): boolean {
  WORD.lastIndex = at;
  return WORD.test(text);
}

export function stringAt(text: string, start: number): StringToken {
  const quote = text.charCodeAt(start);
  const problems: StringToken["problems"] = [];
  if (quote === 39)
    problems.push({ code: "missing-quote", offset: start, length: 1, message: "Use double quotes: \"…\", not '…'" });
  let at = start + 1;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === quote) return { end: at + 1, problems };
    if (Number.isNaN(code) || code === 10 || code === 13) {
      const end = lineEnd(text, start, at);
      problems.push({
        code: "missing-quote",
        offset: start,
        length: end - start,
        message: 'Missing quote: this text is not closed with "',
      });
      return { end, problems };
    }
    if (code === 92) {
      ESCAPE.lastIndex = at;
      if (ESCAPE.test(text)) at = ESCAPE.lastIndex;
      else {
        const message = '\\ begins an escape such as \\n, \\" or \\u00e9; a backslash itself is \\\\';
        problems.push({ code: "bad-escape", offset: at, length: 2, message });
        at += text.charCodeAt(at + 1) === quote ? 2 : 1;
      }
      continue;
    }
    if (code < 32) {
      const spelt = `\\u${code.toString(16).padStart(4, "0")}`;
      const message = code === 9 ? "A tab inside text is written \\t" : `This control character is written ${spelt}`;
      problems.push({ code: "control-character", offset: at, length: 1, message });
    }
    at++;
  }
}

/** Where an unclosed string most likely ends: before the comma or bracket that ends its line. */
function lineEnd(text: string, start: number, at: number): number {
  const tail = /\s*[,}\]]*\s*$/.exec(text.slice(start + 1, at));
  return tail ? Math.max(start + 1, at - tail[0].length) : at;
}
