import { beforeEach, expect, it, vi } from "vitest";
import { keepFilters, savedFilters, withFilter, withoutFilter } from "./savedFilters";

let kept: Map<string, string>;

beforeEach(() => {
  kept = new Map();
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
  });
});

it("keeps filters for each workspace, by name", () => {
  let filters = withFilter([], { name: "Stuck", query: "?status=ON_HOLD" });
  filters = withFilter(filters, { name: "Failed loans", query: "?status=FAILED&definition=loan" });
  keepFilters("bank", filters);
  expect(savedFilters("bank").map(({ name }) => name)).toEqual(["Failed loans", "Stuck"]);
  expect(savedFilters("other")).toEqual([]);
  expect(withoutFilter(filters, "Stuck").map(({ name }) => name)).toEqual(["Failed loans"]);
});

it("replaces the filter of the same name", () => {
  const before = [{ name: "Mine", query: "?status=FAILED" }];
  expect(withFilter(before, { name: "Mine", query: "?text=tea" })).toEqual([{ name: "Mine", query: "?text=tea" }]);
});

it("takes nothing that is no filter from the browser", () => {
  for (const text of ["{", "null", '{"name":1}', '[{"name":"a"}]']) {
    kept.set("procvars.filters.bank", text);
    expect(savedFilters("bank")).toEqual([]);
  }
  kept.set("procvars.filters.bank", '[{"name":"a","query":"?status=NONSENSE&definition=loan&other=1"}]');
  expect(savedFilters("bank")).toEqual([{ name: "a", query: "?definition=loan" }]);
});

it("goes on where the browser keeps nothing", () => {
  const refused = () => {
    throw new Error("SecurityError");
  };
  vi.stubGlobal("localStorage", { getItem: refused, setItem: refused });
  keepFilters("bank", [{ name: "a", query: "" }]);
  expect(savedFilters("bank")).toEqual([]);
});
