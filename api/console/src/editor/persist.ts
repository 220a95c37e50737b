import { ConnectionLost, ProblemError } from "../api/http";

/** Seconds before each further try; the last one repeats. */
export const DELAYS = [1, 2, 4, 8, 15, 30] as const;

export interface Waiting {
  /** How many tries have failed so far. */
  failed: number;
  seconds: number;
}

export interface Patience {
  signal: AbortSignal;
  /** Told before every pause, and with null when the next try begins. */
  onWaiting(waiting: Waiting | null): void;
  /** Ends early when the network is back or the person says so. */
  pause(seconds: number): Promise<void>;
}

/**
 * Sends until the server has answered. Safe only because every try carries the same idempotency key: a save whose
 * answer was lost is answered again, not done again. A real answer, good or bad, ends it.
 */
export async function untilAnswered<T>(send: () => Promise<T>, patience: Patience): Promise<T> {
  for (let failed = 0; ; failed++) {
    try {
      return await send();
    } catch (reason) {
      if (!isTransient(reason) || patience.signal.aborted) throw reason;
      const seconds = DELAYS[Math.min(failed, DELAYS.length - 1)]!;
      patience.onWaiting({ failed: failed + 1, seconds });
      await patience.pause(seconds);
      if (patience.signal.aborted) throw reason;
      patience.onWaiting(null);
    }
  }
}

export function isTransient(reason: unknown): boolean {
  if (reason instanceof ConnectionLost) return true;
  return reason instanceof ProblemError && [502, 503, 504].includes(reason.status);
}

/** Ends after the seconds, when the browser comes back online, or when `skip` is called. */
export function pauseUntil(
  signal: AbortSignal,
  onSkip: (skip: () => void) => void,
): (seconds: number) => Promise<void> {
  return (seconds) =>
    new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        removeEventListener("online", done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, seconds * 1000);
      addEventListener("online", done);
      signal.addEventListener("abort", done);
      onSkip(done);
    });
}

/** Unique per edit; `randomUUID` exists on secure origins only. */
export function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
