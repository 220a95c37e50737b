import { describe, expect, it } from "vitest";
import { ConnectionLost, ProblemError } from "../api/http";
import { newIdempotencyKey, untilAnswered, type Waiting } from "./persist";

function patience(controller = new AbortController()) {
  const waits: (Waiting | null)[] = [];
  return {
    waits,
    controller,
    signal: controller.signal,
    onWaiting: (waiting: Waiting | null) => void waits.push(waiting),
    pause: async () => {},
  };
}

describe("untilAnswered", () => {
  it("tries again after a lost connection until an answer comes", async () => {
    const how = patience();
    let tries = 0;
    const answer = await untilAnswered(async () => {
      if (++tries < 4) throw new ConnectionLost();
      return "saved";
    }, how);
    expect([answer, tries]).toEqual(["saved", 4]);
    expect(how.waits.filter((wait) => wait !== null).map((wait) => wait.seconds)).toEqual([1, 2, 4]);
  });

  it("takes a refusal for an answer", async () => {
    const conflict = new ProblemError(412, "version-conflict", "", "", {});
    await expect(untilAnswered(() => Promise.reject(conflict), patience())).rejects.toBe(conflict);
  });

  it("tries again when a proxy says the server is away", async () => {
    let tries = 0;
    const answer = await untilAnswered(async () => {
      if (++tries === 1) throw new ProblemError(503, "", "", "", {});
      return tries;
    }, patience());
    expect(answer).toBe(2);
  });

  it("stops when the person gives up", async () => {
    const how = patience();
    const lost = new ConnectionLost();
    how.pause = async () => how.controller.abort();
    await expect(untilAnswered(() => Promise.reject(lost), how)).rejects.toBe(lost);
  });
});

it("makes keys that never repeat", () => {
  expect(new Set(Array.from({ length: 1000 }, newIdempotencyKey)).size).toBe(1000);
});
