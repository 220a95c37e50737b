/** What the console says of a text is what the server says of it: both read the same cases. */
import { describe, expect, it } from "vitest";
import equality from "../../../../tests/cases/equality.json";
import mistakes from "../../../../tests/cases/mistakes.json";
import { same } from "./compare";
import { MAX_NUMBER_CHARACTERS } from "./problems";
import { scan } from "./scan";

describe("equality", () => {
  it.each(equality)("of $a and $b is $same", ({ a, b, same: expected }) => {
    expect(same(scan(a, { requireObject: false }).tape!, scan(b, { requireObject: false }).tape!)).toBe(expected);
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
