import { signal } from "@preact/signals";

/** Light, dark, or as the system says. */
export type Theme = "system" | "light" | "dark";

const KEY = "procvars.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<(dark: boolean) => void>();

export const theme = signal<Theme>((localStorage.getItem(KEY) as Theme | null) ?? "system");

export const isDark = (): boolean => (theme.value === "system" ? dark.matches : theme.value === "dark");

export function onTheme(listener: (dark: boolean) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function setTheme(next: Theme): void {
  theme.value = next;
  localStorage.setItem(KEY, next);
  apply();
}

export function apply(): void {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  for (const listener of listeners) listener(isDark());
}

dark.addEventListener("change", apply);
