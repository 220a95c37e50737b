import { type Definition, type Instance, type SearchKey, STATUSES } from "../api/types";
import type { SearchQuery, Workspace } from "../api/workspace";

/** The filters of the instances page, as they stand in the address. */
export interface Filter {
  status: string[];
  definition: string;
  from: string;
  to: string;
  /** A whole id, or a part of a title. */
  find: string;
  text: string;
  key: string;
  value: string;
  /** Empty for the newest first, which is the only order of what is searched. */
  sort: string;
  size: number;
}

/** An instance as the list shows it. */
export interface Row extends Pick<Instance, "id" | "definition" | "title" | "status" | "started_at" | "version"> {
  updated_at: string | null;
  /** What the search index holds; literal JSON. */
  data: [string, string][];
}

/** What the server sorts by, and how people say it. */
export const SORTS: Record<string, string> = {
  "": "Newest first",
  started_at: "Oldest first",
  "-updated_at": "Last updated first",
  updated_at: "Longest unchanged first",
  title: "Title, A to Z",
  "-title": "Title, Z to A",
  definition: "Definition, A to Z",
  "-definition": "Definition, Z to A",
  status: "Status, A to Z",
  "-status": "Status, Z to A",
  "-version": "Most versions first",
  version: "Fewest versions first",
};

export const SIZES = [25, 50, 100] as const;

export function filterFrom(query: URLSearchParams): Filter {
  const get = (name: string) => query.get(name) ?? "";
  const size = Number(query.get("size"));
  return {
    status: query.getAll("status").filter((one) => (STATUSES as readonly string[]).includes(one)),
    definition: get("definition"),
    from: get("from"),
    to: get("to"),
    find: get("find"),
    text: get("text"),
    key: get("key"),
    value: get("value"),
    sort: get("sort") in SORTS ? get("sort") : "",
    size: (SIZES as readonly number[]).includes(size) ? size : SIZES[0],
  };
}

export function queryOf(filter: Filter): string {
  const query = new URLSearchParams();
  for (const status of filter.status) query.append("status", status);
  for (const name of ["definition", "from", "to", "find", "text", "key", "value", "sort"] as const)
    if (filter[name]) query.set(name, filter[name]);
  if (filter.size !== SIZES[0]) query.set("size", String(filter.size));
  const text = query.toString();
  return text && `?${text}`;
}

/** Whether it asks for values, which the rows then show. */
export const asksForValues = (filter: Filter): boolean =>
  filter.text !== "" || (filter.key !== "" && filter.value !== "");

export const isSearch = (filter: Filter): boolean => filter.find !== "" || asksForValues(filter);

/** A local day as the moment it begins or, with `after`, the moment it is over. */
export function dayStart(day: string, after = false): string | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day);
  if (!parts) return undefined;
  return new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + (after ? 1 : 0)).toISOString();
}

/**
 * What a person typed for a key, as the literal JSON that the search expects. A number keeps its digits; `*` at the
 * end asks for a prefix; a day means that whole day.
 */
export function literalFor(type: SearchKey["type"] | undefined, typed: string): string {
  const text = typed.trim();
  if (type === "number") {
    const range = /^(<=|>=|<|>)\s*(-?\d[\d.eE+-]*)$/.exec(text);
    const names: Record<string, string> = { "<": "lt", "<=": "lte", ">": "gt", ">=": "gte" };
    if (range) return `{"${names[range[1]!]}":${range[2]}}`;
    if (/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)) return text;
  }
  if (type === "boolean" && (text === "true" || text === "false")) return text;
  if (type === "date" && dayStart(text)) return JSON.stringify({ gte: dayStart(text), lt: dayStart(text, true) });
  if (text.endsWith("*") && text.length > 1) return JSON.stringify({ prefix: text.slice(0, -1) });
  return JSON.stringify(text);
}

export const nameOf = (definitions: Definition[], key: string): string =>
  definitions.find((one) => one.key === key)?.name ?? key;

export function keysOf(definitions: Definition[], definition: string): SearchKey[] {
  const all = definitions
    .filter((one) => definition === "" || one.key === definition)
    .flatMap((one) => one.search ?? []);
  return [...new Map(all.map((one) => [one.key, one])).values()];
}

const SHOWN = 4;

/** The few values that say why a row was found: the key asked for, then those with the words. */
export function glimpse(data: [string, string][], filter: Filter): [string, string][] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  const rank = ([key, literal]: [string, string]) =>
    key === filter.key ? 0 : words.some((word) => literal.toLowerCase().includes(word)) ? 1 : 2;
  return [...data].sort((a, b) => rank(a) - rank(b)).slice(0, SHOWN);
}

/** A page of the list, by one call. How a key is searched for depends on its type, which the definitions say. */
export async function fetchRows(
  api: Workspace,
  filter: Filter,
  cursor: string | undefined,
  definitions: () => Promise<Definition[]>,
  signal: AbortSignal,
): Promise<{ rows: Row[]; next: string | null }> {
  const dates = { started_after: dayStart(filter.from), started_before: dayStart(filter.to, true) };
  if (!isSearch(filter)) {
    const query = {
      status: filter.status,
      definition: filter.definition || undefined,
      ...dates,
      sort: filter.sort || undefined,
      limit: filter.size,
      cursor,
    };
    const { items, next } = await api.instances(query, signal);
    return { rows: items.map((instance) => ({ ...instance, data: [] })), next };
  }
  const query: SearchQuery = { keys: [], ...dates, limit: filter.size, cursor };
  if (filter.key && filter.value) {
    const type = keysOf(await definitions(), filter.definition).find((one) => one.key === filter.key)?.type;
    query.keys.push({ key: filter.key, literal: literalFor(type, filter.value) });
  }
  if (filter.find) query.id_or_title = filter.find.trim();
  if (filter.text) query.text = filter.text;
  if (filter.definition) query.definitions = [filter.definition];
  if (filter.status.length > 0) query.statuses = filter.status;
  const { items, next } = await api.search(query, signal);
  const rows = items.map(({ instance_id, data, ...hit }) => ({ ...hit, id: instance_id, data: glimpse(data, filter) }));
  return { rows, next };
}
