import { type Change, compare } from "./compare";
import { scan } from "./scan";
import { children, isContainer, Kind, keyOf, raw, type Tape, tokens } from "./tape";

/** One place that I, somebody else, or both of us changed since the common version. */
export interface Divergence {
  path: string;
  by: "me" | "them" | "both";
  /** Literal JSON; absent where the value does not exist on that side. */
  base?: string;
  mine?: string;
  theirs?: string;
}

/** Three-way comparison. A place touched by both, or inside the other's change, is one divergence `by: "both"`. */
export function diverge(base: Tape, mine: Tape, theirs: Tape): Divergence[] {
  const my = compare(base, mine, { wholeArrays: true });
  const their = compare(base, theirs, { wholeArrays: true });
  const places = new Map<string, Divergence["by"]>();
  for (const change of my) place(places, change, "me");
  for (const change of their) place(places, change, "them");
  const found: Divergence[] = [];
  for (const [path, by] of places) {
    const entry: Divergence = { path, by };
    const sides = { base: at(base, path), mine: at(mine, path), theirs: at(theirs, path) };
    if (sides.base !== undefined) entry.base = sides.base;
    if (sides.mine !== undefined) entry.mine = sides.mine;
    if (sides.theirs !== undefined) entry.theirs = sides.theirs;
    found.push(entry);
  }
  return found.sort((x, y) => (x.path < y.path ? -1 : 1));
}

export const isConflict = (entry: Divergence): boolean => entry.by === "both" && entry.mine !== entry.theirs;

/** Their document with my values put in at the chosen places. Everything else is their text, literal by literal. */
export function merged(theirs: Tape, choices: readonly { entry: Divergence; take: "mine" | "theirs" }[]): string {
  let root = grow(theirs, 0);
  for (const { entry, take } of choices) {
    if (take !== "mine" || entry.by === "them") continue;
    const value = entry.mine === undefined ? undefined : parseBranch(entry.mine);
    if (entry.path === "") root = value ?? root;
    else put(root, tokens(entry.path), value);
  }
  return write(root);
}

function place(places: Map<string, Divergence["by"]>, change: Change, who: "me" | "them"): void {
  const { path } = change;
  for (const [other, by] of places) {
    if (other !== path && !other.startsWith(`${path}/`) && !path.startsWith(`${other}/`)) continue;
    const top = other.length <= path.length ? other : path;
    if (top !== other) places.delete(other);
    const earlier = places.get(top);
    places.set(top, by === who && (earlier === undefined || earlier === who) ? who : "both");
    if (top === other) return;
  }
  if (!places.has(path)) places.set(path, who);
}

function at(tape: Tape, path: string): string | undefined {
  let node = 0;
  for (const token of tokens(path)) {
    const found = [...children(tape, node)].find((item) => keyOf(tape, item) === token);
    if (found === undefined) return undefined;
    node = found;
  }
  return raw(tape, node);
}

type Branch = string | Map<string, Branch> | Branch[];

function grow(tape: Tape, node: number): Branch {
  if (!isContainer(tape, node)) return raw(tape, node);
  const items = [...children(tape, node)];
  if (tape.kind[node] === Kind.Array) return items.map((item) => grow(tape, item));
  return new Map(items.map((item) => [keyOf(tape, item), grow(tape, item)]));
}

function parseBranch(text: string): Branch {
  const { tape } = scan(text);
  if (!tape) throw new Error("a side of a merge is no JSON");
  return grow(tape, 0);
}

function put(root: Branch, path: string[], value: Branch | undefined): void {
  let at: Branch | undefined = root;
  for (const token of path.slice(0, -1))
    at = at instanceof Map ? at.get(token) : (at as Branch[] | undefined)?.[Number(token)];
  const last = path.at(-1)!;
  if (at instanceof Map) {
    if (value === undefined) at.delete(last);
    else at.set(last, value);
  } else if (Array.isArray(at)) {
    if (value === undefined) at.splice(Number(last), 1);
    else at[Number(last)] = value;
  }
}

function write(branch: Branch): string {
  if (typeof branch === "string") return branch;
  if (Array.isArray(branch)) return `[${branch.map(write).join(",")}]`;
  return `{${[...branch].map(([key, value]) => `${JSON.stringify(key)}:${write(value)}`).join(",")}}`;
}
