import { useEffect, useState } from "preact/hooks";
import type { Arrival, Sync } from "../api/types";
import { arrivalWords, deliveryWords } from "../api/words";
import type { Workspace } from "../api/workspace";

const QUICK = 400;
const SLOW = 2000;
/** After this long something is wrong, and asking more often does not mend it. */
const PATIENT = 120_000;

/** Asks until every read model and consumer has caught up, or goes on asking while the tab is open. */
export function useSync(api: Workspace, id: string, how: { forever?: boolean; target?: number }) {
  const [state, setState] = useState<{ sync: Sync | null; error: unknown }>({ sync: null, error: undefined });
  const { forever = false, target = 0 } = how;
  useEffect(() => {
    const controller = new AbortController();
    const began = Date.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      let done = false;
      try {
        const sync = await api.sync(id, controller.signal);
        setState({ sync, error: undefined });
        const arrivals = Object.values(sync.consumers ?? {});
        done =
          Object.values(sync.projections).every((one) => reached(sync, one, target)) &&
          arrivals.every((one) => arrived(sync, one, target) !== "waiting");
      } catch (error) {
        if (controller.signal.aborted) return;
        setState((before) => ({ ...before, error }));
      }
      const age = Date.now() - began;
      if (!forever && (done || age > PATIENT)) return;
      timer = setTimeout(() => void ask(), done || age > 10_000 ? SLOW : QUICK);
    };
    void ask();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [api, id, forever, target]);
  return state;
}

/** `current` is about `sync.version`, the newest the event store has; that one has to include the save we wait for. */
export const reached = (sync: Sync, one: Sync["projections"][string], target: number): boolean =>
  !one.parked && one.current && sync.version >= target;

/** An answer from before the save says nothing of it. */
const arrived = (sync: Sync, one: Arrival, target: number): Arrival["state"] =>
  sync.version >= target ? one.state : "waiting";

const DOTS = { waiting: "behind", applied: "current", refused: "parked" };

export function SyncList({ sync, target }: { sync: Sync; target: number }) {
  const consumers = Object.entries(sync.consumers ?? {});
  return (
    <>
      <ReadModels sync={sync} target={target} />
      {consumers.length > 0 && (
        <ul class="sync" aria-label="Consumers">
          {consumers.map(([name, one]) => {
            const state = arrived(sync, one, target);
            return (
              <li key={name} class={DOTS[state]}>
                <span class="dot" aria-hidden="true" />
                <strong>{name}</strong>
                <span>{arrivalWords({ ...one, state })}</span>
              </li>
            );
          })}
        </ul>
      )}
    </>
  );
}

function ReadModels({ sync, target }: { sync: Sync; target: number }) {
  return (
    <ul class="sync" aria-label="Read models">
      {Object.entries(sync.projections).map(([name, one]) => {
        const state = one.parked ? "parked" : reached(sync, one, target) ? "current" : "behind";
        return (
          <li key={name} class={state}>
            <span class="dot" aria-hidden="true" />
            <strong>{one.title}</strong>
            <span>
              {one.state !== undefined && deliveryWords(one)}
              {one.state === undefined &&
                state === "current" &&
                `up to date${one.version === null ? "" : `, version ${one.version}`}`}
              {one.state === undefined &&
                state === "behind" &&
                `catching up${one.version === null ? "" : `, at version ${one.version}`}`}
              {one.state === undefined &&
                state === "parked" &&
                "parked: this change could not be applied here. An operator of projections can try again."}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
