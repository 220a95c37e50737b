import { describe, expect, it } from "vitest";
import { format } from "./format";
import { scan } from "./scan";
import { locate } from "./tape";
import { addition, applied, removal, replacement, type TextEdit } from "./textEdits";

const DOCUMENT = format('{"name": "Ana", "amount": 1.50, "lines": [{"id": 1}, {"id": 2}], "empty": {}, "none": []}');

/** The document after an edit of the value at a path. */
function after(
  path: string,
  edit: (tape: NonNullable<ReturnType<typeof scan>["tape"]>, node: number) => TextEdit,
): string {
  const tape = scan(DOCUMENT).tape!;
  return applied(DOCUMENT, edit(tape, locate(tape, path)!));
}
const same = (text: string, expected: string) => {
  expect(scan(text).problems).toEqual([]);
  // As it is laid out, so that nothing but the edit is a difference.
  expect(text).toBe(format(expected));
};

describe("a value is replaced", () => {
  it("and every other one stays as it is written", () => {
    same(
      after("/name", (tape, node) => replacement(tape, node, '"Ioana"')),
      DOCUMENT.replace("Ana", "Ioana"),
    );
    expect(after("/lines/1/id", (tape, node) => replacement(tape, node, "12345678901234567890"))).toContain("1.50");
  });
  it("by one of several lines, which is laid out where it stands", () => {
    same(
      after("/lines/0/id", (tape, node) => replacement(tape, node, format('{"a": [1]}'))),
      DOCUMENT.replace('"id": 1', '"id": {"a": [1]}'),
    );
  });
});

describe("a member is added", () => {
  it("after the last one", () => {
    same(
      after("/lines/0", (tape, node) => addition(tape, node, 'q"', "true")),
      DOCUMENT.replace('"id": 1', '"id": 1, "q\\"": true'),
    );
    same(
      after("/lines", (tape, node) => addition(tape, node, null, format('{"id": 3}'))),
      DOCUMENT.replace(/("id": 2\s*\})/, '$1, {"id": 3}'),
    );
    same(
      after("", (tape, node) => addition(tape, node, "more", "null")),
      DOCUMENT.replace('"none": []', '"none": [], "more": null'),
    );
  });
  it("to an object or an array without any", () => {
    same(
      after("/empty", (tape, node) => addition(tape, node, "a", "1")),
      DOCUMENT.replace("{}", '{"a": 1}'),
    );
    same(
      after("/none", (tape, node) => addition(tape, node, null, "1")),
      DOCUMENT.replace("[]", "[1]"),
    );
    expect(applied("{}", addition(scan("{}").tape!, 0, "a", "1"))).toBe('{\n  "a": 1\n}');
  });
  it("to an object in one line", () => {
    expect(applied('{"a":1}', addition(scan('{"a":1}').tape!, 0, "b", "2"))).toBe('{"a":1, "b": 2}');
  });
});

describe("a member is removed", () => {
  it("with its comma, wherever it stands", () => {
    same(after("/name", removal), DOCUMENT.replace(/"name": "Ana",\s*/, ""));
    same(after("/amount", removal), DOCUMENT.replace(/"amount": 1.50,\s*/, ""));
    same(after("/none", removal), DOCUMENT.replace(/,\s*"none": \[\]/, ""));
    same(after("/lines/0", removal), DOCUMENT.replace(/\{\s*"id": 1\s*\},\s*/, ""));
    same(after("/lines/1", removal), DOCUMENT.replace(/,\s*\{\s*"id": 2\s*\}/, ""));
  });
  it("as the only one", () => {
    same(after("/lines/0/id", removal), DOCUMENT.replace(/\{\s*"id": 1\s*\}/, "{}"));
  });
});
