import { useEffect, useState } from "preact/hooks";
import type { Incident, ReadModel } from "../../api/types";
import { deliveryWords } from "../../api/words";
import { announce } from "../../widgets/announce";
import { useEvery, useLoad } from "../../widgets/load";
import { Path, Time, Trouble } from "../../widgets/small";
import type { TabProps } from "./tabProps";

const EVERY = 2000;

/** What the process engine says of the instance: changes that have not arrived there, and steps that failed. */
export function EnginePanel({ api, instance, canEdit, reload }: TabProps) {
  const [trouble, setTrouble] = useState<unknown>(undefined);
  const [busy, setBusy] = useState(false);
  const look = useLoad(
    async (signal) => {
      const sync = await api.sync(instance.id, signal);
      return { version: sync.version, delivery: sync.projections.engine_delivery };
    },
    [instance.id, instance.version],
  );
  const failed = useLoad(
    (signal) => (canEdit || instance.editable ? api.incidents(instance.id, signal) : Promise.resolve([])),
    [instance.id, instance.version],
  );
  useEvery(instance.editable ? EVERY : null, () => {
    look.reload();
    failed.reload();
  });
  const newest = look.value?.version ?? 0;
  useEffect(() => {
    if (newest > instance.version) reload();
  }, [newest, instance.version, reload]);
  const act = async (what: () => Promise<unknown>, said: string) => {
    setBusy(true);
    setTrouble(undefined);
    try {
      await what();
      announce(said);
    } catch (reason) {
      setTrouble(reason);
    }
    setBusy(false);
    look.reload();
    failed.reload();
    reload();
  };
  const delivery = look.value?.delivery;
  const waits = delivery?.state === "waiting";
  return (
    <section class="engine" aria-label="Process engine">
      {delivery?.state !== undefined && delivery.state !== "delivered" && (
        <Delivery
          of={delivery}
          decide={
            canEdit || delivery.state === "failed"
              ? (how) => void act(() => api.resolve(instance.id, how), "Decided.")
              : null
          }
          canApply={canEdit}
          busy={busy}
        />
      )}
      {(failed.value ?? []).map((incident) => (
        <Failed
          key={incident.incident_id}
          incident={incident}
          onRetry={
            canEdit && incident.retryable
              ? () => void act(() => api.retry(instance.id, incident.incident_id), "The engine tries again.")
              : null
          }
          busy={busy || waits}
        />
      ))}
      {failed.error !== undefined && <Trouble reason={failed.error} />}
      {trouble !== undefined && <Trouble reason={trouble} />}
    </section>
  );
}

function Delivery(props: {
  of: ReadModel;
  decide: ((how: "take-engine" | "apply-again") => void) | null;
  canApply: boolean;
  busy: boolean;
}) {
  const { state, paths } = props.of;
  const undecided = state === "conflict" || state === "failed";
  return (
    <div class={`notice ${undecided ? "warn" : "info"}`} role="status">
      <p>
        <strong>The process engine</strong> {deliveryWords(props.of)}.
      </p>
      {paths && paths.length > 0 && (
        <ul class="pairs">
          {paths.map((path) => (
            <li key={path}>
              <Path pointer={path} />
            </li>
          ))}
        </ul>
      )}
      {undecided && props.decide && (
        <p>
          <button type="button" disabled={props.busy} onClick={() => props.decide?.("take-engine")}>
            Take the engine's values
          </button>{" "}
          {props.canApply && (
            <button type="button" disabled={props.busy} onClick={() => props.decide?.("apply-again")}>
              Apply mine again
            </button>
          )}
        </p>
      )}
    </div>
  );
}

function Failed(props: { incident: Incident; onRetry: (() => void) | null; busy: boolean }) {
  const { incident } = props;
  return (
    <section class="notice error" aria-label={`Incident at ${incident.activity}`}>
      <p>
        <strong>Failed at {incident.activity}</strong>, <Time value={incident.failed_at} />
      </p>
      <p class="quiet">{incident.message}</p>
      {props.onRetry && (
        <button type="button" disabled={props.busy} onClick={props.onRetry}>
          Try again
        </button>
      )}
    </section>
  );
}
