import { lineAndColumn } from "./problems";

export enum Kind {
  Object = 1,
  Array,
  String,
  Number,
  True,
  False,
  Null,
}

/**
 * A parsed JSON text as flat columns, one entry a value in document order. It keeps offsets only, so numbers stay
 * the literal text they were; it moves between a worker and the page without being copied.
 */
export interface Tape {
  text: string;
  count: number;
  kind: Uint8Array;
  /** Range of the value's literal text. */
  start: Int32Array;
  end: Int32Array;
  /** Range of the key's literal, quotes included; -1 where the parent is not an object. */
  keyStart: Int32Array;
  keyEnd: Int32Array;
  parent: Int32Array;
  /** The entry after this value and everything inside it. */
  next: Int32Array;
  /** How many direct children. */
  size: Int32Array;
  /** Place among its siblings, from 0. */
  order: Int32Array;
}

export const isContainer = (tape: Tape, node: number): boolean => tape.kind[node]! <= Kind.Array;

export const raw = (tape: Tape, node: number): string => tape.text.slice(tape.start[node], tape.end[node]);

/** A string literal's value. Strings are exact in JavaScript, so JSON.parse is safe for them. */
export function decode(literal: string): string {
  return literal.includes("\\") ? (JSON.parse(literal) as string) : literal.slice(1, -1);
}

/** The member's name, or the index within an array; empty for the root. */
export function keyOf(tape: Tape, node: number): string {
  if (node === 0) return "";
  const from = tape.keyStart[node]!;
  return from < 0 ? String(tape.order[node]) : decode(tape.text.slice(from, tape.keyEnd[node]));
}

export function* children(tape: Tape, node: number): Generator<number> {
  for (let child = node + 1; child < tape.next[node]!; child = tape.next[child]!) yield child;
}

export function member(tape: Tape, node: number, name: string): number | undefined {
  if (tape.kind[node] !== Kind.Object) return undefined;
  for (const child of children(tape, node)) if (keyOf(tape, child) === name) return child;
  return undefined;
}

const escapeToken = (token: string): string => token.replaceAll("~", "~0").replaceAll("/", "~1");
export const unescapeToken = (token: string): string => token.replaceAll("~1", "/").replaceAll("~0", "~");

/** RFC 6901, the way the API speaks about places in a document. */
export function pointer(tape: Tape, node: number): string {
  const tokens: string[] = [];
  for (let at = node; at > 0; at = tape.parent[at]!) tokens.push(escapeToken(keyOf(tape, at)));
  return tokens
    .reverse()
    .map((token) => `/${token}`)
    .join("");
}

export const child = (path: string, token: string | number): string => `${path}/${escapeToken(String(token))}`;

export const tokens = (path: string): string[] => (path === "" ? [] : path.slice(1).split("/").map(unescapeToken));

/** RFC 9535, the way definitions speak about places: `$.order.lines[2]['unit price']`. */
export function jsonPath(tape: Tape, node: number): string {
  const parts: string[] = [];
  for (let at = node; at > 0; at = tape.parent[at]!) {
    const key = keyOf(tape, at);
    if (tape.keyStart[at]! < 0) parts.push(`[${key}]`);
    else if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) parts.push(`.${key}`);
    else parts.push(`['${key.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}']`);
  }
  return `$${parts.reverse().join("")}`;
}

/** The value at a JSON Pointer, or undefined. */
export function locate(tape: Tape, path: string): number | undefined {
  let node = 0;
  for (const token of tokens(path)) {
    let found: number | undefined;
    for (const candidate of children(tape, node)) {
      if (keyOf(tape, candidate) === token) {
        found = candidate;
        break;
      }
    }
    if (found === undefined) return undefined;
    node = found;
  }
  return node;
}

export const positionOf = (tape: Tape, node: number): { line: number; column: number } =>
  lineAndColumn(tape.text, tape.keyStart[node]! >= 0 ? tape.keyStart[node]! : tape.start[node]!);
