/** What can be wrong with a JSON text, and how to say it to a person. */
export type ProblemCode =
  | "empty"
  | "missing-comma"
  | "trailing-comma"
  | "extra-comma"
  | "missing-colon"
  | "missing-value"
  | "missing-quote"
  | "unclosed"
  | "unexpected"
  | "comment"
  | "bad-number"
  | "bad-escape"
  | "control-character"
  | "duplicate-key"
  | "too-deep"
  | "not-an-object";

export interface Problem {
  code: ProblemCode;
  message: string;
  /** Offset into the text, in UTF-16 units. */
  offset: number;
  length: number;
  /** Both begin at 1. */
  line: number;
  column: number;
}

/** The server refuses what is nested deeper (422 `too-deep`). */
export const MAX_DEPTH = 200;
/** The server refuses what is longer (422 `unrepresentable-value`). */
export const MAX_NUMBER_CHARACTERS = 10_000;
/** A list longer than this helps nobody; the scanner stops there. */
export const MAX_PROBLEMS = 50;

export function lineAndColumn(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) {
    line++;
    lineStart = at + 1;
  }
  return { line, column: offset - lineStart + 1 };
}

export function describe(problem: Problem): string {
  return `Line ${problem.line}, column ${problem.column}: ${problem.message}`;
}
