import { signal } from "@preact/signals";

/** History routing without a library: one signal with the address, one guard for unsaved work. */
export interface Address {
  path: string;
  query: URLSearchParams;
}

const read = (): Address => ({ path: location.pathname, query: new URLSearchParams(location.search) });

export const address = signal<Address>(read());

/** Asked before the page is left; answers whether leaving is fine. */
type Guard = (target: string) => Promise<boolean>;
let guard: Guard | null = null;
let shown = location.pathname + location.search;

export function setGuard(next: Guard | null): void {
  guard = next;
}

export async function go(target: string, how: { replace?: boolean } = {}): Promise<void> {
  if (guard && leaves(target) && !(await guard(target))) return;
  travel(target, how.replace);
}

function travel(target: string, replace = false): void {
  if (replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  arrive();
}

window.addEventListener("popstate", () => {
  const target = location.pathname + location.search;
  if (!guard || !leaves(target)) return arrive();
  history.pushState(null, "", shown);
  void guard(target).then((fine) => {
    if (fine) travel(target);
  });
});

window.addEventListener("beforeunload", (event) => {
  if (guard) event.preventDefault();
});

/** Left-clicks on links inside the console stay inside the page. */
document.addEventListener("click", (event) => {
  const link = (event.target as Element | null)?.closest?.("a[href]");
  if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const href = link.getAttribute("href")!;
  if (!href.startsWith("/") || link.hasAttribute("download") || link.getAttribute("target")) return;
  event.preventDefault();
  void go(href);
});

function leaves(target: string): boolean {
  return target !== shown;
}

function arrive(): void {
  const before = shown.split("?")[0];
  shown = location.pathname + location.search;
  if (location.pathname !== before) scrollTo(0, 0);
  address.value = read();
}

export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const given = path.replace(/\/$/, "").split("/");
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith(":")) {
      const decoded = percentDecoded(given[index]!);
      if (decoded === null) return null;
      params[part.slice(1)] = decoded;
    } else if (part !== given[index]) return null;
  }
  return params;
}

/** The text that is percent-encoded, or null for a malformed encoding such as `%zz`. */
function percentDecoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

export const to = {
  overview: (ws: string): string => `/w/${encodeURIComponent(ws)}/overview`,
  instances: (ws: string): string => `/w/${encodeURIComponent(ws)}/instances`,
  instance: (ws: string, id: string, tab = "variables", query = ""): string =>
    `/w/${encodeURIComponent(ws)}/instances/${encodeURIComponent(id)}/${tab}${query}`,
  bulk: (ws: string, id = ""): string =>
    `/w/${encodeURIComponent(ws)}/bulk-modifications${id && `/${encodeURIComponent(id)}`}`,
  tasks: (ws: string): string => `/w/${encodeURIComponent(ws)}/tasks`,
  audit: (ws: string): string => `/w/${encodeURIComponent(ws)}/audit-log`,
  newBulk: (ws: string, query = ""): string => `/w/${encodeURIComponent(ws)}/bulk-modifications/new${query}`,
  projections: (): string => "/projections",
};
