import { children, decode, Kind, keyOf, member, raw, type Tape, tokens } from "../json/tape";

/** Keywords whose subschemas speak about the same value. Which branch holds is not decided: each may. */
const SAME_VALUE = ["allOf", "anyOf", "oneOf", "if", "then", "else"];

const REPETITIONS = /[*+{]/g;
const LONGEST_TRIED = 1_000;

/**
 * Finds what a JSON Schema says about the value at a path: its subschemas, as nodes of the schema's own tape, so that
 * their values stay literal JSON. A reference out of the schema, or one that is not a JSON Pointer, says nothing.
 */
export function subschemasAt(schema: Tape, path: readonly string[]): number[] {
  let nodes = spread(schema, [0]);
  for (const token of path)
    nodes = spread(
      schema,
      nodes.flatMap((node) => below(schema, node, token)),
    );
  return nodes;
}

/** Adds what references and compositions bring in, each once. */
function spread(schema: Tape, nodes: readonly number[]): number[] {
  const all = new Set<number>();
  const add = (node: number | undefined) => {
    if (node === undefined || all.has(node)) return;
    all.add(node);
    add(referred(schema, node));
    for (const keyword of SAME_VALUE) {
      const found = member(schema, node, keyword);
      if (found === undefined) continue;
      if (schema.kind[found] === Kind.Array) for (const branch of children(schema, found)) add(branch);
      else add(found);
    }
  };
  nodes.forEach(add);
  return [...all];
}

function referred(schema: Tape, node: number): number | undefined {
  const found = member(schema, node, "$ref");
  if (found === undefined || schema.kind[found] !== Kind.String) return undefined;
  const reference = decode(raw(schema, found));
  if (reference !== "#" && !reference.startsWith("#/")) return undefined;
  let at: number | undefined = 0;
  for (const token of tokens(unescaped(reference.slice(1)))) at = at === undefined ? at : childAt(schema, at, token);
  return at;
}

function unescaped(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

function childAt(schema: Tape, node: number, token: string): number | undefined {
  for (const child of children(schema, node)) if (keyOf(schema, child) === token) return child;
  return undefined;
}

function below(schema: Tape, node: number, token: string): number[] {
  const found: number[] = [];
  const add = (child: number | undefined) => {
    if (child !== undefined) found.push(child);
  };
  const properties = member(schema, node, "properties");
  if (properties !== undefined) add(member(schema, properties, token));
  const patterns = member(schema, node, "patternProperties");
  if (patterns !== undefined)
    for (const child of children(schema, patterns)) if (matches(keyOf(schema, child), token)) add(child);
  if (found.length === 0) add(member(schema, node, "additionalProperties"));
  if (!/^\d+$/.test(token)) return found;
  const items = member(schema, node, "items");
  // Before 2020-12 `items` was the list of the first ones, and `additionalItems` what followed them.
  const isList = items !== undefined && schema.kind[items] === Kind.Array;
  const first = isList ? items : member(schema, node, "prefixItems");
  if (first !== undefined && Number(token) < schema.size[first]!) add(childAt(schema, first, token));
  else add(isList ? member(schema, node, "additionalItems") : items);
  return found;
}

/**
 * JavaScript's patterns backtrack, which the server's do not: one that could take for ever is not tried and may match, as
 * a branch may hold.
 */
function matches(pattern: string, name: string): boolean {
  if (name.length > LONGEST_TRIED || pattern.includes("(") || (pattern.match(REPETITIONS)?.length ?? 0) > 1)
    return true;
  try {
    return new RegExp(pattern, "u").test(name);
  } catch {
    return false;
  }
}
