import { describe, expect, it } from "vitest";
import { compare } from "./compare";
import { diverge, isConflict, merged } from "./merge";
import { scan } from "./scan";

const tape = (text: string) => scan(text).tape!;
const changes = (a: string, b: string) =>
  compare(tape(a), tape(b)).map((c) => `${c.kind} ${c.path} ${c.before ?? ""}→${c.after ?? ""}`);

describe("compare", () => {
  it("tells 1, 1.0 and true apart, and huge integers by their digits", () => {
    expect(changes('{"a":1,"b":12345678901234567890}', '{"a":1.0,"b":12345678901234567891}')).toEqual([
      "replaced /a 1→1.0",
      "replaced /b 12345678901234567890→12345678901234567891",
    ]);
  });
  it("takes the order of members and the way a text is written for nothing", () => {
    expect(changes('{"a":1,"b":"\\u0061"}', '{ "b": "a", "a": 1 }')).toEqual([]);
  });
  it("finds an item put into the middle of a list", () => {
    expect(changes('{"l":[1,2,3]}', '{"l":[1,9,2,3]}')).toEqual(["added /l/1 →9"]);
  });
  it("names added and removed members by pointer", () => {
    expect(changes('{"a/b":{"x":1}}', '{"a/b":{"y":[]}}')).toEqual(["removed /a~1b/x 1→", "added /a~1b/y →[]"]);
  });
});

describe("merge", () => {
  const base = '{"n":12345678901234567890,"a":1.0,"b":{"c":1,"d":2},"l":[1,2]}';
  it("keeps both sides' edits of different places, and every literal", () => {
    const theirs = tape('{"n":12345678901234567890,"a":1.0,"b":{"c":1,"d":5},"l":[1,2]}');
    const found = diverge(tape(base), tape(base.replace('"c":1', '"c":7')), theirs);
    expect(found.map((entry) => [entry.path, entry.by])).toEqual([
      ["/b/c", "me"],
      ["/b/d", "them"],
    ]);
    expect(
      merged(
        theirs,
        found.map((entry) => ({ entry, take: entry.by === "me" ? "mine" : "theirs" })),
      ),
    ).toBe('{"n":12345678901234567890,"a":1.0,"b":{"c":7,"d":5},"l":[1,2]}');
  });
  it("sees a conflict where one replaced what the other edited inside", () => {
    const theirs = tape('{"n":12345678901234567890,"a":1.0,"b":null,"l":[1,2]}');
    const found = diverge(tape(base), tape(base.replace('"c":1,"d":2', '"c":7,"d":8')), theirs);
    expect(found).toEqual([{ path: "/b", by: "both", base: '{"c":1,"d":2}', mine: '{"c":7,"d":8}', theirs: "null" }]);
    expect(isConflict(found[0]!)).toBe(true);
    expect(merged(theirs, [{ entry: found[0]!, take: "mine" }])).toContain('"b":{"c":7,"d":8}');
  });
  it("takes a list of another length as one value", () => {
    const theirs = tape(base.replace("[1,2]", "[0,1,2]"));
    const found = diverge(tape(base), tape(base.replace("[1,2]", "[1,3]")), theirs);
    expect(found).toMatchObject([{ path: "/l", by: "both", mine: "[1,3]", theirs: "[0,1,2]" }]);
  });
  it("can remove what I removed", () => {
    const theirs = tape(base.replace("[1,2]", "[]"));
    const found = diverge(tape(base), tape(base.replace('"a":1.0,', "")), theirs);
    expect(
      merged(
        theirs,
        found.map((entry) => ({ entry, take: "mine" })),
      ),
    ).not.toContain('"a"');
  });
});
