import { expect, it } from "vitest";
import { compact, format } from "./format";

const odd = '{"n":12345678901234567890,"f":1.0,"s":"a\\\\\\" {,:\\u0000é","e":{},"l":[ ],"m":[1,{"x":[]}]}';

it("lays out without touching a literal", () => {
  expect(format(odd)).toBe(
    '{\n  "n": 12345678901234567890,\n  "f": 1.0,\n  "s": "a\\\\\\" {,:\\u0000é",\n  "e": {},\n  "l": [],\n  "m": [\n    1,\n    {\n      "x": []\n    }\n  ]\n}',
  );
});

it("is stable, and compact undoes it", () => {
  expect(format(format(odd))).toBe(format(odd));
  expect(compact(format(odd))).toBe(compact(odd));
  expect(JSON.parse(compact(odd))).toEqual(JSON.parse(odd));
});
