import { useState } from "preact/hooks";
import type { Snapshot } from "../../api/types";
import { RestoreDialog } from "../../editor/RestoreDialog";
import { DiffView, JsonView } from "../../editor/views";
import { changesBetween } from "../../json/work";
import { ChangeList } from "../../widgets/ChangeList";
import { Dialog } from "../../widgets/Dialog";
import { LoadStatus } from "../../widgets/LoadStatus";
import { useLoad, usePages } from "../../widgets/load";
import { PagedList } from "../../widgets/PagedList";
import { Person, Time } from "../../widgets/small";
import { Table } from "../../widgets/Table";
import type { TabProps } from "./tabProps";
import { useSaved } from "./useSaved";

type Side = number | "current";

export function SnapshotsTab(props: TabProps) {
  const { api, instance, canEdit } = props;
  const saved = useSaved(props);
  const list = usePages((cursor) => api.snapshots(instance.id, cursor), [instance.id, instance.version, saved.version]);
  const [viewing, setViewing] = useState<Snapshot | null>(null);
  const [restoring, setRestoring] = useState<Snapshot | null>(null);
  const [marked, setMarked] = useState<Side[]>([]);
  const [comparing, setComparing] = useState<[Side, Side] | null>(null);
  const mark = (version: number) =>
    setMarked(marked.includes(version) ? marked.filter((one) => one !== version) : [...marked, version].slice(-2));
  const compareMarked = () => {
    const [a, b] = [...marked].sort((x, y) => Number(x) - Number(y));
    setComparing([a!, b ?? "current"]);
  };
  return (
    <div class="stack">
      {saved.panel}
      <div class="toolbar">
        <p class="quiet">The values as they stood before each modification. They are never changed.</p>
        <span class="spring" />
        <button type="button" disabled={marked.length === 0} onClick={compareMarked}>
          {marked.length === 2 ? "Compare the two" : "Compare with current"}
        </button>
      </div>
      <PagedList pages={list} empty="No operator has modified this instance yet.">
        {(snapshots) => (
          <Table
            caption="Snapshots"
            columns={[
              { hidden: "Mark to compare" },
              "Snapshot",
              "Taken",
              "Modified by",
              "Reason",
              { hidden: "Actions" },
            ]}
          >
            {snapshots.map((one) => (
              <tr key={one.version}>
                <td class="mark">
                  <input
                    type="checkbox"
                    aria-label={`Compare the snapshot before version ${one.version}`}
                    checked={marked.includes(one.version)}
                    onChange={() => mark(one.version)}
                  />
                </td>
                <td class="title">Before version {one.version}</td>
                <td data-label="Taken">
                  <Time value={one.taken_at} />
                </td>
                <td data-label="Modified by">
                  <Person name={one.user_name} user={one.user} />
                </td>
                <td data-label="Reason">{one.reason || <span class="quiet">–</span>}</td>
                <td class="actions">
                  <button
                    type="button"
                    aria-label={`View the snapshot before version ${one.version}`}
                    onClick={() => setViewing(one)}
                  >
                    View
                  </button>
                  {canEdit && (
                    <button
                      type="button"
                      aria-label={`Restore the snapshot before version ${one.version}`}
                      onClick={() => setRestoring(one)}
                    >
                      Restore
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </Table>
        )}
      </PagedList>
      {viewing && (
        <ViewSnapshot
          load={() => api.snapshot(instance.id, viewing.version)}
          title={`Snapshot before version ${viewing.version}`}
          onCompare={() => {
            setComparing([viewing.version, "current"]);
            setViewing(null);
          }}
          onClose={() => setViewing(null)}
        />
      )}
      {comparing && (
        <CompareSnapshots
          sides={comparing}
          load={async (side) =>
            side === "current" ? (await api.variables(instance.id)).text : api.snapshot(instance.id, side)
          }
          onClose={() => setComparing(null)}
        />
      )}
      {restoring && (
        <RestoreDialog
          api={api}
          instance={instance}
          snapshot={restoring.version}
          onClose={() => setRestoring(null)}
          onRestored={(outcome) => {
            setRestoring(null);
            saved.record(outcome);
          }}
        />
      )}
    </div>
  );
}

function ViewSnapshot(props: { title: string; load(): Promise<string>; onCompare(): void; onClose(): void }) {
  const loaded = useLoad(props.load, [props.title]);
  return (
    <Dialog
      title={props.title}
      wide
      onClose={props.onClose}
      actions={
        <>
          <button type="button" onClick={props.onCompare}>
            Compare with current
          </button>
          <button type="button" class="primary" onClick={props.onClose}>
            Close
          </button>
        </>
      }
    >
      <LoadStatus of={loaded} />
      {loaded.value !== undefined && <JsonView text={loaded.value} label={props.title} height="56vh" />}
    </Dialog>
  );
}

function CompareSnapshots(props: { sides: [Side, Side]; load(side: Side): Promise<string>; onClose(): void }) {
  const [left, right] = props.sides;
  const loaded = useLoad(async () => {
    const [before, after] = await Promise.all([props.load(left), props.load(right)]);
    return { before, after, changes: await changesBetween(before, after) };
  }, [left, right]);
  const name = (side: Side) => (side === "current" ? "current values" : `before version ${side}`);
  return (
    <Dialog
      title={`Compare: ${name(left)} → ${name(right)}`}
      wide
      onClose={props.onClose}
      actions={
        <button type="button" class="primary" onClick={props.onClose}>
          Close
        </button>
      }
    >
      <LoadStatus of={loaded} />
      {loaded.value && (
        <>
          <DiffView before={loaded.value.before} after={loaded.value.after} height="44vh" />
          <h3>Values that differ</h3>
          <ChangeList changes={loaded.value.changes} />
        </>
      )}
    </Dialog>
  );
}
