import type { Preview } from "../api/types";
import type { Change } from "../json/compare";
import { children, keyOf, raw, type Tape, tokens } from "../json/tape";

/** A place that a preview speaks of, or that is on the way to one. */
interface Place {
  inside: Map<string, Place>;
  changes: Change[];
}

/**
 * What the server says an edit changes, as rows in the order of the document: places and kinds are those of `changes`,
 * new values those of `patch`, and old values stand in `before`, the document that the preview is of. Elements that are
 * inserted at the same index are rows of their own.
 */
export function previewedChanges({ patch, changes }: Pick<Preview, "patch" | "changes">, before: Tape): Change[] {
  const added = new Set(changes.added);
  const values = new Map<string, string[]>();
  for (const { op, path, value } of patch) {
    if (value === undefined) continue;
    const key = (op === "add" && added.has(path) ? "+" : "~") + path;
    const earlier = values.get(key);
    if (earlier) earlier.push(value);
    else values.set(key, [value]);
  }
  const root: Place = { inside: new Map(), changes: [] };
  // What is inserted at an index comes before what is there.
  for (const path of changes.added)
    for (const after of values.get(`+${path}`) ?? []) at(root, path).changes.push({ kind: "added", path, after });
  for (const path of changes.removed) at(root, path).changes.push({ kind: "removed", path });
  for (const path of changes.replaced)
    for (const after of values.get(`~${path}`) ?? []) at(root, path).changes.push({ kind: "replaced", path, after });
  const rows: Change[] = [];
  collect(root, before, 0, rows);
  return rows;
}

function at(root: Place, path: string): Place {
  let place = root;
  for (const token of tokens(path)) {
    let inner = place.inside.get(token);
    if (!inner) {
      inner = { inside: new Map(), changes: [] };
      place.inside.set(token, inner);
    }
    place = inner;
  }
  return place;
}

/** Goes through the document once, however many places there are. A node of null: the place is not there before. */
function collect(place: Place, before: Tape, node: number | null, rows: Change[]): void {
  for (const change of place.changes)
    rows.push(node === null || change.kind === "added" ? change : { ...change, before: raw(before, node) });
  const ahead = new Map(place.inside);
  for (const item of node === null || ahead.size === 0 ? [] : children(before, node)) {
    const key = keyOf(before, item);
    const inner = ahead.get(key);
    if (!inner) continue;
    collect(inner, before, item, rows);
    ahead.delete(key);
    if (ahead.size === 0) break;
  }
  for (const inner of ahead.values()) collect(inner, before, null, rows);
}
