import { useEffect, useState } from "preact/hooks";

export type Monaco = typeof import("./monaco");

let loading: Promise<Monaco> | null = null;

/** Monaco is a chunk of its own, fetched once, when the first editor is about to be shown. */
export function loadMonaco(): Promise<Monaco> {
  loading ??= import("./monaco").catch((reason: unknown) => {
    loading = null;
    throw reason;
  });
  return loading;
}

/** Fetches the chunk while the page is idle, for a person who may edit. */
export function preloadMonaco(): void {
  const idle = globalThis.requestIdleCallback ?? ((act: () => void) => setTimeout(act, 300));
  idle(() => void loadMonaco().catch(() => undefined));
}

export function useMonaco(): { monaco: Monaco | null; error: unknown } {
  const [state, setState] = useState<{ monaco: Monaco | null; error: unknown }>({ monaco: null, error: undefined });
  useEffect(() => {
    let mounted = true;
    loadMonaco().then(
      (monaco) => mounted && setState({ monaco, error: undefined }),
      (error: unknown) => mounted && setState({ monaco: null, error }),
    );
    return () => {
      mounted = false;
    };
  }, []);
  return state;
}
