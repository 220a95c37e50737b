import { signal } from "@preact/signals";

/** What a screen reader is told, and everyone sees for a few seconds. */
export const announcement = signal<{ text: string; tone: "good" | "bad" } | null>(null);

let timer: ReturnType<typeof setTimeout> | undefined;

export function announce(text: string, tone: "good" | "bad" = "good"): void {
  announcement.value = { text, tone };
  clearTimeout(timer);
  timer = setTimeout(
    () => {
      announcement.value = null;
    },
    tone === "good" ? 3500 : 8000,
  );
}

export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    announce(`${what} copied: ${text.length > 80 ? `${text.slice(0, 80)}…` : text}`);
  } catch {
    announce("The browser did not allow copying.", "bad");
  }
}
