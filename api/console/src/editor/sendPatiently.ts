import { pauseUntil, untilAnswered, type Waiting } from "./persist";

/** What a page shows of a request under way. */
export type Sending = { at: "sending" } | { at: "waiting"; waiting: Waiting; tryNow(): void };

/** Sends until there is an answer; shows when it waits for the next try, which the person can hasten. */
export function sendPatiently<T>(
  send: () => Promise<T>,
  signal: AbortSignal,
  show: (sending: Sending) => void,
): Promise<T> {
  let tryNow = (): void => {};
  show({ at: "sending" });
  return untilAnswered(send, {
    signal,
    pause: pauseUntil(signal, (skip) => {
      tryNow = skip;
    }),
    onWaiting: (waiting) => show(waiting ? { at: "waiting", waiting, tryNow: () => tryNow() } : { at: "sending" }),
  });
}
