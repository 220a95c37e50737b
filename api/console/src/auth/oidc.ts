/**
 * OpenID Connect, authorization code flow with PKCE (RFC 7636), for a public client in the browser.
 * A chunk of its own: whoever has a token that is still good does not wait for it.
 */
import * as oauth from "oauth4webapi";
import { ConnectionLost } from "../api/http";
import type { OidcConfig, Tokens } from "./tokens";

interface Pending {
  state: string;
  verifier: string;
  returnTo: string;
  /** A window of its own that signs in again while the page behind keeps its work. */
  popup: boolean;
}

const PENDING = "procvars.signin";
const callbackUrl = (): string => `${location.origin}/auth/callback`;

export async function authorizationUrl(config: OidcConfig, pending: Pending, redirect: string): Promise<string> {
  const url = new URL(config.authorization_endpoint);
  const params = {
    response_type: "code",
    client_id: config.client_id,
    redirect_uri: redirect,
    scope: config.scope ?? "openid profile",
    state: pending.state,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  return url.href;
}

export async function begin(config: OidcConfig, returnTo: string, popup = false): Promise<void> {
  if (!crypto.subtle) throw new Error("Signing in needs https, or an address on this machine.");
  const pending: Pending = {
    state: oauth.generateRandomState(),
    verifier: oauth.generateRandomCodeVerifier(),
    returnTo,
    popup,
  };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  location.assign(await authorizationUrl(config, pending, callbackUrl()));
}

/** What the provider sent back. Throws in plain words; the code is used once whatever happens. */
export async function complete(config: OidcConfig, query: URLSearchParams): Promise<{ tokens: Tokens } & Pending> {
  const stored = sessionStorage.getItem(PENDING);
  sessionStorage.removeItem(PENDING);
  if (stored === null) throw new Error(FOREIGN);
  const pending = JSON.parse(stored) as Pending;
  const answer = validated(config, query, pending.state);
  const tokens = await exchange(null, async () => {
    const sent = oauth.authorizationCodeGrantRequest(
      config,
      config,
      oauth.None(),
      answer,
      callbackUrl(),
      pending.verifier,
      options(),
    );
    return oauth.processAuthorizationCodeResponse(config, config, await sent);
  });
  return { tokens, ...pending };
}

/** The tokens that a refresh token is exchanged for. Throws ConnectionLost where the provider cannot be reached. */
export const refresh = (config: OidcConfig, token: string): Promise<Tokens> =>
  exchange(token, async () => {
    const sent = oauth.refreshTokenGrantRequest(config, config, oauth.None(), token, options());
    return oauth.processRefreshTokenResponse(config, config, await sent);
  });

const FOREIGN = "This sign-in was not started here. Try again.";

function validated(config: OidcConfig, query: URLSearchParams, state: string): URLSearchParams {
  try {
    return oauth.validateAuthResponse(config, config, query, state);
  } catch (reason) {
    if (reason instanceof oauth.AuthorizationResponseError)
      throw new Error(reason.error_description ?? `The sign-in failed: ${reason.error}`, { cause: reason });
    // Of another provider, or of a sign-in that another window began.
    throw new Error(FOREIGN, { cause: reason });
  }
}

/** A console without TLS is on this machine, and so may its provider be. */
const options = () => ({ [oauth.allowInsecureRequests]: location.protocol === "http:" });

async function exchange(before: string | null, send: () => Promise<oauth.TokenEndpointResponse>): Promise<Tokens> {
  let answer: oauth.TokenEndpointResponse;
  try {
    answer = await send();
  } catch (reason) {
    // The library's own TypeErrors, of wrong arguments, have a code.
    if (reason instanceof TypeError && !("code" in reason))
      throw new ConnectionLost("The identity provider cannot be reached.", { cause: reason });
    if (reason instanceof oauth.ResponseBodyError) reason.message = reason.error_description ?? reason.error;
    throw reason;
  }
  return {
    access: answer.access_token,
    // A provider that rotates refresh tokens sends the next one; the others go on with the one there is.
    refresh: answer.refresh_token ?? before,
    expires: answer.expires_in === undefined ? null : Date.now() + answer.expires_in * 1000,
  };
}
