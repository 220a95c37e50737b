/** Filters that are texts, as they stand in the address: one parameter each, and none where it is empty. */
export type TextFilter<Name extends string> = Record<Name, string>;

export function textFilter<Name extends string>(names: readonly Name[]) {
  const entries = (of: (name: Name) => string) =>
    Object.fromEntries(names.map((name) => [name, of(name)])) as TextFilter<Name>;
  return {
    none: entries(() => ""),
    isEmpty: (filter: TextFilter<Name>): boolean => names.every((name) => filter[name] === ""),
    from: (query: URLSearchParams): TextFilter<Name> => entries((name) => query.get(name) ?? ""),
    query(filter: TextFilter<Name>): string {
      const query = new URLSearchParams(names.filter((name) => filter[name]).map((name) => [name, filter[name]]));
      return query.size === 0 ? "" : `?${query}`;
    },
  };
}
