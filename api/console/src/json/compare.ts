import { child, children, decode, Kind, keyOf, raw, type Tape } from "./tape";

/** One difference between two documents; values are literal JSON text. */
export interface Change {
  kind: "added" | "removed" | "replaced";
  path: string;
  before?: string;
  after?: string;
}

/**
 * Differences between two tapes by JSON's own equality: the order of members means nothing, and 1, 1.0 and true are
 * three values. With `wholeArrays`, an array whose length differs is one change: then no path moves another.
 */
export function compare(before: Tape, after: Tape, options: { wholeArrays?: boolean } = {}): Change[] {
  const changes: Change[] = [];
  new Comparison(before, after, options.wholeArrays ?? false, changes).values(0, 0, "");
  return changes;
}

export function same(a: Tape, b: Tape, nodeA = 0, nodeB = 0): boolean {
  const kind = a.kind[nodeA];
  if (kind !== b.kind[nodeB]) return false;
  if (kind === Kind.Number) return sameNumber(raw(a, nodeA), raw(b, nodeB));
  if (kind === Kind.String) return sameText(raw(a, nodeA), raw(b, nodeB));
  if (kind !== Kind.Object && kind !== Kind.Array) return true;
  if (a.size[nodeA] !== b.size[nodeB]) return false;
  if (raw(a, nodeA) === raw(b, nodeB)) return true;
  if (kind === Kind.Array) {
    const others = children(b, nodeB);
    for (const item of children(a, nodeA)) if (!same(a, b, item, others.next().value as number)) return false;
    return true;
  }
  const others = byName(b, nodeB);
  for (const item of children(a, nodeA)) {
    const other = others.get(keyOf(a, item));
    if (other === undefined || !same(a, b, item, other)) return false;
  }
  return true;
}

const sameText = (a: string, b: string): boolean => a === b || decode(a) === decode(b);

const sameNumber = (a: string, b: string): boolean => a === b || withPlainExponent(a) === withPlainExponent(b);

/** How an exponent is spelled does not count: 1e2, 1E2 and 1e+02 are one number, and 100 is another. */
function withPlainExponent(literal: string): string {
  const [mantissa, exponent] = literal.split(/e/i);
  if (exponent === undefined) return literal;
  const digits = exponent.replace(/^[+-]?0*/, "") || "0";
  return `${mantissa}e${exponent.startsWith("-") && digits !== "0" ? "-" : ""}${digits}`;
}

const byName = (tape: Tape, node: number): Map<string, number> =>
  new Map([...children(tape, node)].map((item) => [keyOf(tape, item), item]));

class Comparison {
  constructor(
    private readonly a: Tape,
    private readonly b: Tape,
    private readonly wholeArrays: boolean,
    private readonly changes: Change[],
  ) {}

  values(nodeA: number, nodeB: number, path: string): void {
    const kind = this.a.kind[nodeA];
    const alike = kind === this.b.kind[nodeB];
    if (alike && kind === Kind.Object) this.objects(nodeA, nodeB, path);
    else if (alike && kind === Kind.Array) this.arrays(nodeA, nodeB, path);
    else if (!same(this.a, this.b, nodeA, nodeB)) this.replaced(nodeA, nodeB, path);
  }

  private objects(nodeA: number, nodeB: number, path: string): void {
    if (raw(this.a, nodeA) === raw(this.b, nodeB)) return;
    const others = byName(this.b, nodeB);
    for (const item of children(this.a, nodeA)) {
      const name = keyOf(this.a, item);
      const other = others.get(name);
      if (other === undefined) this.removed(item, child(path, name));
      else this.values(item, other, child(path, name));
      others.delete(name);
    }
    for (const [name, item] of others) this.added(item, child(path, name));
  }

  private arrays(nodeA: number, nodeB: number, path: string): void {
    const { a, b } = this;
    if (raw(a, nodeA) === raw(b, nodeB)) return;
    const left = [...children(a, nodeA)];
    const right = [...children(b, nodeB)];
    if (left.length !== right.length && this.wholeArrays) {
      this.replaced(nodeA, nodeB, path);
      return;
    }
    let head = 0;
    while (head < left.length && head < right.length && same(a, b, left[head]!, right[head]!)) head++;
    let tail = 0;
    const most = Math.min(left.length, right.length) - head;
    while (tail < most && same(a, b, left[left.length - 1 - tail]!, right[right.length - 1 - tail]!)) tail++;
    const leftEnd = left.length - tail;
    const rightEnd = right.length - tail;
    let at = head;
    for (; at < leftEnd && at < rightEnd; at++) this.values(left[at]!, right[at]!, child(path, at));
    for (let rest = at; rest < leftEnd; rest++) this.removed(left[rest]!, child(path, rest));
    for (let rest = at; rest < rightEnd; rest++) this.added(right[rest]!, child(path, rest));
  }

  private replaced(nodeA: number, nodeB: number, path: string): void {
    this.changes.push({ kind: "replaced", path, before: raw(this.a, nodeA), after: raw(this.b, nodeB) });
  }

  private removed(node: number, path: string): void {
    this.changes.push({ kind: "removed", path, before: raw(this.a, node) });
  }

  private added(node: number, path: string): void {
    this.changes.push({ kind: "added", path, after: raw(this.b, node) });
  }
}
