import { afterEach, beforeEach, expect, it, vi } from "vitest";

type Session = typeof import("./session");

const OIDC = {
  issuer: "https://id.example",
  client_id: "console",
  authorization_endpoint: "https://id.example/auth",
  token_endpoint: "https://id.example/token",
};
/** What the provider does with a refresh token. */
let onRefresh: (token: string) => Response | Promise<Response>;
let spent: string[];
let asked: (string | null)[];
let session: Session;

beforeEach(async () => {
  spent = [];
  asked = [];
  onRefresh = () =>
    Response.json({ access_token: "fresh", token_type: "Bearer", refresh_token: "second", expires_in: 3600 });
  const kept = new Map<string, string>();
  vi.stubGlobal("location", { origin: "https://console.example", protocol: "https:" });
  vi.stubGlobal("sessionStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
    removeItem: (name: string) => kept.delete(name),
  });
  vi.stubGlobal("fetch", async (input: string, init: RequestInit) => {
    if (input.startsWith("/api")) {
      const { Authorization } = init.headers as Record<string, string>;
      asked.push(Authorization ?? null);
      return Response.json(
        { type: "urn:procvars:token-expired" },
        { status: Authorization === "Bearer old" ? 401 : 200 },
      );
    }
    if (input === "/console-config.json") return Response.json({ sample_users: null, oidc: OIDC });
    const token = new URLSearchParams(String(init.body)).get("refresh_token")!;
    spent.push(token);
    return onRefresh(token);
  });
  vi.resetModules();
  session = await import("./session");
  await session.loadConfig();
});
afterEach(() => void vi.unstubAllGlobals());

const call = () => session.http.json("/me");

it("spends a refresh token once for calls at the same time, before their token ends", async () => {
  session.adopt({ access: "old", refresh: "first", expires: Date.now() + 1000 });
  await Promise.all([call(), call(), call()]);
  expect(spent).toEqual(["first"]);
  expect(asked).toEqual(["Bearer fresh", "Bearer fresh", "Bearer fresh"]);
});

it("spends it once for calls that the server refused", async () => {
  session.adopt({ access: "old", refresh: "first", expires: null });
  await Promise.all([call(), call(), call()]);
  expect(spent).toEqual(["first"]);
  expect(asked.slice(3)).toEqual(["Bearer fresh", "Bearer fresh", "Bearer fresh"]);
});

it("goes on with a token that is still good while the provider is away", async () => {
  onRefresh = () => Promise.reject(new TypeError("Failed to fetch"));
  session.adopt({ access: "current", refresh: "first", expires: Date.now() + 1000 });
  await call();
  expect(asked).toEqual(["Bearer current"]);
});

it("does not take an absent provider for a refusal", async () => {
  onRefresh = () => Promise.reject(new TypeError("Failed to fetch"));
  session.adopt({ access: "old", refresh: "first", expires: Date.now() - 1 });
  await expect(call()).rejects.toThrow("cannot be reached");
  expect(session.hasToken()).toBe(true);
});

it("drops tokens that the provider no longer takes", async () => {
  onRefresh = () => Response.json({ error: "invalid_grant" }, { status: 400 });
  session.adopt({ access: "old", refresh: "first", expires: Date.now() - 1 });
  await expect(call()).rejects.toMatchObject({ status: 401 });
  expect(session.hasToken()).toBe(false);
});
