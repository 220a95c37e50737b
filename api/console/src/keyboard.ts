import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { store, stored } from "./widgets/stored";

/**
 * Keys that do something on the page that is shown. A key alone does nothing while somebody types, and can be turned
 * off, for people whose voice or hands press keys unasked (WCAG 2.1.4).
 */
export interface Shortcut {
  /** `KeyboardEvent.key`, with `Alt+` or `Ctrl+` before it. `Ctrl` is also the command key of a Mac. */
  keys: string;
  /** What it does, as the help says it. */
  label: string;
  act(): void;
}

const TYPED_IN = "input:not([type=checkbox], [type=radio]), textarea, select, [role=textbox], .monaco-editor";
const SINGLE_KEYS = "shortcuts.singleKeys";

export const shortcuts = signal<readonly Shortcut[]>([]);
export const singleKeys = signal(stored(SINGLE_KEYS, true, (value): value is boolean => typeof value === "boolean"));

export function allowSingleKeys(allowed: boolean): void {
  singleKeys.value = allowed;
  store(SINGLE_KEYS, allowed);
}

/** The keys of an event as a shortcut names them. */
export function keysOf(event: Pick<KeyboardEvent, "key" | "code" | "altKey" | "ctrlKey" | "metaKey">): string {
  // With Alt, a Mac types another character.
  const key = event.altKey && /^Key[A-Z]$/.test(event.code) ? event.code.slice(3) : event.key;
  const named = key.length === 1 ? key.toLowerCase() : key;
  return `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${named}`;
}

/** The shortcut that some keys stand for now, if any: of two for the same keys, the one of what was shown last. */
export function shortcutFor(
  keys: string,
  known: readonly Shortcut[],
  now: { typing: boolean; singleKeysAllowed: boolean },
): Shortcut | undefined {
  if (!keys.includes("+") && (now.typing || !now.singleKeysAllowed)) return undefined;
  return known.findLast((one) => one.keys === keys);
}

/** Offers a shortcut while the component is there; null for not now. */
export function useShortcut(keys: string, label: string, act: (() => void) | null): void {
  const latest = useRef(act);
  latest.current = act;
  const offered = act !== null;
  useEffect(() => {
    if (!offered) return;
    const shortcut = { keys, label, act: () => latest.current?.() };
    shortcuts.value = [...shortcuts.peek(), shortcut];
    return () => {
      shortcuts.value = shortcuts.peek().filter((one) => one !== shortcut);
    };
  }, [keys, label, offered]);
}

/** Listens to the keys of the page. What an editor or a widget has taken for itself is left to it. */
export function listenToKeys(): void {
  document.addEventListener("keydown", (event) => {
    const at = event.target as Element;
    if (event.defaultPrevented || event.isComposing || at.closest("[role=menu]")) return;
    // A dialog is answered first; but the browser does not get its keys, such as those for saving the page, either.
    const inDialog = at.closest("dialog") !== null;
    const typing = inDialog || at.closest(TYPED_IN) !== null;
    const found = shortcutFor(keysOf(event), shortcuts.peek(), { typing, singleKeysAllowed: singleKeys.peek() });
    if (!found) return;
    event.preventDefault();
    if (!inDialog) found.act();
  });
}
