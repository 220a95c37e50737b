import { useEffect, useState } from "preact/hooks";
import { PERMISSION, type Projection } from "../api/types";
import { explain, PROJECTION_STATE_WORDS } from "../api/words";
import { may, organisation } from "../auth/session";
import { announce } from "../widgets/announce";
import { Dialog } from "../widgets/Dialog";
import { LoadStatus } from "../widgets/LoadStatus";
import { useEvery, useLoad } from "../widgets/load";
import { duration, Fact, Time } from "../widgets/small";
import { ParkedDialog } from "./ParkedDialog";

/** The operator's view of the read models, refreshed while it is open. */
export function ProjectionsPage() {
  const loaded = useLoad((signal) => organisation.projections(signal), []);
  const rebuilding = loaded.value?.some((one) => one.state === "rebuilding") ?? false;
  useEvery(rebuilding ? 1000 : 3000, loaded.reload);
  useEffect(() => {
    document.title = "Projections · procvars";
  }, []);
  if (!may(PERMISSION.projections)) {
    return (
      <div class="page">
        <h1>Projections</h1>
        <p class="notice warn">This page needs the permission {PERMISSION.projections}.</p>
      </div>
    );
  }
  return (
    <div class="page">
      <div class="page-head">
        <h1>Projections</h1>
        <button type="button" onClick={loaded.reload}>
          Refresh
        </button>
      </div>
      <p class="quiet">
        Five read models follow the event store on their own. Any of them can be stopped, thrown away and built again
        without losing a change.
      </p>
      <LoadStatus of={loaded} />
      <ul class="cards" aria-label="Projections">
        {loaded.value?.map((one) => (
          <Card key={one.name} projection={one} onChanged={loaded.reload} />
        ))}
      </ul>
    </div>
  );
}

function Card({ projection, onChanged }: { projection: Projection; onChanged(): void }) {
  const [confirming, setConfirming] = useState(false);
  const [showingParked, setShowingParked] = useState(false);
  const [check, setCheck] = useState<"running" | { equal: boolean; differing: string[] } | null>(null);
  const { name, title } = projection;
  const act = async (action: "rebuild" | "pause" | "resume", done: string) => {
    try {
      await organisation.act(name, action);
      announce(`${title}: ${done}`);
    } catch (reason) {
      announce(explain(reason), "bad");
    }
    onChanged();
  };
  const runCheck = async () => {
    setCheck("running");
    try {
      setCheck(await organisation.check(name));
    } catch (reason) {
      setCheck(null);
      announce(explain(reason), "bad");
    }
  };
  const button = (label: string, onClick: () => void, disabled = false) => (
    <button type="button" aria-label={`${label} ${title}`} disabled={disabled} onClick={onClick}>
      {label}
    </button>
  );
  return (
    <li class="card" aria-label={title}>
      <div class="card-head">
        <h2>{title}</h2>
        <span class={`badge state-${projection.state}`}>
          {PROJECTION_STATE_WORDS[projection.state] ?? projection.state}
        </span>
        <code class="quiet">{name}</code>
      </div>
      <dl class="facts">
        <Fact name="Lag">{lag(projection)}</Fact>
        <Fact name="Position" class="mono">
          {projection.position}
        </Fact>
        <Fact name="Parked streams">
          {projection.parked === 0 ? (
            "none"
          ) : (
            <button type="button" class="link bad" onClick={() => setShowingParked(true)}>
              {projection.parked} parked
            </button>
          )}
        </Fact>
        {projection.since && (
          <Fact name="Since">
            <Time value={projection.since} />
          </Fact>
        )}
      </dl>
      {projection.error && <p class="notice error">{projection.error}</p>}
      {projection.rebuild_due && <p class="notice info">It is about to be rebuilt: {projection.rebuild_due}.</p>}
      {projection.rebuild && <Rebuild rebuild={projection.rebuild} title={title} />}
      {check !== null && check !== "running" && <CheckResult check={check} />}
      <div class="toolbar">
        {projection.state === "paused"
          ? button("Resume", () => void act("resume", "goes on"))
          : button("Pause", () => void act("pause", "is paused"))}
        {button("Rebuild", () => setConfirming(true), projection.state === "rebuilding")}
        {button(check === "running" ? "Checking…" : "Check", () => void runCheck(), check === "running")}
      </div>
      {confirming && (
        <Dialog
          title={`Rebuild ${title}?`}
          onClose={() => setConfirming(false)}
          actions={
            <>
              <button type="button" onClick={() => setConfirming(false)}>
                Go back
              </button>
              <button
                type="button"
                class="primary"
                onClick={() => {
                  setConfirming(false);
                  void act("rebuild", "is being rebuilt");
                }}
              >
                Start rebuild
              </button>
            </>
          }
        >
          <p>
            It is filled again from the event store beside the live one, which stays in use until the new one takes
            over. It can be interrupted and repeated.
          </p>
        </Dialog>
      )}
      {showingParked && (
        <ParkedDialog name={name} title={title} onClose={() => setShowingParked(false)} onChanged={onChanged} />
      )}
    </li>
  );
}

function lag(projection: Projection): string {
  if (projection.lag_events === 0) return "none";
  const events = `${projection.lag_events} ${projection.lag_events === 1 ? "event" : "events"}`;
  return projection.lag_seconds === null ? events : `${events}, ${duration(projection.lag_seconds)}`;
}

function Rebuild({ rebuild, title }: { rebuild: NonNullable<Projection["rebuild"]>; title: string }) {
  const parts = [`${rebuild.done} of ${rebuild.total} events`];
  if (rebuild.rate) parts.push(`${Math.round(rebuild.rate)}/s`);
  if (rebuild.seconds_left != null) parts.push(`${duration(rebuild.seconds_left)} left`);
  return (
    <div class="rebuild">
      <progress aria-label={`Rebuild of ${title}`} value={rebuild.done} max={Math.max(1, rebuild.total)} />
      <p class="quiet">
        {rebuild.state}: {parts.join(", ")}
      </p>
    </div>
  );
}

function CheckResult({ check }: { check: { equal: boolean; differing: string[] } }) {
  if (check.equal) {
    return (
      <p class="notice good" role="status">
        Checked: it is equal to one built from the events.
      </p>
    );
  }
  return (
    <div class="notice error" role="status">
      <p>It differs from one built from the events for {check.differing.length} instances. A rebuild repairs it.</p>
      <p class="mono">{check.differing.slice(0, 20).join(", ")}</p>
    </div>
  );
}
