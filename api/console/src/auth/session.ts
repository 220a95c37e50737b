import { computed, signal } from "@preact/signals";
import { ConnectionLost, type Credentials, Http } from "../api/http";
import { Organisation } from "../api/organisation";
import type { Me } from "../api/types";
import { Workspace } from "../api/workspace";
import type { OidcConfig, Tokens } from "./tokens";

export interface ConsoleConfig {
  sample_users: { name: string; role: string; token: string }[] | null;
  oidc: OidcConfig | null;
}

const TOKENS = "procvars.tokens";
/** Renew this long before the end, so that no save meets an expired token. */
const MARGIN = 30_000;

export const config = signal<ConsoleConfig | null>(null);
export const me = signal<Me | null>(null);
/** The token ended while somebody was at work: the page stays, a dialog asks to sign in again. */
export const signInEnded = signal(false);

let tokens: Tokens | null = JSON.parse(sessionStorage.getItem(TOKENS) ?? "null") as Tokens | null;
let renewing: Promise<string | null> | null = null;
let refreshing: Promise<boolean> | null = null;
let waiting: ((token: string | null) => void)[] = [];

const credentials: Credentials = {
  async token() {
    if (endsWithin(MARGIN)) {
      try {
        await tryRefresh();
      } catch (reason) {
        // The provider cannot be reached; the token may be good for a moment longer.
        if (endsWithin(0)) throw reason;
      }
    }
    return tokens?.access ?? null;
  },
  renew() {
    renewing ??= renewOrAsk().finally(() => {
      renewing = null;
    });
    return renewing;
  },
};

export const http = new Http(credentials);
export const organisation = new Organisation(http);
const apis = new Map<string, Workspace>();

export function workspaceApi(name: string): Workspace {
  const api = apis.get(name) ?? new Workspace(http, name);
  apis.set(name, api);
  return api;
}

export const workspaces = computed<string[]>(() => Object.keys(me.value?.workspaces ?? {}).sort());

export function may(permission: string, workspace?: string): boolean {
  const who = me.value;
  if (!who) return false;
  if (who.permissions.includes(permission)) return true;
  return workspace !== undefined && (who.workspaces[workspace]?.permissions.includes(permission) ?? false);
}

export const hasToken = (): boolean => tokens !== null;

export async function loadConfig(): Promise<void> {
  const response = await fetch("/console-config.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`The console's settings cannot be read (${response.status}).`);
  config.value = (await response.json()) as ConsoleConfig;
}

export async function loadMe(): Promise<void> {
  me.value = await organisation.me();
}

export function adopt(next: Tokens | null): void {
  tokens = next;
  if (next) sessionStorage.setItem(TOKENS, JSON.stringify(next));
  else sessionStorage.removeItem(TOKENS);
}

export async function useSampleUser(token: string): Promise<void> {
  adopt({ access: token, refresh: null, expires: null });
  await resume();
}

export function signOut(): void {
  adopt(null);
  me.value = null;
  settle(null);
  const end = config.value?.oidc?.end_session_endpoint;
  if (!end) return;
  const url = new URL(end);
  url.searchParams.set("client_id", config.value!.oidc!.client_id);
  url.searchParams.set("post_logout_redirect_uri", location.origin);
  location.assign(url.href);
}

/** After a new sign-in: the calls that were waiting go on, but never in another person's name. */
export async function resume(): Promise<void> {
  const before = me.value?.user;
  const who = await organisation.me();
  me.value = who;
  settle(before === undefined || before === who.user ? (tokens?.access ?? null) : null);
}

const channel = new BroadcastChannel("procvars.signin");
channel.onmessage = (event: MessageEvent<Tokens>) => {
  if (!signInEnded.value) return;
  adopt(event.data);
  void resume();
};

export function handOver(next: Tokens): void {
  channel.postMessage(next);
}

const endsWithin = (milliseconds: number): boolean =>
  Boolean(tokens?.expires && tokens.refresh && tokens.expires - milliseconds < Date.now());

/**
 * Renews once for all calls that need it: a provider may accept a refresh token only once. Throws ConnectionLost where
 * the provider cannot be reached.
 */
function tryRefresh(): Promise<boolean> {
  refreshing ??= refreshTokens().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function refreshTokens(): Promise<boolean> {
  const settings = config.value?.oidc;
  if (!tokens?.refresh || !settings) return false;
  const oidc = await import("./oidc");
  try {
    adopt(await oidc.refresh(settings, tokens.refresh));
    return true;
  } catch (reason) {
    if (reason instanceof ConnectionLost) throw reason;
    // The provider no longer accepts the refresh token; the person signs in again.
    return false;
  }
}

async function renewOrAsk(): Promise<string | null> {
  if (await tryRefresh()) return tokens!.access;
  if (!me.value) {
    adopt(null);
    return null;
  }
  signInEnded.value = true;
  return new Promise((resolve) => waiting.push(resolve));
}

function settle(token: string | null): void {
  for (const resolve of waiting) resolve(token);
  waiting = [];
  signInEnded.value = false;
}
