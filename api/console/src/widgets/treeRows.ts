import { children, isContainer, keyOf, type Tape } from "../json/tape";

/** Which rows of a tree are to be seen. Pure, so that 300,000 values stay testable and quick. */

const HIT = 1;
const ABOVE_HIT = 2;

/** Opens levels from the top until about `budget` rows are visible. */
export function firstExpansion(tape: Tape, budget = 200): Uint8Array {
  const expanded = new Uint8Array(tape.count);
  let level = [0];
  let rows = 1;
  while (level.length > 0) {
    const open = level.filter((node) => isContainer(tape, node) && tape.size[node]! > 0);
    const added = open.reduce((sum, node) => sum + tape.size[node]!, 0);
    if (open.length === 0 || (rows > 1 && rows + added > budget)) break;
    rows += added;
    level = [];
    for (const node of open) {
      expanded[node] = 1;
      for (let child = node + 1; child < tape.next[node]!; child = tape.next[child]!) level.push(child);
    }
  }
  return expanded;
}

export function expandAll(tape: Tape, value: 0 | 1): Uint8Array {
  const expanded = new Uint8Array(tape.count).fill(value);
  expanded[0] = 1;
  return expanded;
}

export function visibleRows(tape: Tape, expanded: Uint8Array, matches: Uint8Array | null): Int32Array {
  const rows = new Int32Array(tape.count);
  let count = 0;
  let node = 0;
  while (node < tape.count) {
    if (matches && matches[node] === 0) {
      node = tape.next[node]!;
      continue;
    }
    rows[count++] = node;
    const open = matches ? (matches[node]! & ABOVE_HIT) !== 0 || expanded[node] === 1 : expanded[node] === 1;
    node = open ? node + 1 : tape.next[node]!;
  }
  return rows.subarray(0, count);
}

/** Marks the values whose name or literal contains the text, what encloses them, and what a matching name encloses. */
export function matching(tape: Tape, query: string): { marks: Uint8Array; hits: number } {
  const marks = new Uint8Array(tape.count);
  const wanted = query.toLowerCase();
  const lower = tape.text.toLowerCase();
  // Lower case may be longer in a few scripts; offsets would no longer fit.
  const haystack = lower.length === tape.text.length ? lower : tape.text;
  let hits = 0;
  let at = haystack.indexOf(wanted);
  while (at !== -1) {
    const node = nodeAt(tape, at);
    const end = at + wanted.length;
    const inKey = tape.keyStart[node]! >= 0 && end <= tape.keyEnd[node]!;
    const inValue = !isContainer(tape, node) && at >= tape.start[node]! && end <= tape.end[node]!;
    let from = at + 1;
    if (inKey || inValue) {
      if ((marks[node]! & HIT) === 0) hits++;
      marks[node]! |= HIT;
      if (inKey)
        for (let inside = node + 1; inside < tape.next[node]!; inside++) if (marks[inside] === 0) marks[inside] = 4;
      for (let above = tape.parent[node]!; above >= 0 && (marks[above]! & ABOVE_HIT) === 0; above = tape.parent[above]!)
        marks[above]! |= ABOVE_HIT;
      from = inKey && isContainer(tape, node) ? tape.keyEnd[node]! : Math.max(from, tape.end[node]!);
      if (inKey && !isContainer(tape, node)) from = Math.max(at + 1, tape.end[node]!);
    }
    at = haystack.indexOf(wanted, from);
  }
  return { marks, hits };
}

/** The value whose name or text covers an offset: the last one that begins at or before it. */
export function nodeAt(tape: Tape, offset: number): number {
  let low = 0;
  let high = tape.count - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    const begin = tape.keyStart[middle]! >= 0 ? tape.keyStart[middle]! : tape.start[middle]!;
    if (begin <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

export function depthOf(tape: Tape, node: number): number {
  let depth = 0;
  for (let above = tape.parent[node]!; above >= 0; above = tape.parent[above]!) depth++;
  return depth;
}

/** Where a key press leads; null when the tree has nothing to do with it. */
export function step(
  key: string,
  row: number,
  rows: Int32Array,
  tape: Tape,
  open: (node: number) => boolean,
  page: number,
): number | "toggle" | null {
  const node = rows[row]!;
  switch (key) {
    case "ArrowDown":
      return Math.min(rows.length - 1, row + 1);
    case "ArrowUp":
      return Math.max(0, row - 1);
    case "PageDown":
      return Math.min(rows.length - 1, row + page);
    case "PageUp":
      return Math.max(0, row - page);
    case "Home":
      return 0;
    case "End":
      return rows.length - 1;
    case "ArrowRight":
      if (!isContainer(tape, node) || tape.size[node] === 0) return row;
      return open(node) ? Math.min(rows.length - 1, row + 1) : "toggle";
    case "ArrowLeft":
      if (isContainer(tape, node) && tape.size[node]! > 0 && open(node) && node !== 0) return "toggle";
      return tape.parent[node]! < 0 ? row : rows.indexOf(tape.parent[node]!);
    case "Enter":
    case " ":
      return isContainer(tape, node) ? "toggle" : row;
  }
  return null;
}

/**
 * What is open in one text, in another that came of it by an edit: the same places, by name and index. Only what is
 * open is looked at.
 */
export function carriedExpansion(from: Tape, expanded: Uint8Array, into: Tape): Uint8Array {
  const carried = new Uint8Array(into.count);
  const pairs: [number, number][] = [[0, 0]];
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
    const [before, after] = pair;
    if (expanded[before] !== 1 || !isContainer(into, after)) continue;
    carried[after] = 1;
    const byKey = new Map<string, number>();
    for (const node of children(into, after)) if (isContainer(into, node)) byKey.set(keyOf(into, node), node);
    for (const node of children(from, before)) {
      const same = expanded[node] === 1 ? byKey.get(keyOf(from, node)) : undefined;
      if (same !== undefined) pairs.push([node, same]);
    }
  }
  return carried;
}

/** Opens everything that a node is in. */
export function openAbove(tape: Tape, expanded: Uint8Array, node: number): void {
  for (let above = tape.parent[node]!; above >= 0; above = tape.parent[above]!) expanded[above] = 1;
}
