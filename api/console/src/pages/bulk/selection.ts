import { type Definition, STATUSES } from "../../api/types";
import { STATUS_WORDS } from "../../api/words";
import { Reader } from "../../json/read";
import { type Filter, keysOf, literalFor, queryOf } from "../instanceQuery";

/** Which instances a bulk modification is for, as the address of its page names them. */
export interface Selection {
  /** Ticked instances; the conditions are for when there are none. */
  ids: string[];
  statuses: string[];
  definition: string;
  key: string;
  value: string;
}

export function selectionFrom(query: URLSearchParams): Selection {
  const get = (name: string) => query.get(name) ?? "";
  return {
    ids: query.getAll("id"),
    statuses: query.getAll("status").filter((one) => (STATUSES as readonly string[]).includes(one)),
    definition: get("definition"),
    key: get("key"),
    value: get("value"),
  };
}

export function queryOfIds(ids: Iterable<string>): string {
  return `?${new URLSearchParams([...ids].map((id) => ["id", id]))}`;
}

export function queryOfSelection(selection: Selection): string {
  const { statuses: status, definition, key, value } = selection;
  return queryOf({ status, definition, key, value, find: "", text: "", from: "", to: "", sort: "", size: 25 });
}

/** Why the instances that a filter shows cannot be selected by it, or null. */
export function whyNotAll(filter: Filter): string | null {
  if (filter.find || filter.text || filter.from || filter.to)
    return "A bulk modification selects by status, definition and search key: clear the title, the text and the dates.";
  return isNarrow({ ...filter, ids: [], statuses: filter.status })
    ? null
    : "Filter first: all instances of a workspace cannot be modified at once.";
}

export const isNarrow = (one: Selection): boolean =>
  one.ids.length > 0 || one.statuses.length > 0 || one.definition !== "" || (one.key !== "" && one.value !== "");

/** The literal JSON of `select`. */
export function selectOf(selection: Selection, definitions: Definition[]): string {
  const { ids, statuses, definition, key, value } = selection;
  if (ids.length > 0) return JSON.stringify({ ids });
  const members: string[] = [];
  if (definition) members.push(`"definitions":${JSON.stringify([definition])}`);
  if (statuses.length > 0) members.push(`"statuses":${JSON.stringify(statuses)}`);
  if (key && value) {
    const type = keysOf(definitions, definition).find((one) => one.key === key)?.type;
    members.push(`"keys":[{"key":${JSON.stringify(key)},"value":${literalFor(type, value)}}]`);
  }
  return `{${members.join(",")}}`;
}

const NAMES: Record<string, string> = {
  definitions: "Definition",
  statuses: "Status",
  ids: "Instances",
  keys: "Search keys",
  title: "Title",
  modified_by: "Modified by",
  modified_from: "Modified from",
  modified_to: "Modified until",
  bulk_id: "Changed by the bulk modification",
};

/** A selection in words: what is asked of an instance, and the value. */
export function selectWords(select: string): [string, string][] {
  return Reader.of(select)
    .entries()
    .map(([name, literal]) => [NAMES[name] ?? name, wordsOf(name, literal)]);
}

function wordsOf(name: string, literal: string): string {
  if (name === "ids") {
    const ids = JSON.parse(literal) as string[];
    return ids.length > 10 ? `${ids.slice(0, 10).join(", ")} and ${ids.length - 10} more` : ids.join(", ");
  }
  if (name === "statuses")
    return (JSON.parse(literal) as string[])
      .map((status) => (STATUS_WORDS as Record<string, string>)[status] ?? status)
      .join(", ");
  if (name === "definitions") return (JSON.parse(literal) as string[]).join(", ");
  if (name === "keys") {
    const conditions = Reader.of(`{"keys":${literal}}`).get("keys")?.items() ?? [];
    return conditions.map((one) => `${one.string("key")} = ${one.get("value")?.text}`).join(", ");
  }
  return literal.startsWith('"') ? (JSON.parse(literal) as string) : literal;
}
