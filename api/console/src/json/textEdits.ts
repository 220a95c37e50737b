import { children, isContainer, Kind, type Tape } from "./tape";

/** A part of a text and what is put in its place. Everything else stays as it is written. */
export interface TextEdit {
  offset: number;
  length: number;
  text: string;
}

const INDENT = "  ";

export function applied(text: string, { offset, length, text: put }: TextEdit): string {
  return text.slice(0, offset) + put + text.slice(offset + length);
}

/** Another value in the place of a node; one of several lines is indented as its place is. */
export function replacement(tape: Tape, node: number, literal: string): TextEdit {
  const offset = tape.start[node]!;
  return { offset, length: tape.end[node]! - offset, text: indented(literal, lineStartOf(tape, node)) };
}

/** One more member of an object, with its name, or element of an array, at its end. */
export function addition(tape: Tape, container: number, name: string | null, literal: string): TextEdit {
  const last = lastChild(tape, container);
  const lead = last === null ? lineStartOf(tape, container) + INDENT : leadOf(tape, last);
  const member = (name === null ? "" : `${JSON.stringify(name)}: `) + indented(literal, lead);
  if (last !== null) return { offset: tape.end[last]!, length: 0, text: `,${lead}${member}` };
  const [open, close] = tape.kind[container] === Kind.Object ? "{}" : "[]";
  const text = `${open}${lead}${member}${lineStartOf(tape, container)}${close}`;
  return { offset: tape.start[container]!, length: tape.end[container]! - tape.start[container]!, text };
}

/** A member or element less, with the comma that separated it. The whole document cannot be removed. */
export function removal(tape: Tape, node: number): TextEdit {
  const parent = tape.parent[node]!;
  const begin = beginOf(tape, node);
  const next = tape.next[node]!;
  if (next < tape.next[parent]!) return { offset: begin, length: beginOf(tape, next) - begin, text: "" };
  const before = [...children(tape, parent)].at(-2);
  if (before !== undefined) return { offset: tape.end[before]!, length: tape.end[node]! - tape.end[before]!, text: "" };
  const from = tape.start[parent]! + 1;
  return { offset: from, length: tape.end[parent]! - 1 - from, text: "" };
}

const beginOf = (tape: Tape, node: number): number =>
  tape.keyStart[node]! >= 0 ? tape.keyStart[node]! : tape.start[node]!;

function lastChild(tape: Tape, container: number): number | null {
  if (!isContainer(tape, container)) throw new Error("only an object or an array can be added to");
  return [...children(tape, container)].at(-1) ?? null;
}

/** The white space before a node: a new line as far in, or a blank where it stands in the line of the one before it. */
function leadOf(tape: Tape, node: number): string {
  const begin = beginOf(tape, node);
  const lead = /\s*$/.exec(tape.text.slice(Math.max(0, begin - 1_000), begin))![0];
  return lead.includes("\n") ? lead.slice(lead.lastIndexOf("\n")) : " ";
}

/** The start of a line that is as far in as the one a node begins in. */
function lineStartOf(tape: Tape, node: number): string {
  const begin = beginOf(tape, node);
  const line = tape.text.slice(tape.text.lastIndexOf("\n", begin - 1) + 1, begin);
  return `\n${/^\s*/.exec(line)![0]}`;
}

function indented(literal: string, lineStart: string): string {
  // A string has no line of its own: a break in it is written as an escape.
  return literal.replaceAll("\n", lineStart);
}
