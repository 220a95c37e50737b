import { scan } from "./scan";
import { children, decode, Kind, keyOf, member, raw, type Tape } from "./tape";

/**
 * Reads an API answer that carries parts of documents: `text` hands those out as literal JSON, so no number of a
 * document ever becomes a JavaScript number.
 */
export class Reader {
  private constructor(
    readonly tape: Tape,
    readonly node: number,
  ) {}

  static of(text: string): Reader {
    const { tape, problems } = scan(text);
    if (!tape) throw new Error(`The server's answer is no JSON: ${problems[0]?.message ?? "unknown"}`);
    return new Reader(tape, 0);
  }

  get(name: string): Reader | undefined {
    const found = member(this.tape, this.node, name);
    return found === undefined ? undefined : new Reader(this.tape, found);
  }

  items(): Reader[] {
    return [...children(this.tape, this.node)].map((node) => new Reader(this.tape, node));
  }

  /** Members of an object as literal JSON. */
  entries(): [string, string][] {
    return [...children(this.tape, this.node)].map((node) => [keyOf(this.tape, node), raw(this.tape, node)]);
  }

  get text(): string {
    return raw(this.tape, this.node);
  }

  get isNull(): boolean {
    return this.tape.kind[this.node] === Kind.Null;
  }

  /** Metadata only: versions, names, times. */
  plain<T>(): T {
    return JSON.parse(this.text) as T;
  }

  string(name: string): string | undefined {
    const found = this.get(name);
    return found && found.tape.kind[found.node] === Kind.String ? decode(found.text) : undefined;
  }

  number(name: string): number | undefined {
    const found = this.get(name);
    return found && found.tape.kind[found.node] === Kind.Number ? Number(found.text) : undefined;
  }
}
