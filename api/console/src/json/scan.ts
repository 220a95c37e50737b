import { TapeBuilder } from "./builder";
import { lineAndColumn, MAX_DEPTH, MAX_PROBLEMS, type Problem, type ProblemCode } from "./problems";
import { Kind, type Tape } from "./tape";
import { numberAt, stringAt, wordAt } from "./tokens";

export interface Scan {
  /** Present when the text has no problem. */
  tape: Tape | null;
  /** In the order of the text; the first is the one to mend first. */
  problems: Problem[];
}

class Stop extends Error {}

/**
 * Scans a JSON text (RFC 8259, no duplicate keys) into a tape. After a mistake it goes on as a person would, so that
 * one pass lists all of them. Values are never converted: an offset range is all that is kept.
 */
export function scan(text: string, options: { requireObject?: boolean } = {}): Scan {
  return new Scanner(text).run(options.requireObject ?? false);
}

class Scanner {
  private at = 0;
  private depth = 0;
  private readonly problems: Problem[] = [];
  private readonly build: TapeBuilder;
  private readonly open: string[] = [];
  /** An opening bracket whose closing one is indented as if for an outer one: most likely the unclosed one. */
  private suspect = -1;
  private endReported = false;
  private quoteLine = -1;
  private quoteEnd = -1;

  constructor(private readonly text: string) {
    this.build = new TapeBuilder(text);
  }

  run(requireObject: boolean): Scan {
    try {
      this.space();
      if (this.at >= this.text.length) this.report("empty", 0, 1, "There is no JSON here. An empty document is {}");
      else {
        const isObject = this.text[this.at] === "{";
        const start = this.at;
        this.value(-1, -1, -1);
        if (requireObject && !isObject && this.problems.length === 0)
          this.report("not-an-object", start, 1, "The variables have to be one object: { … }");
        this.rest();
      }
    } catch (stop) {
      if (!(stop instanceof Stop)) throw stop;
    }
    this.problems.sort((a, b) => a.offset - b.offset);
    return { tape: this.problems.length === 0 ? this.build.finish() : null, problems: this.problems };
  }

  private rest(): void {
    this.space();
    if (this.at >= this.text.length) return;
    const char = this.text[this.at]!;
    const what = char === "}" || char === "]" ? `One ${char} too many` : "Nothing may follow the end of the document";
    this.report("unexpected", this.at, 1, what);
  }

  private value(parent: number, keyStart: number, keyEnd: number): boolean {
    const { text } = this;
    const start = this.at;
    const code = text.charCodeAt(start);
    if (code === 123 || code === 91) {
      this.container(code === 123 ? Kind.Object : Kind.Array, parent, keyStart, keyEnd);
      return true;
    }
    let kind: Kind;
    if (code === 34 || code === 39) {
      this.string();
      kind = Kind.String;
    } else if (code === 45 || (code >= 48 && code <= 57) || code === 43 || code === 46) {
      const token = numberAt(text, start);
      if (token.message) this.report("bad-number", start, token.end - start, token.message);
      this.at = token.end;
      kind = Kind.Number;
    } else {
      const token = wordAt(text, start);
      if (token.end === start) return false;
      if (token.message) this.report(token.code, start, token.end - start, token.message);
      this.at = token.message ? this.pastQuote(token.end) : token.end;
      kind = token.kind;
    }
    this.build.close(this.build.open(kind, start, parent, keyStart, keyEnd), this.at);
    return true;
  }

  private container(kind: Kind, parent: number, keyStart: number, keyEnd: number): void {
    const node = this.build.open(kind, this.at, parent, keyStart, keyEnd);
    const closer = kind === Kind.Object ? "}" : "]";
    if (++this.depth > MAX_DEPTH) {
      this.report("too-deep", this.at, 1, `Values may be nested ${MAX_DEPTH} deep at most`);
      throw new Stop();
    }
    this.open.push(closer);
    this.at++;
    this.members(node, kind, closer);
    this.build.close(node, this.at);
    this.open.pop();
    this.depth--;
  }

  private members(node: number, kind: Kind, closer: string): void {
    const { text } = this;
    const names: Set<string> | null = kind === Kind.Object ? new Set() : null;
    let comma = -1;
    let lastEnd = -1;
    for (;;) {
      this.space();
      if (this.at >= text.length) {
        this.unclosed(node);
        return;
      }
      const char = text[this.at]!;
      if (char === closer) {
        if (comma >= 0) this.report("trailing-comma", comma, 1, `Trailing comma: remove it before ${closer}`);
        this.compareIndent(node);
        this.at++;
        return;
      }
      if ((char === "}" || char === "]") && this.open.includes(char)) {
        const where = lineAndColumn(text, this.build.startOf(node)).line;
        this.report("unclosed", this.at, 1, `${closer} is missing before this ${char} (opened on line ${where})`);
        return;
      }
      if (char === ",") {
        this.report("extra-comma", this.at, 1, comma >= 0 || lastEnd < 0 ? "One comma too many" : "Unexpected comma");
        this.at++;
        continue;
      }
      if (comma < 0 && lastEnd >= 0)
        this.report("missing-comma", lastEnd, 1, "Missing comma after this value: add , before the next one");
      comma = -1;
      const before = this.at;
      const done = names ? this.pair(node, names) : this.value(node, -1, -1);
      if (!done) {
        if (this.at === before) {
          this.report("unexpected", this.at, 1, `Unexpected ${char}`);
          this.at++;
        }
        lastEnd = -1;
        continue;
      }
      lastEnd = this.at;
      this.space();
      if (text[this.at] === ",") comma = this.at++;
    }
  }

