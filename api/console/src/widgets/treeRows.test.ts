import { describe, expect, it } from "vitest";
import { scan } from "../json/scan";
import { locate, pointer } from "../json/tape";
import { carriedExpansion, expandAll, firstExpansion, matching, openAbove, step, visibleRows } from "./treeRows";

const tape = scan('{"customer": {"name": "Ana", "id": 12345678901234567890}, "lines": [{"price": 1.0}, {"price": 2}]}')
  .tape!;
const seen = (rows: Int32Array) => [...rows].map((node) => pointer(tape, node));

describe("rows", () => {
  it("opens from the top as far as the budget goes", () => {
    expect(seen(visibleRows(tape, firstExpansion(tape, 4), null))).toEqual(["", "/customer", "/lines"]);
    expect(visibleRows(tape, firstExpansion(tape), null).length).toBe(tape.count);
    expect(seen(visibleRows(tape, expandAll(tape, 0), null))).toEqual(["", "/customer", "/lines"]);
  });
  it("filters by name and by value, with what encloses a hit", () => {
    const closed = expandAll(tape, 0);
    const found = (query: string) => seen(visibleRows(tape, closed, matching(tape, query).marks));
    expect(found("PRICE")).toEqual(["", "/lines", "/lines/0", "/lines/0/price", "/lines/1", "/lines/1/price"]);
    expect(found("4567890123")).toEqual(["", "/customer", "/customer/id"]);
    expect(found("nothing")).toEqual([]);
    expect(matching(tape, "a").hits).toBe(1);
  });
  it("does not take punctuation for a hit", () => {
    expect(matching(tape, "}, ").hits).toBe(0);
  });
});

describe("keys", () => {
  const rows = visibleRows(tape, expandAll(tape, 1), null);
  const open = () => true;
  it("follow the tree pattern", () => {
    expect(step("ArrowDown", 0, rows, tape, open, 5)).toBe(1);
    expect(step("ArrowLeft", 2, rows, tape, open, 5)).toBe(1);
    expect(step("ArrowLeft", 1, rows, tape, open, 5)).toBe("toggle");
    expect(step("End", 0, rows, tape, open, 5)).toBe(rows.length - 1);
    expect(step("x", 0, rows, tape, open, 5)).toBe(null);
  });
});

describe("after an edit", () => {
  const next = scan('{"new": {"x": 1}, "customer": {"name": {"first": "Ana"}}, "lines": [{"price": 1.0}, 7]}').tape!;
  it("what was open is open in the same places", () => {
    const expanded = expandAll(tape, 0);
    for (const path of ["/lines", "/lines/0", "/customer"]) expanded[locate(tape, path)!] = 1;
    const rows = visibleRows(next, carriedExpansion(tape, expanded, next), null);
    expect([...rows].map((node) => pointer(next, node))).toEqual([
      "",
      "/new",
      "/customer",
      "/customer/name",
      "/lines",
      "/lines/0",
      "/lines/0/price",
      "/lines/1",
    ]);
  });
  it("a place deep inside is brought into view", () => {
    const expanded = expandAll(next, 0);
    openAbove(next, expanded, locate(next, "/customer/name/first")!);
    expect([...visibleRows(next, expanded, null)].map((node) => pointer(next, node))).toContain("/customer/name/first");
  });
});
