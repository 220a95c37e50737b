import { decode } from "./tape";
import { stringAt } from "./tokens";

/** What is at an offset of a JSON text that may be unfinished or wrong around it. */
export interface Place {
  /** A member's name, a value, or nothing that could be written: after a value, before a colon. */
  part: "name" | "value" | "none";
  /** For a name the path of its object, otherwise that of the value. */
  path: string[];
  /** Range of the literal that is there; empty where there is none yet. */
  start: number;
  end: number;
  /** For a name: every other name of its object, those that follow too. */
  names: ReadonlySet<string>;
}

interface Frame {
  isObject: boolean;
  /** The name or index that is at work. */
  token: string | number;
  expects: "name" | "colon" | "value" | "comma";
  names: Set<string>;
}

const WORD = /[^\s{}[\],:"]+/y;

/** Finds the place of an offset in one pass, which ends with the object or array that the offset is in. */
export function placeAt(text: string, offset: number): Place {
  return new Finder(text, offset).run();
}

class Finder {
  private readonly frames: Frame[] = [];
  private root: Frame = { isObject: false, token: "", expects: "value", names: new Set() };
  private found: Place | null = null;
  private within: Frame | null = null;

  constructor(
    private readonly text: string,
    private readonly offset: number,
  ) {}

  run(): Place {
    const { text, offset } = this;
    for (let at = 0; at < text.length; ) {
      const char = text[at]!;
      if (!this.found && at >= offset && !this.isLiteral(at)) this.keep(offset, offset);
      if (this.found && !this.within?.isObject) break;
      if (char === '"') at = this.literal(at, stringAt(text, at).end);
      else if (this.isLiteral(at)) {
        WORD.lastIndex = at;
        WORD.test(text);
        at = this.literal(at, WORD.lastIndex);
      } else {
        if (this.structure(char)) break;
        at++;
      }
    }
    if (!this.found) this.keep(offset, offset);
    return this.found!;
  }

  private isLiteral(at: number): boolean {
    return !" \t\r\n{}[],:".includes(this.text[at]!);
  }

  private get frame(): Frame {
    return this.frames.at(-1) ?? this.root;
  }

  /** Takes in a string, a number or a word; returns its end. */
  private literal(start: number, end: number): number {
    const { frame } = this;
    const here = !this.found && start <= this.offset && this.offset <= end;
    // What follows a literal without a comma or colon is taken for the next member: the one before is being written.
    const isName = frame.isObject && frame.expects !== "value";
    if (isName) frame.expects = "name";
    if (here) this.keep(start, end);
    if (isName) {
      frame.token = nameOf(this.text.slice(start, end));
      if (!here) frame.names.add(frame.token);
      frame.expects = "colon";
    } else frame.expects = "comma";
    return end;
  }

  /** Takes in a bracket, a comma, a colon or a space; returns whether nothing further matters. */
  private structure(char: string): boolean {
    const { frame } = this;
    if (char === "{" || char === "[") {
      const isObject = char === "{";
      this.frames.push({
        isObject,
        token: isObject ? "" : 0,
        expects: isObject ? "name" : "value",
        names: new Set(),
      });
    } else if (char === "}" || char === "]") {
      if (this.frames.pop() === this.within) return true;
      this.frame.expects = "comma";
    } else if (char === ",") {
      if (typeof frame.token === "number") frame.token++;
      frame.expects = frame.isObject ? "name" : "value";
    } else if (char === ":" && frame.expects === "colon") frame.expects = "value";
    return false;
  }

  private keep(start: number, end: number): void {
    const { frame } = this;
    const expected = { name: "name", value: "value", colon: "none", comma: "none" } as const;
    const part = expected[frame.expects];
    const path = this.frames.map((one) => String(one.token));
    if (part === "name") path.pop();
    this.within = part === "name" ? frame : null;
    this.found = { part, path, start, end, names: this.within?.names ?? new Set() };
  }
}

/** The name that a literal spells, as far as it is written. */
export function nameOf(literal: string): string {
  try {
    return decode(literal);
  } catch {
    return literal.replaceAll('"', "");
  }
}