  private pair(node: number, names: Set<string>): boolean {
    const { text } = this;
    const start = this.at;
    const char = text[start]!;
    if (char === '"' || char === "'") this.string();
    else {
      const word = wordAt(text, start).end;
      if (word === start) return false;
      this.at = this.pastQuote(word);
      this.report("missing-quote", start, word - start, `Missing quotes: write "${text.slice(start, word)}"`);
    }
    const end = this.at;
    let name = text.slice(start + 1, end - 1);
    if (name.includes("\\") && this.problems.length === 0) name = JSON.parse(text.slice(start, end)) as string;
    if (names.has(name)) this.report("duplicate-key", start, end - start, `"${name}" is there twice in this object`);
    names.add(name);
    this.space();
    if (text[this.at] === ":") this.at++;
    else if (this.at >= text.length) return true;
    else if (this.quoteEnd === end) {
      this.at = end;
      return true;
    } else this.report("missing-colon", end, 1, "Missing : between the name and its value");
    this.space();
    if (this.at < text.length && !this.value(node, start, end))
      this.report("missing-value", this.at, 1, `"${name}" has no value`);
    return true;
  }

  /** Where only the opening quote is missing, the closing one opens nothing. */
  private pastQuote(at: number): number {
    return this.text[at] === '"' ? at + 1 : at;
  }

  private string(): void {
    const start = this.at;
    const token = stringAt(this.text, start);
    this.at = token.end;
    for (const problem of token.problems) {
      this.report(problem.code, problem.offset, problem.length, problem.message);
      if (problem.code !== "missing-quote") continue;
      this.quoteLine = lineAndColumn(this.text, start).line;
      this.quoteEnd = this.at;
    }
  }

  private unclosed(node: number): void {
    if (this.endReported) return;
    this.endReported = true;
    const start = this.suspect >= 0 ? this.suspect : this.build.startOf(node);
    const opener = this.text[start]!;
    const closer = opener === "{" ? "}" : "]";
    this.report("unclosed", start, 1, `Unclosed ${opener}: its ${closer} is missing`);
  }

  private compareIndent(node: number): void {
    if (this.suspect >= 0) return;
    const closing = indentBefore(this.text, this.at);
    if (closing < 0) return;
    const start = this.build.startOf(node);
    if (indentOfLine(this.text, start) > closing) this.suspect = start;
  }

  private space(): void {
    const { text } = this;
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (code === 32 || code === 10 || code === 13 || code === 9) {
        this.at++;
        continue;
      }
      if (code !== 47 && code !== 35) return;
      const block = text.startsWith("/*", this.at);
      if (code === 47 && !block && text[this.at + 1] !== "/") return;
      let end = block ? text.indexOf("*/", this.at + 2) : text.indexOf("\n", this.at);
      end = end < 0 ? text.length : block ? end + 2 : end;
      this.report("comment", this.at, end - this.at, "JSON has no comments: remove this one");
      this.at = end;
    }
  }

  private report(code: ProblemCode, offset: number, length: number, message: string): void {
    const { line, column } = lineAndColumn(this.text, offset);
    // What follows an unclosed quote on its line is an echo of it.
    if (line === this.quoteLine && code !== "duplicate-key") return;
    this.problems.push({ code, message, offset, length: Math.max(1, length), line, column });
    if (this.problems.length >= MAX_PROBLEMS) throw new Stop();
  }
}

/** How far back the start of a line is looked for: a document may be one line of many megabytes. */
const LONGEST_LINE = 500;

/** Columns before the bracket when it is the first thing on its line, else -1. */
function indentBefore(text: string, offset: number): number {
  for (let at = offset - 1; at >= 0 && offset - at <= LONGEST_LINE; at--) {
    if (text.charCodeAt(at) === 10) return offset - at - 1;
    if (text.charCodeAt(at) !== 32 && text.charCodeAt(at) !== 9) return -1;
  }
  return -1;
}

/** Indentation of the line that an offset is on; -1 where the line is too long to tell. */
function indentOfLine(text: string, offset: number): number {
  let from = offset;
  while (from > 0 && text.charCodeAt(from - 1) !== 10) if (offset - --from > LONGEST_LINE) return -1;
  let at = from;
  while (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9) at++;
  return at - from;
}
