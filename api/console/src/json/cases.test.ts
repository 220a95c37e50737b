/** What the console says of a text is what the server says of it: both read the same cases. */
import { describe, expect, it } from "vitest";
import changes from "../../../../tests/cases/changes.json";
import equality from "../../../../tests/cases/equality.json";
import mistakes from "../../../../tests/cases/mistakes.json";
import { compare, same } from "./compare";
import { MAX_NUMBER_CHARACTERS } from "./problems";
import { scan } from "./scan";

describe("equality", () => {
  it.each(equality)("of $a and $b is $same", ({ a, b, same: expected }) => {
    expect(same(scan(a, { requireObject: false }).tape!, scan(b, { requireObject: false }).tape!)).toBe(expected);
  });
});

describe("changes", () => {
  it.each(changes)("from $before to $after", ({ before, after, changes: expected }) => {
    const found = compare(scan(before).tape!, scan(after).tape!);
    const paths = (kind: string) => found.filter((change) => change.kind === kind).map((change) => change.path);
    for (const kind of ["added", "removed", "replaced"] as const)
      expect(paths(kind).sort()).toEqual([...expected[kind]].sort());
  });
});

describe("mistakes", () => {
  it.each(mistakes)("in $text", (expected) => {
    const [first] = scan(expected.text).problems;
    expect([first?.line, first?.column]).toEqual([expected.line, expected.column]);
    expect(first?.message.toLowerCase()).toContain(expected.says.toLowerCase());
  });
  it("have a number with too many characters among them", () => {
    const digits = "7".repeat(MAX_NUMBER_CHARACTERS);
    expect(scan(`{"n":${digits}}`).problems).toEqual([]);
    expect(scan(`{"n":${digits}7}`).problems).toMatchObject([{ code: "bad-number" }]);
  });
});
