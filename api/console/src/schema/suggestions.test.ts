import { describe, expect, it } from "vitest";
import { scan } from "../json/scan";
import { hints, suggestedNames, suggestedValues } from "./suggestions";

const SCHEMA = scan(`{
  "type": "object",
  "required": ["status"],
  "properties": {
    "amount": {"type": "number", "minimum": 1, "maximum": 9.10, "description": "In euros."},
    "status": {"enum": ["DRAFT", "SENT", null]},
    "customer": {"$ref": "#/$defs/person~1company"},
    "lines": {"type": "array", "prefixItems": [{"const": "head"}], "items": {"$ref": "#/$defs/line"}},
    "pair": {"items": [{"const": "old"}], "additionalItems": {"const": "rest"}},
    "paid": {"type": ["boolean", "null"], "default": false}
  },
  "patternProperties": {"^x-": {"type": "string"}, "[": {}},
  "additionalProperties": {"title": "Anything else"},
  "$defs": {
    "person/company": {
      "type": "object",
      "title": "Customer",
      "oneOf": [{"properties": {"name": {"type": "string"}}}, {"properties": {"vat": {"type": "string"}}}]
    },
    "line": {"properties": {"id": {"type": "integer"}, "next": {"$ref": "#/$defs/line"}}}
  },
  "allOf": [
    {"if": {"properties": {"status": {"const": "SENT"}}}, "then": {"required": ["amount"]}},
    {"$ref": "#"}
  ]
}`).tape!;

const names = (path: string[], taken: string[] = []) =>
  suggestedNames(SCHEMA, path, new Set(taken)).map((name) => JSON.parse(name.literal));
const values = (...path: string[]) => suggestedValues(SCHEMA, path).map((value) => value.literal);

describe("names", () => {
  it("are those of the schema, required ones first, without those that are there", () => {
    expect(names([])).toEqual(["status", "amount", "customer", "lines", "pair", "paid"]);
    expect(names([], ["status", "lines"])).toEqual(["amount", "customer", "pair", "paid"]);
  });
  it("come through references and every branch of a composition", () => {
    expect(names(["customer"])).toEqual(["name", "vat"]);
    expect(names(["lines", "3", "next", "next"])).toEqual(["id", "next"]);
  });
  it("say how their value is written", () => {
    const [status, amount, customer, lines] = suggestedNames(SCHEMA, [], new Set());
    expect(status).toMatchObject({ detail: "required", opens: "", continues: true });
    expect(amount).toMatchObject({ detail: "number, required", description: "In euros.", opens: "", continues: false });
    expect(customer).toMatchObject({ detail: "object", description: "Customer", opens: "{", continues: true });
    expect(lines).toMatchObject({ detail: "array", opens: "[" });
  });
});

describe("values", () => {
  it("are those that the schema names", () => {
    expect(values("status")).toEqual(['"DRAFT"', '"SENT"', "null"]);
    expect(values("lines", "0")).toEqual(['"head"']);
    expect(values("pair", "0")).toEqual(['"old"']);
    expect(values("pair", "1")).toEqual(['"rest"']);
    expect(values("amount")).toEqual([]);
    expect(values("nowhere", "at", "all")).toEqual([]);
  });
  it("are those of a type that has few, with the default", () => {
    expect(suggestedValues(SCHEMA, ["paid"]).map(({ literal, detail }) => [literal, detail])).toEqual([
      ["true", ""],
      ["false", "default"],
      ["null", ""],
    ]);
  });
});

describe("hints", () => {
  it("say description, type and bounds, each number as it is written", () => {
    expect(hints(SCHEMA, ["amount"])).toEqual(["In euros.", "number", "at least 1, at most 9.10"]);
    expect(hints(SCHEMA, ["status"])).toEqual(['One of "DRAFT", "SENT", null']);
  });
  it("come from the pattern of a name, and otherwise from what holds for every other name", () => {
    expect(hints(SCHEMA, ["x-note"])).toEqual(["string"]);
    expect(hints(SCHEMA, ["other"])).toEqual(["Anything else"]);
  });
  it("are given for a pattern that would take JavaScript for ever, as it may match", () => {
    const patterns = scan('{"patternProperties": {"^(z+)+$": {"type": "string"}, "^y+$": {"type": "array"}}}').tape!;
    expect(hints(patterns, [`${"z".repeat(50)}!`])).toEqual(["string"]);
    expect(hints(patterns, ["y"])).toEqual(["string | array"]);
  });
});
