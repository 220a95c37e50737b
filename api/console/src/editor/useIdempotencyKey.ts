import { useRef } from "preact/hooks";
import { newIdempotencyKey } from "./persist";

/**
 * A function from what is sent to its key: the same one while the same is sent again, so that nothing is done twice
 * where only the answer was lost, and another one for anything else.
 */
export function useIdempotencyKey(): (...sent: readonly unknown[]) => string {
  const last = useRef<{ sent: string; key: string } | null>(null);
  return (...sent) => {
    const text = JSON.stringify(sent);
    if (last.current?.sent !== text) last.current = { sent: text, key: newIdempotencyKey() };
    return last.current.key;
  };
}
