import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ConnectionLost } from "../api/http";
import { authorizationUrl, complete, refresh } from "./oidc";

const config = {
  issuer: "https://id.example",
  client_id: "console",
  authorization_endpoint: "https://id.example/auth?tenant=7",
  token_endpoint: "https://id.example/token",
};
const pending = { state: "s", verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", returnTo: "/w", popup: false };
let sent: URLSearchParams[];

function answerWith(status: number, body: Record<string, unknown>) {
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    sent.push(new URLSearchParams(String(init.body)));
    return Response.json(body, { status });
  });
}

beforeEach(() => {
  sent = [];
  const kept = new Map([["procvars.signin", JSON.stringify(pending)]]);
  vi.stubGlobal("location", { origin: "https://console.example", protocol: "https:" });
  vi.stubGlobal("sessionStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    removeItem: (name: string) => kept.delete(name),
  });
});
afterEach(() => void vi.unstubAllGlobals());

it("asks for a code with S256 and keeps the provider's own parameters", async () => {
  const url = new URL(await authorizationUrl(config, pending, "https://console.example/auth/callback"));
  expect(Object.fromEntries(url.searchParams)).toEqual({
    tenant: "7",
    response_type: "code",
    client_id: "console",
    // Of RFC 7636, appendix B.
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    scope: "openid profile",
    state: "s",
    redirect_uri: "https://console.example/auth/callback",
  });
});

it("exchanges the code once, with the verifier", async () => {
  answerWith(200, { access_token: "a", token_type: "Bearer", refresh_token: "r", expires_in: 60 });
  const query = new URLSearchParams("code=c&state=s&iss=https://id.example");
  const { tokens, returnTo } = await complete(config, query);
  expect(tokens).toMatchObject({ access: "a", refresh: "r" });
  expect(returnTo).toBe("/w");
  expect(Object.fromEntries(sent[0]!)).toMatchObject({
    code: "c",
    code_verifier: pending.verifier,
    client_id: "console",
  });
  await expect(complete(config, query)).rejects.toThrow("not started here");
  expect(sent).toHaveLength(1);
});

it("takes no answer of another sign-in or another provider", async () => {
  for (const query of ["code=c&state=other", "code=c&state=s&iss=https://evil.example"]) {
    sessionStorage.getItem = () => JSON.stringify(pending);
    await expect(complete(config, new URLSearchParams(query))).rejects.toThrow("not started here");
  }
});

it("tells a refusal in the provider's words", async () => {
  const query = new URLSearchParams("error=access_denied&error_description=The+bank+says+no.&state=s");
  await expect(complete(config, query)).rejects.toThrow("The bank says no.");
});

it("keeps a refresh token that is not replaced, and takes the next one where it is", async () => {
  answerWith(200, { access_token: "a", token_type: "bearer" });
  expect(await refresh(config, "first")).toEqual({ access: "a", refresh: "first", expires: null });
  answerWith(200, { access_token: "a", token_type: "bearer", refresh_token: "second" });
  expect((await refresh(config, "first")).refresh).toBe("second");
});

it("tells a provider that refuses from one that is away", async () => {
  answerWith(400, { error: "invalid_grant", error_description: "It has ended." });
  await expect(refresh(config, "r")).rejects.toThrow("It has ended.");
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  await expect(refresh(config, "r")).rejects.toBeInstanceOf(ConnectionLost);
});
