/** OpenID Connect, authorization code flow with PKCE (RFC 7636), for a public client in the browser. */
export interface OidcConfig {
  issuer: string;
  client_id: string;
  scope?: string;
  authorization_endpoint: string;
  token_endpoint: string;
  end_session_endpoint?: string;
}

export interface Tokens {
  access: string;
  refresh: string | null;
  /** Milliseconds since the epoch; null when the provider does not say. */
  expires: number | null;
}

interface Pending {
  state: string;
  verifier: string;
  returnTo: string;
  /** A window of its own that signs in again while the page behind keeps its work. */
  popup: boolean;
}

const PENDING = "procvars.signin";
export const callbackUrl = (): string => `${location.origin}/auth/callback`;

export function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

export const randomText = (bytes = 32): string => base64url(crypto.getRandomValues(new Uint8Array(bytes)));

export async function challengeOf(verifier: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return base64url(new Uint8Array(digest));
}

export async function authorizationUrl(config: OidcConfig, pending: Pending, redirect: string): Promise<string> {
  const url = new URL(config.authorization_endpoint);
  const params = {
    response_type: "code",
    client_id: config.client_id,
    redirect_uri: redirect,
    scope: config.scope ?? "openid profile",
    state: pending.state,
    code_challenge: await challengeOf(pending.verifier),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  return url.href;
}

export async function begin(config: OidcConfig, returnTo: string, popup = false): Promise<void> {
  if (!crypto.subtle) throw new Error("Signing in needs https, or an address on this machine.");
  const pending: Pending = { state: randomText(), verifier: randomText(48), returnTo, popup };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  location.assign(await authorizationUrl(config, pending, callbackUrl()));
}

/** What the provider sent back. Throws in plain words; the code is used once whatever happens. */
export async function complete(config: OidcConfig, query: URLSearchParams): Promise<{ tokens: Tokens } & Pending> {
  const stored = sessionStorage.getItem(PENDING);
  sessionStorage.removeItem(PENDING);
  if (query.has("error"))
    throw new Error(query.get("error_description") ?? `The sign-in failed: ${query.get("error")}`);
  const pending = stored === null ? null : (JSON.parse(stored) as Pending);
  if (!pending || pending.state !== query.get("state"))
    throw new Error("This sign-in was not started here. Try again.");
  if (query.has("iss") && query.get("iss") !== config.issuer) throw new Error("The answer came from another provider.");
  const tokens = await exchange(config, {
    grant_type: "authorization_code",
    code: query.get("code") ?? "",
    redirect_uri: callbackUrl(),
    code_verifier: pending.verifier,
  });
  return { tokens, ...pending };
}

export const refresh = (config: OidcConfig, token: string): Promise<Tokens> =>
  exchange(config, { grant_type: "refresh_token", refresh_token: token });

async function exchange(config: OidcConfig, form: Record<string, string>): Promise<Tokens> {
  const body = new URLSearchParams({ client_id: config.client_id, ...form });
  const response = await fetch(config.token_endpoint, {
    method: "POST",
    body,
    headers: { Accept: "application/json" },
  });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(String(answer.error_description ?? answer.error ?? "The sign-in failed."));
  return {
    access: String(answer.access_token),
    refresh: typeof answer.refresh_token === "string" ? answer.refresh_token : (form.refresh_token ?? null),
    expires: typeof answer.expires_in === "number" ? Date.now() + answer.expires_in * 1000 : null,
  };
}
