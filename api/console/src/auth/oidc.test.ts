import { expect, it } from "vitest";
import { authorizationUrl, base64url, challengeOf, randomText } from "./oidc";

it("computes the challenge of RFC 7636, appendix B", async () => {
  expect(await challengeOf("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).toBe(
    "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  );
});

it("encodes without padding and without characters that a URL changes", () => {
  expect(base64url(new Uint8Array([251, 255, 191]))).toBe("-_-_");
  expect(randomText(48)).toMatch(/^[A-Za-z0-9_-]{64}$/);
});

it("asks for a code with S256 and keeps the provider's own parameters", async () => {
  const config = {
    issuer: "https://id.example",
    client_id: "console",
    authorization_endpoint: "https://id.example/auth?tenant=7",
    token_endpoint: "https://id.example/token",
  };
  const pending = { state: "s", verifier: "v".repeat(43), returnTo: "/", popup: false };
  const url = new URL(await authorizationUrl(config, pending, "https://console.example/auth/callback"));
  expect(Object.fromEntries(url.searchParams)).toMatchObject({
    tenant: "7",
    response_type: "code",
    code_challenge_method: "S256",
    scope: "openid profile",
    state: "s",
    redirect_uri: "https://console.example/auth/callback",
  });
});
