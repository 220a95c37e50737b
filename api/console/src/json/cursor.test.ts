import { describe, expect, it } from "vitest";
import { placeAt } from "./cursor";

/** The place of the bar in a text, which is not part of it. */
function at(marked: string) {
  const offset = marked.indexOf("|");
  const text = marked.replace("|", "");
  const { part, path, start, end, names } = placeAt(text, offset);
  return { part, path: path.join("/"), literal: text.slice(start, end), names: [...names] };
}

describe("the place of the cursor", () => {
  it("is a name where one may begin or is being written", () => {
    expect(at('{|"a": 1}')).toEqual({ part: "name", path: "", literal: '"a"', names: [] });
    expect(at('{"a": 1, |}')).toEqual({ part: "name", path: "", literal: "", names: ["a"] });
    expect(at('{\n  "|\n  "b": 1\n}')).toEqual({ part: "name", path: "", literal: '"', names: ["b"] });
    expect(at('{"x": {"c": {"d": 1}, "e|": 2, "f": 3}}')).toEqual({
      part: "name",
      path: "x",
      literal: '"e"',
      names: ["c", "f"],
    });
  });
  it("is a value after a colon, in an array, and at the root", () => {
    expect(at('{"a": |}')).toEqual({ part: "value", path: "a", literal: "", names: [] });
    expect(at('{"a": {"b/c": "d|"}}')).toMatchObject({ part: "value", path: "a/b/c", literal: '"d"' });
    expect(at('{"a": [1, {"b": 2}, tr|]}')).toMatchObject({ part: "value", path: "a/2", literal: "tr" });
    expect(at("|")).toMatchObject({ part: "value", path: "" });
  });
  it("is neither after a value and before a colon", () => {
    expect(at('{"a": "x" |}').part).toBe("none");
    expect(at('{"a" |: 1}').part).toBe("none");
    expect(at('{"a": 1} |').part).toBe("none");
  });
  it("is found in texts that are wrong elsewhere", () => {
    expect(at('{"a": [1 2, {"b": "c|')).toMatchObject({ part: "value", path: "a/1/b", literal: '"c' });
    expect(at('{"a": 1\n "b|": 2}')).toMatchObject({ part: "name", literal: '"b"' });
    expect(at('}{"a": |')).toMatchObject({ part: "value", path: "a" });
    expect(at('{"\\u12": 1, "n|": 1}')).toMatchObject({ part: "name", names: ["\\u12"] });
  });
});
