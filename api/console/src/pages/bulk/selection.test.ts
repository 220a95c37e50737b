import { expect, it } from "vitest";
import { filterFrom } from "../instanceQuery";
import { queryOfIds, queryOfSelection, selectionFrom, selectOf, selectWords, whyNotAll } from "./selection";

const definitions = [{ key: "loan", name: "Loan", search: [{ key: "rate", path: "$.rate", type: "number" as const }] }];
const from = (query: string) => selectionFrom(new URLSearchParams(query));

it("keeps the digits of a number that is selected by", () => {
  const selection = from("?definition=loan&status=STARTED&key=rate&value=4.50");
  const select = '{"definitions":["loan"],"statuses":["STARTED"],"keys":[{"key":"rate","value":4.50}]}';
  expect(selectOf(selection, definitions)).toBe(select);
  expect(selectWords(select)).toContainEqual(["Search keys", "rate = 4.50"]);
});

it("keeps a selection in the address", () => {
  expect(from(queryOfIds(["a&b", "ü"])).ids).toEqual(["a&b", "ü"]);
  const query = "?status=ON_HOLD&definition=loan&key=rate&value=4";
  expect(queryOfSelection(from(query))).toBe(query);
});

it("says why a filter is no selection", () => {
  const filter = (query: string) => filterFrom(new URLSearchParams(query));
  expect(whyNotAll(filter("?definition=loan"))).toBeNull();
  expect(whyNotAll(filter(""))).toContain("Filter first");
  for (const other of ["text=tea", "find=tea", "from=2026-01-01"])
    expect(whyNotAll(filter(`?definition=loan&${other}`))).toContain("clear the title, the text and the dates");
});
