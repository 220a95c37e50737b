import { expect, it } from "vitest";
import { filterFrom, glimpse, literalFor, queryOf } from "./instanceQuery";

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
  const query = "?status=STARTED&status=ON_HOLD&definition=loan&from=2026-01-01&key=iban&value=RO1&size=50";
  expect(queryOf(filterFrom(new URLSearchParams(query)))).toBe(query);
  expect(queryOf(filterFrom(new URLSearchParams("?status=NONSENSE&size=7")))).toBe("");
});

it("shows first what a row was found by", () => {
  const data: [string, string][] = [..."abcde"].map((key) => [key, '"x"']);
  const filter = filterFrom(new URLSearchParams("?text=green+tea&key=e&value=1"));
  const shown = glimpse([...data.slice(0, 4), ["d2", '"Green leaves"'], data[4]!], filter);
  expect(shown.map(([key]) => key)).toEqual(["e", "d2", "a", "b"]);
});
