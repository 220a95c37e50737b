import { expect, it } from "vitest";
import type { Workspace } from "../api/workspace";
import { fetchRows, filterFrom, glimpse, literalFor, queryOf } from "./instanceQuery";

it("sends a number key's digits as they were typed", () => {
  expect(literalFor("number", "12345678901234567890")).toBe("12345678901234567890");
  expect(literalFor("number", ">= 1.50")).toBe('{"gte":1.50}');
  expect(literalFor("keyword", "12345678901234567890")).toBe('"12345678901234567890"');
});

it("understands prefixes, days and yes or no", () => {
  expect(literalFor("keyword", "ACC-*")).toBe('{"prefix":"ACC-"}');
  expect(literalFor("boolean", "true")).toBe("true");
  expect(JSON.parse(literalFor("date", "2026-03-01"))).toHaveProperty("lt");
});

it("keeps the filters in the address", () => {
  const query =
    "?status=STARTED&status=ON_HOLD&definition=loan&from=2026-01-01&find=Ana&key=iban&value=RO1&sort=-status&size=50";
  expect(queryOf(filterFrom(new URLSearchParams(query)))).toBe(query);
  expect(queryOf(filterFrom(new URLSearchParams("?status=NONSENSE&sort=age&size=7")))).toBe("");
});

it("shows first what a row was found by", () => {
  const data: [string, string][] = [..."abcde"].map((key) => [key, '"x"']);
  const filter = filterFrom(new URLSearchParams("?text=green+tea&key=e&value=1"));
  const shown = glimpse([...data.slice(0, 4), ["d2", '"Green leaves"'], data[4]!], filter);
  expect(shown.map(([key]) => key)).toEqual(["e", "d2", "a", "b"]);
});

/** An API that answers with one hit, and the calls that it got. */
function recording() {
  const calls: [string, unknown][] = [];
  const hit = {
    instance_id: "i1",
    definition: "loan",
    title: "A loan",
    status: "STARTED",
    version: 3,
    data: [["k", "1"]],
  };
  const api = {
    instances: async (query: unknown) => {
      calls.push(["instances", query]);
      return { items: [{ id: "i1", title: "A loan" }], next: "n" };
    },
    search: async (query: unknown) => {
      calls.push(["search", query]);
      return { items: [hit], next: null };
    },
  };
  return { api: api as unknown as Workspace, calls };
}
const definitions = async () => [
  { key: "loan", name: "Loan", search: [{ key: "amount", path: "$.amount", type: "number" as const }] },
];
const rowsOf = (api: Workspace, query: string, known = definitions) =>
  fetchRows(api, filterFrom(new URLSearchParams(query)), undefined, known, new AbortController().signal);

it("makes a page of a search by one call, whose hits are rows", async () => {
  const { api, calls } = recording();
  const { rows } = await rowsOf(api, "?key=amount&value=>=5&find=+Ana&status=FAILED");
  expect(calls).toEqual([
    [
      "search",
      expect.objectContaining({
        keys: [{ key: "amount", literal: '{"gte":5}' }],
        id_or_title: "Ana",
        statuses: ["FAILED"],
      }),
    ],
  ]);
  expect(rows[0]).toMatchObject({ id: "i1", title: "A loan", version: 3, data: [["k", "1"]] });
});

it("needs no definitions for anything but a key's value", async () => {
  const never = () => Promise.reject(new Error("asked for"));
  const { api, calls } = recording();
  await rowsOf(api, "?find=Ana&text=tea", never);
  await rowsOf(api, "?sort=definition&status=FAILED", never);
  expect(calls.map(([name]) => name)).toEqual(["search", "instances"]);
  expect(calls[1]![1]).toMatchObject({ sort: "definition", status: ["FAILED"], limit: 25 });
});
