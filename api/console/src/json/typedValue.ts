import { format } from "./format";
import { describe as wordsOf } from "./problems";
import { scan } from "./scan";
import { decode } from "./tape";

/** As what a value is edited. `json`: an object, an array, or anything else as it is written. */
export type ValueType = "text" | "number" | "truth" | "null" | "json";

/** What a person has in hand for a value: its type, and the text of the field for it. */
export interface TypedValue {
  type: ValueType;
  typed: string;
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** How a literal is edited. A text that a field would not give back as it is, is edited as it is written. */
export function typedFrom(literal: string): TypedValue {
  switch (literal[0]) {
    case '"': {
      const text = decode(literal);
      return isPlain(text) && JSON.stringify(text) === literal
        ? { type: "text", typed: text }
        : { type: "json", typed: literal };
    }
    case "t":
    case "f":
      return { type: "truth", typed: literal };
    case "n":
      return { type: "null", typed: "" };
    case "{":
    case "[":
      return { type: "json", typed: format(literal) };
    default:
      return { type: "number", typed: literal };
  }
}

/** The literal of what was typed, or what is wrong with it. */
export function literalFrom({ type, typed }: TypedValue): { literal: string } | { problem: string } {
  switch (type) {
    case "text":
      return { literal: JSON.stringify(typed) };
    case "number": {
      const digits = typed.trim();
      return NUMBER.test(digits) ? { literal: digits } : { problem: "Not a number. Examples: 12, -0.5, 1e3" };
    }
    case "truth":
      return { literal: typed === "true" ? "true" : "false" };
    case "null":
      return { literal: "null" };
    case "json": {
      const { tape, problems } = scan(typed);
      return tape ? { literal: format(typed) } : { problem: wordsOf(problems[0]!) };
    }
  }
}

/** What is typed for another type: as much of it as makes sense there. */
export function converted(value: TypedValue, type: ValueType): TypedValue {
  const before = literalFrom(value);
  if (type === "json") return { type, typed: "literal" in before ? before.literal : value.typed };
  if (type === "truth") return { type, typed: value.typed.trim() === "true" ? "true" : "false" };
  if (type === "null") return { type, typed: "" };
  if (value.type === "json" && "literal" in before && before.literal.startsWith('"'))
    return { type, typed: decode(before.literal) };
  return { type, typed: value.type === "null" ? "" : value.typed };
}

/** Whether a field of text gives it back: browsers make every end of a line the same, and drop what cannot be shown. */
function isPlain(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what it is about.
  return !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text);
}
