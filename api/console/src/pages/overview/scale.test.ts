import { expect, it } from "vitest";
import { axisEnd, percentOf } from "./scale";

it("ends an axis at a round number that holds every value", () => {
  expect([[], [0, 0], [1], [3, 2], [7], [20], [21], [9_999]].map(axisEnd)).toEqual([1, 1, 1, 5, 10, 20, 50, 10_000]);
});

it("shows few beside many, and nothing as nothing", () => {
  expect([0, 1, 250, 500].map((value) => percentOf(value, 500))).toEqual([0, 1, 50, 100]);
});
