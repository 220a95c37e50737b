import type { Kind, Tape } from "./tape";

/** Grows a tape while a text is scanned. */
export class TapeBuilder {
  count = 0;
  private kind: Uint8Array;
  private columns: Int32Array[];

  constructor(private readonly text: string) {
    const capacity = Math.max(16, text.length >> 4);
    this.kind = new Uint8Array(capacity);
    this.columns = Array.from({ length: 8 }, () => new Int32Array(capacity));
  }

  open(kind: Kind, start: number, parent: number, keyStart: number, keyEnd: number): number {
    if (this.count === this.kind.length) this.grow();
    const node = this.count++;
    this.kind[node] = kind;
    const [starts, ends, keyStarts, keyEnds, parents, , sizes, orders] = this.columns as [
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
      Int32Array,
    ];
    starts[node] = start;
    ends[node] = start;
    keyStarts[node] = keyStart;
    keyEnds[node] = keyEnd;
    parents[node] = parent;
    sizes[node] = 0;
    if (parent >= 0) orders[node] = sizes[parent]!++;
    return node;
  }

  close(node: number, end: number): void {
    this.columns[1]![node] = end;
    this.columns[5]![node] = this.count;
  }

  startOf(node: number): number {
    return this.columns[0]![node]!;
  }

  finish(): Tape {
    const [start, end, keyStart, keyEnd, parent, next, size, order] = this.columns.map((column) =>
      column.slice(0, this.count),
    ) as [Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array, Int32Array];
    const kind = this.kind.slice(0, this.count);
    return { text: this.text, count: this.count, kind, start, end, keyStart, keyEnd, parent, next, size, order };
  }

  private grow(): void {
    const capacity = this.kind.length * 2;
    const kind = new Uint8Array(capacity);
    kind.set(this.kind);
    this.kind = kind;
    this.columns = this.columns.map((column) => {
      const wider = new Int32Array(capacity);
      wider.set(column);
      return wider;
    });
  }
}
