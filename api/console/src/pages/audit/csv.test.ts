import { expect, it } from "vitest";
import { recordsOf } from "./csv";

it("counts records, not lines", () => {
  expect(recordsOf("a,b\r\n")).toBe(1);
  expect(recordsOf('a,b\r\n1,"two\r\nlines, and a ""quote"""\r\n2,3\r\n')).toBe(3);
  expect(recordsOf("")).toBe(0);
});
