import { store, stored } from "../widgets/stored";
import { filterFrom, queryOf } from "./instanceQuery";

/** Filters of the list of instances under a name, kept in this browser. */
export interface SavedFilter {
  name: string;
  /** As in the address. */
  query: string;
}

const keyOf = (workspace: string): string => `filters.${workspace}`;

export function savedFilters(workspace: string): SavedFilter[] {
  // What another release has kept is read as an address is: what no longer makes sense is left out.
  return stored<SavedFilter[]>(keyOf(workspace), [], areFilters).map(({ name, query }) => ({
    name,
    query: queryOf(filterFrom(new URLSearchParams(query))),
  }));
}

export function keepFilters(workspace: string, filters: readonly SavedFilter[]): void {
  store(keyOf(workspace), filters);
}

/** The filters with one more, in the order of their names; it replaces another of the same name. */
export function withFilter(filters: readonly SavedFilter[], added: SavedFilter): SavedFilter[] {
  return [...withoutFilter(filters, added.name), added].sort((a, b) => a.name.localeCompare(b.name));
}

export function withoutFilter(filters: readonly SavedFilter[], name: string): SavedFilter[] {
  return filters.filter((one) => one.name !== name);
}

function areFilters(value: unknown): value is SavedFilter[] {
  return Array.isArray(value) && value.every((one) => typeof one?.name === "string" && typeof one?.query === "string");
}
