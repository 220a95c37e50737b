import { useCallback, useEffect, useState } from "preact/hooks";

export interface Loaded<T> {
  value: T | undefined;
  error: unknown;
  loading: boolean;
  reload(): void;
}

/** Loads when its dependencies change; the value stays in view while the next one comes. */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, dependencies: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ value: T | undefined; error: unknown; loading: boolean }>({
    value: undefined,
    error: undefined,
    loading: true,
  });
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the caller names what the load depends on.
  useEffect(() => {
    const controller = new AbortController();
    setState((before) => ({ ...before, error: undefined, loading: true }));
    load(controller.signal).then(
      (value) => !controller.signal.aborted && setState({ value, error: undefined, loading: false }),
      (error: unknown) =>
        !controller.signal.aborted && setState((before) => ({ value: before.value, error, loading: false })),
    );
    return () => controller.abort();
  }, [...dependencies, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  return { ...state, reload };
}

/** Calls again and again while mounted and the tab is in view. */
export function useEvery(milliseconds: number | null, act: () => void): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new interval for a new pace only.
  useEffect(() => {
    if (milliseconds === null) return;
    const timer = setInterval(() => !document.hidden && act(), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
}

export interface Pages<T> {
  items: T[];
  more: boolean;
  loading: boolean;
  error: unknown;
  loadMore(): void;
  reload(): void;
}

/** A list that grows page by page. */
export function usePages<T>(
  fetchPage: (cursor: string | undefined, signal: AbortSignal) => Promise<{ items: T[]; next: string | null }>,
  dependencies: readonly unknown[],
): Pages<T> {
  const first = useLoad((signal) => fetchPage(undefined, signal), dependencies);
  const [rest, setRest] = useState<{ of: unknown; items: T[]; next: string | null }>({
    of: null,
    items: [],
    next: null,
  });
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const mine = rest.of === first.value;
  const next = mine ? rest.next : (first.value?.next ?? null);
  const loadMore = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const page = await fetchPage(next ?? undefined, new AbortController().signal);
      setRest({ of: first.value, items: [...(mine ? rest.items : []), ...page.items], next: page.next });
    } catch (reason) {
      setError(reason);
    }
    setBusy(false);
  };
  return {
    items: [...(first.value?.items ?? []), ...(mine ? rest.items : [])],
    more: Boolean(next),
    loading: first.loading || busy,
    error: first.error ?? error,
    loadMore: () => void loadMore(),
    reload: first.reload,
  };
}
