/** What the server says about its OpenID provider, in the names of OpenID Connect Discovery. */
export type OidcConfig = {
  issuer: string;
  client_id: string;
  scope?: string;
  authorization_endpoint: string;
  token_endpoint: string;
  end_session_endpoint?: string;
  id_token_signing_alg_values_supported?: string[];
};

export interface Tokens {
  access: string;
  refresh: string | null;
  /** Milliseconds since the epoch; null when the provider does not say. */
  expires: number | null;
}
