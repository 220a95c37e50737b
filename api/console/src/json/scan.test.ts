import { describe, expect, it } from "vitest";
import { scan } from "./scan";
import { jsonPath, Kind, keyOf, locate, pointer, raw } from "./tape";

const first = (text: string) => scan(text, { requireObject: true }).problems[0];

describe("scan keeps literals", () => {
  it("keeps every number as the text it was", () => {
    const text = '{"big": 12345678901234567890, "one": 1.0, "tiny": -0.0, "exp": 1E400}';
    const { tape } = scan(text);
    expect([1, 2, 3, 4].map((node) => raw(tape!, node))).toEqual(["12345678901234567890", "1.0", "-0.0", "1E400"]);
  });

  it("decodes names with escapes and knows every place", () => {
    const { tape } = scan('{"a/b~c": [{"x y": null}, "\\u0000"], "d": {}}');
    const inner = locate(tape!, "/a~1b~0c/0/x y")!;
    expect(tape!.kind[inner]).toBe(Kind.Null);
    expect(pointer(tape!, inner)).toBe("/a~1b~0c/0/x y");
    expect(jsonPath(tape!, inner)).toBe("$['a/b~c'][0]['x y']");
    expect(keyOf(tape!, inner)).toBe("x y");
  });
});

describe("scan says what is wrong and where", () => {
  it.each([
    ['{\n  "field1": "value1"\n  "field2": "value2"\n}', "missing-comma", 2],
    ['{\n  "field1": "value1",\n  "field2": "value2",\n}', "trailing-comma", 3],
    ['{\n  "object": {\n    "field": "value"\n\n}', "unclosed", 2],
    ['{"list": [1, 2}', "unclosed", 1],
    ['{"a": "b\n}', "missing-quote", 1],
    ["{a: 1}", "missing-quote", 1],
    ["{'a': 1}", "missing-quote", 1],
    ['{"a": 1 // why\n}', "comment", 1],
    ['{"a": /* why */ 1}', "comment", 1],
    ['{"a": 1, "b": 2, "a": 3}', "duplicate-key", 1],
    ['{"a": 1, "\\u0061": 3}', "duplicate-key", 1],
    ['{"a" 1}', "missing-colon", 1],
    ['{"a": }', "missing-value", 1],
    ['{"a": 01}', "bad-number", 1],
    ['{"a": NaN}', "bad-number", 1],
    ['{"a": -Infinity}', "bad-number", 1],
    ['{"a": True}', "unexpected", 1],
    ['{"a": "\\x"}', "bad-escape", 1],
    ['{"a": "\t"}', "control-character", 1],
    ['{"a": 1}}', "unexpected", 1],
    ["", "empty", 1],
    ["[1]", "not-an-object", 1],
  ])("%j is %s", (text, code, line) => {
    expect(first(text)).toMatchObject({ code, line });
  });

  it("lists several mistakes in one pass", () => {
    const { problems } = scan('{\n"a": 1\n"b": tru,\n"c": [1,],\n}');
    expect(problems.map((problem) => problem.code)).toEqual([
      "missing-comma",
      "missing-quote",
      "trailing-comma",
      "trailing-comma",
    ]);
  });

  it("does not take the echo of one stray quote for more mistakes", () => {
    const { problems } = scan('{\n  "income": 75000,"\n  "rate": 1.0,\n  "status": "pending"\n}');
    expect(problems.map((problem) => problem.code)).toEqual(["missing-quote"]);
  });

  it.each(['{"a": 1, b": [2, "two"]}', '{"a": 1, "b": two", "c": "d"}'])("sees one missing quote in %s", (text) => {
    expect(scan(text).problems.map((problem) => problem.code)).toEqual(["missing-quote"]);
  });

  it("counts columns from 1", () => {
    expect(first('{\n  "a": 1,\n  "b": 2,\n}')).toMatchObject({ line: 3, column: 9 });
  });

  it("refuses nesting deeper than the server keeps", () => {
    expect(scan(`${"[".repeat(201)}${"]".repeat(201)}`).problems[0]?.code).toBe("too-deep");
    expect(scan(`${"[".repeat(200)}${"]".repeat(200)}`).problems).toEqual([]);
  });

  it("agrees with JSON.parse about what is valid", () => {
    const pieces = ["{", "}", "[", "]", ",", ":", '"a"', '"b"', "1", "-2.5e3", "true", "null", " "];
    let seed = 7;
    const next = () => {
      seed = (seed * 1103515245 + 12345) % 2147483648;
      return seed / 2147483648;
    };
    for (let round = 0; round < 20000; round++) {
      const text = Array.from(
        { length: 1 + Math.floor(next() * 9) },
        () => pieces[Math.floor(next() * pieces.length)],
      ).join("");
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      const found = scan(text).problems.filter((problem) => problem.code !== "duplicate-key");
      expect(found.length === 0, text).toBe(valid);
    }
  });
});

it.each([
  ["lines", ",\n"],
  ["one line", ","],
])("scans 5 MB in %s in well under two seconds", (_, separator) => {
  const row = '{"id": 12345678901234567890, "name": "Ana Pop", "tags": ["a", "b"], "ok": true}';
  const text = `{"rows": [${Array.from({ length: 63000 }, () => row).join(separator)}]}`;
  const began = performance.now();
  const { tape } = scan(text);
  expect(text.length).toBeGreaterThan(5_000_000);
  expect(tape!.count).toBe(63000 * 7 + 2);
  expect(performance.now() - began).toBeLessThan(2000);
});
