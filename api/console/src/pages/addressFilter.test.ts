import { expect, it } from "vitest";
import { textFilter } from "./addressFilter";

const tasks = textFilter(["keyword", "status"]);

it("stands in the address, and comes back from there", () => {
  const filter = { keyword: "ACC-1*&", status: "OPEN" };
  expect(tasks.query(filter)).toBe("?keyword=ACC-1*%26&status=OPEN");
  expect(tasks.from(new URLSearchParams(tasks.query(filter)))).toEqual(filter);
});

it("leaves out what is empty or unknown", () => {
  expect(tasks.query(tasks.none)).toBe("");
  expect(tasks.from(new URLSearchParams("keyword=a&other=b"))).toEqual({ keyword: "a", status: "" });
  expect(tasks.isEmpty(tasks.none)).toBe(true);
  expect(tasks.isEmpty({ keyword: "", status: "OPEN" })).toBe(false);
});
