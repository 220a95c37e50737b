import { describe, expect, it } from "vitest";
import { converted, literalFrom, typedFrom } from "./typedValue";

describe("a value is edited as what it is", () => {
  it("and stays the literal that it was where nothing is typed", () => {
    const literals = [
      '"Ana"',
      '"a \\"quote\\" and a\\nline"',
      "12345678901234567890",
      "1.50",
      "-0.0",
      "1E2",
      "true",
      "null",
    ];
    for (const literal of [...literals, '"\\r\\n"', '"\\u0000"', '"\\u0041"', "[]"])
      expect(literalFrom(typedFrom(literal))).toEqual({ literal });
  });
  it("by its type, or as it is written where a field would change it", () => {
    const types = ['"a"', '"a\\r\\n"', '"\\u0041"', "1", "false", "null", "{}", "[1]"].map(
      (one) => typedFrom(one).type,
    );
    expect(types).toEqual(["text", "json", "json", "number", "truth", "null", "json", "json"]);
  });
});

describe("what is typed", () => {
  it("is a number only if JSON has it", () => {
    expect(literalFrom({ type: "number", typed: " 0.10 " })).toEqual({ literal: "0.10" });
    for (const typed of ["", "1,5", "01", "+1", ".5", "0x1", "NaN"])
      expect(literalFrom({ type: "number", typed })).toHaveProperty("problem");
  });
  it("is JSON, laid out, or says where it is not", () => {
    expect(literalFrom({ type: "json", typed: '{"a":[1.0]}' })).toEqual({ literal: '{\n  "a": [\n    1.0\n  ]\n}' });
    expect(literalFrom({ type: "json", typed: "[1 2]" })).toEqual({ problem: expect.stringContaining("comma") });
  });
});

describe("another type", () => {
  it("keeps what makes sense there", () => {
    expect(converted({ type: "text", typed: "12" }, "number")).toEqual({ type: "number", typed: "12" });
    expect(converted({ type: "number", typed: "12" }, "text")).toEqual({ type: "text", typed: "12" });
    expect(converted({ type: "text", typed: "true" }, "truth").typed).toBe("true");
    expect(converted({ type: "text", typed: "a" }, "json").typed).toBe('"a"');
    expect(converted({ type: "json", typed: '"a"' }, "text").typed).toBe("a");
    expect(converted({ type: "null", typed: "" }, "text").typed).toBe("");
  });
});
