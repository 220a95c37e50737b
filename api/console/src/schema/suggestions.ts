import { children, Kind, keyOf, member, raw, type Tape } from "../json/tape";
import { subschemasAt } from "./subschemas";

export interface Suggestion {
  /** What is written: literal JSON. */
  literal: string;
  /** Its type, or that it is required. */
  detail: string;
  description: string;
}

export interface SuggestedName extends Suggestion {
  /** What its value begins and ends with; nothing where that is not known. */
  opens: "" | '"' | "{" | "[";
  /** Whether there are names or values to suggest for what follows. */
  continues: boolean;
}

/** Returns the names that an object at a path may have by the schema, without those that it has; required ones first. */
export function suggestedNames(schema: Tape, path: readonly string[], taken: ReadonlySet<string>): SuggestedName[] {
  const nodes = subschemasAt(schema, path);
  const required = requiredOf(schema, nodes);
  return [...namesOf(schema, nodes)]
    .filter((name) => !taken.has(name))
    .map((name) => {
      const about = subschemasAt(schema, [...path, name]);
      const types = typesOf(schema, about);
      return {
        literal: JSON.stringify(name),
        detail: [types.join(" | "), required.has(name) ? "required" : ""].filter(Boolean).join(", "),
        description: described(schema, about),
        opens: literalsOf(schema, about).length > 0 ? "" : (OPENS[types.length === 1 ? types[0]! : ""] ?? ""),
        continues: valuesOf(schema, about).size > 0 || namesOf(schema, about).size > 0,
      };
    });
}

const OPENS: Record<string, SuggestedName["opens"]> = { string: '"', object: "{", array: "[" };

/** Returns the values that a schema names for a path: `enum`, `const`, `default`, and those of a type that has few. */
export function suggestedValues(schema: Tape, path: readonly string[]): Suggestion[] {
  const nodes = subschemasAt(schema, path);
  const description = described(schema, nodes);
  return [...valuesOf(schema, nodes)].map(([literal, detail]) => ({ literal, detail, description }));
}

function requiredOf(schema: Tape, nodes: readonly number[]): Set<string> {
  return new Set(nodes.flatMap((node) => strings(schema, member(schema, node, "required"))));
}

function namesOf(schema: Tape, nodes: readonly number[]): Set<string> {
  const known = requiredOf(schema, nodes);
  for (const node of nodes) {
    const properties = member(schema, node, "properties");
    if (properties !== undefined) for (const child of children(schema, properties)) known.add(keyOf(schema, child));
  }
  return known;
}

/** Literals, each with what there is to say about it. */
function valuesOf(schema: Tape, nodes: readonly number[]): Map<string, string> {
  const found = new Map(literalsOf(schema, nodes).map((literal) => [literal, ""]));
  if (found.size === 0) {
    const types = typesOf(schema, nodes);
    if (types.includes("boolean")) found.set("true", "").set("false", "");
    if (types.includes("null")) found.set("null", "");
  }
  for (const node of nodes) {
    const usual = member(schema, node, "default");
    if (usual !== undefined) found.set(raw(schema, usual), "default");
  }
  return found;
}

/** Returns lines about the value at a path: title and description, type, the values or bounds it may have. */
export function hints(schema: Tape, path: readonly string[]): string[] {
  const nodes = subschemasAt(schema, path);
  const literals = literalsOf(schema, nodes);
  const bounds = nodes.flatMap((node) =>
    BOUNDS.flatMap(([keyword, words]) => {
      const found = member(schema, node, keyword);
      return found === undefined ? [] : [`${words} ${raw(schema, found)}`];
    }),
  );
  return [
    described(schema, nodes),
    typesOf(schema, nodes).join(" | "),
    literals.length > 0 ? `One of ${literals.join(", ")}` : "",
    [...new Set(bounds)].join(", "),
  ].filter(Boolean);
}

const BOUNDS = [
  ["minimum", "at least"],
  ["exclusiveMinimum", "more than"],
  ["maximum", "at most"],
  ["exclusiveMaximum", "less than"],
  ["multipleOf", "a multiple of"],
  ["minLength", "characters: at least"],
  ["maxLength", "characters: at most"],
  ["pattern", "matches"],
  ["format", "format"],
  ["minItems", "elements: at least"],
  ["maxItems", "elements: at most"],
] as const;

function described(schema: Tape, nodes: readonly number[]): string {
  const words = nodes.flatMap((node) =>
    ["title", "description"].flatMap((keyword) => strings(schema, member(schema, node, keyword))),
  );
  return [...new Set(words)].join("\n");
}

function typesOf(schema: Tape, nodes: readonly number[]): string[] {
  return [...new Set(nodes.flatMap((node) => strings(schema, member(schema, node, "type"))))];
}

function literalsOf(schema: Tape, nodes: readonly number[]): string[] {
  const literals = nodes.flatMap((node) => {
    const one = member(schema, node, "const");
    const several = member(schema, node, "enum");
    return [
      ...(one === undefined ? [] : [raw(schema, one)]),
      ...(several === undefined ? [] : [...children(schema, several)].map((child) => raw(schema, child))),
    ];
  });
  return [...new Set(literals)];
}

/** A string, or those of an array. */
function strings(schema: Tape, node: number | undefined): string[] {
  if (node === undefined) return [];
  if (schema.kind[node] === Kind.String) return [JSON.parse(raw(schema, node)) as string];
  return schema.kind[node] === Kind.Array ? [...children(schema, node)].flatMap((child) => strings(schema, child)) : [];
}
