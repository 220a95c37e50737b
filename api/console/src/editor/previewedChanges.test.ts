import { describe, expect, it } from "vitest";
import cases from "../../../../tests/cases/changes.json";
import { preview } from "../api/answers";
import { type Change, compare, same } from "../json/compare";
import { scan } from "../json/scan";
import { previewedChanges } from "./previewedChanges";

const tape = (text: string) => scan(text, { requireObject: false }).tape!;

function rows(before: string, patch: string, changes: Partial<Record<Change["kind"], string[]>>): Change[] {
  const answer = `{"version":1,"patch":${patch},"changes":${JSON.stringify(changes)},"warnings":[],"affects":{}}`;
  return previewedChanges(preview(answer), tape(before));
}

const alike = (a: string | undefined, b: string | undefined) =>
  a === b || (a !== undefined && b !== undefined && same(tape(a), tape(b)));

describe("what a preview says", () => {
  it.each(cases)("has the values of both documents: from $before to $after", (given) => {
    const { before, after, patch, changes } = given;
    const found = rows(before, patch, changes);
    const compared = compare(tape(before), tape(after));
    expect(found).toHaveLength(compared.length);
    for (const change of compared) {
      const row = found.find(({ kind, path }) => kind === change.kind && path === change.path);
      expect(row?.before).toBe(change.before);
      expect(alike(row?.after, change.after)).toBe(true);
    }
  });

  it("is what is shown, also where a comparison would say something else", () => {
    const patch = '[{"op":"replace","path":"/l","value":[2.10]}]';
    expect(rows('{"l":[1.0]}', patch, { replaced: ["/l"] })).toEqual([
      { kind: "replaced", path: "/l", before: "[1.0]", after: "[2.10]" },
    ]);
  });

  it("comes in the order of the document, what is new at the end of where it belongs", () => {
    const patch = `[{"op":"remove","path":"/z/1"},{"op":"replace","path":"/z/0","value":3},{"op":"replace","path":"/a","value":4},
      {"op":"add","path":"/b","value":5},{"op":"add","path":"/z/k","value":6}]`;
    const changes = { added: ["/b", "/z/k"], removed: ["/z/1"], replaced: ["/z/0", "/a"] };
    expect(rows('{"z":{"0":0,"1":1},"a":2}', patch, changes).map(({ path }) => path)).toEqual([
      "/z/0",
      "/z/1",
      "/z/k",
      "/a",
      "/b",
    ]);
  });

  it("has every element that is inserted at one index, and what was there", () => {
    const patch = `[{"op":"add","path":"/l/1","value":"c"},{"op":"replace","path":"/l/1","value":"y"},
      {"op":"add","path":"/l/1","value":"b"}]`;
    expect(rows('{"l":["a","x"]}', patch, { added: ["/l/1"], replaced: ["/l/1"] })).toEqual([
      { kind: "added", path: "/l/1", after: '"c"' },
      { kind: "added", path: "/l/1", after: '"b"' },
      { kind: "replaced", path: "/l/1", before: '"x"', after: '"y"' },
    ]);
  });

  it("has as many rows as there are changes, however many", () => {
    const paths = Array.from({ length: 50_000 }, (_, at) => `/${at}`);
    const before = tape(`[${paths.map(() => 0).join(",")}]`);
    const patch = paths.map((path) => ({ op: "replace" as const, path, value: "1" }));
    const changes = { added: [], removed: [], replaced: paths };
    expect(previewedChanges({ patch, changes }, before)).toHaveLength(paths.length);
  });
});
