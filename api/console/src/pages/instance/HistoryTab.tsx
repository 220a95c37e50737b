import type { InputHTMLAttributes } from "preact";
import { useState } from "preact/hooks";
import type { HistoryEntry, Instance } from "../../api/types";
import { explain } from "../../api/words";
import type { Workspace } from "../../api/workspace";
import { useIdempotencyKey } from "../../editor/useIdempotencyKey";
import { DiffView } from "../../editor/views";
import { changesBetween } from "../../json/work";
import { go, to } from "../../router";
import { announce } from "../../widgets/announce";
import { ChangeList, summary } from "../../widgets/ChangeList";
import { Dialog } from "../../widgets/Dialog";
import { LoadStatus } from "../../widgets/LoadStatus";
import { useLoad, usePages } from "../../widgets/load";
import { OperationList } from "../../widgets/OperationList";
import { PagedList } from "../../widgets/PagedList";
import { Field, Person, ReasonField, Time, Trouble } from "../../widgets/small";
import type { TabProps } from "./tabProps";
import { UndoModificationDialog } from "./UndoModificationDialog";

/** Who, when, why and what: every change of the variables, newest first. */
export function HistoryTab({ api, instance, canEdit, reload }: TabProps) {
  const list = usePages((cursor) => api.history(instance.id, cursor), [instance.id, instance.version]);
  return (
    <div class="stack">
      <AtMoment workspace={api.name} id={instance.id} version={instance.version} />
      <PagedList pages={list} empty="The variables have not changed since the start.">
        {(entries) => (
          <ol class="history" aria-label="Modifications, newest first">
            {entries.map((entry) => (
              <Entry
                key={entry.version}
                api={api}
                id={instance.id}
                instance={instance}
                entry={entry}
                canEdit={canEdit}
                onReapplied={reload}
              />
            ))}
          </ol>
        )}
      </PagedList>
    </div>
  );
}

function AtMoment({ workspace, id, version }: { workspace: string; id: string; version: number }) {
  const open = (query: string) => void go(to.instance(workspace, id, "variables", query));
  return (
    <div class="moments">
      <MomentForm
        by="version"
        input={{ type: "number", min: 1, max: version }}
        onShow={(number) => open(`?version=${number}`)}
      />
      <MomentForm
        by="time"
        input={{ type: "datetime-local", step: 1 }}
        onShow={(time) => open(`?at=${encodeURIComponent(new Date(time).toISOString())}`)}
      />
    </div>
  );
}

function MomentForm(props: { by: "version" | "time"; input: InputHTMLAttributes; onShow(moment: string): void }) {
  const [moment, setMoment] = useState("");
  return (
    <form
      class="toolbar"
      aria-label={`Variables at a ${props.by}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (moment) props.onShow(moment);
      }}
    >
      <Field label={`Variables at ${props.by}`}>
        {(id) => (
          <input {...props.input} id={id} value={moment} onInput={(event) => setMoment(event.currentTarget.value)} />
        )}
      </Field>
      <button type="submit" disabled={!moment}>
        Show {props.by}
      </button>
    </form>
  );
}

function Entry(props: {
  api: Workspace;
  id: string;
  instance: Instance;
  entry: HistoryEntry;
  canEdit: boolean;
  onReapplied(): void;
}) {
  const { api, id, entry } = props;
  const [open, setOpen] = useState(false);
  const [reapplying, setReapplying] = useState(false);
  const [undoing, setUndoing] = useState(false);
  const byEngine = entry.kind === null;
  return (
    <li class={byEngine ? "engine" : ""}>
      <div class="history-head">
        <button type="button" class="disclose" aria-expanded={open} onClick={() => setOpen(!open)}>
          <span class={open ? "chevron open" : "chevron"} aria-hidden="true" />
          <span>
            <strong>Version {entry.version}</strong> ·{" "}
            {byEngine ? "the process itself" : <Person name={entry.user_name} user={entry.user} />} ·{" "}
            <Time value={entry.time} />
            {entry.origin === "import" && " · imported"}
          </span>
        </button>
        <span class="quiet">
          {entry.patch.length} {entry.patch.length === 1 ? "change" : "changes"}
        </span>
      </div>
      {entry.reason && <p class="why-said">“{entry.reason}”</p>}
      {entry.lost.length > 0 && (
        <p class="notice warn">
          Going back in the process undid {entry.lost.length === 1 ? "version" : "versions"} {entry.lost.join(", ")}.
          “Apply this again” there brings them back.
        </p>
      )}
      {!open && <OperationList operations={entry.patch} first={GLANCE} />}
      {open && (
        <div class="history-body">
          <Differences api={api} id={id} version={entry.version} />
          <div class="toolbar">
            <a class="button" href={to.instance(api.name, id, "variables", `?version=${entry.version}`)}>
              Variables at version {entry.version}
            </a>
            {props.canEdit && !byEngine && entry.version > 1 && (
              <>
                <button type="button" onClick={() => setReapplying(true)}>
                  Apply this again
                </button>
                <button type="button" onClick={() => setUndoing(true)}>
                  Undo this modification
                </button>
                <a class="button" href={to.newBulk(api.name, likeThis(props.instance, entry.version))}>
                  Apply the same to others
                </a>
              </>
            )}
          </div>
        </div>
      )}
      {undoing && <UndoModificationDialog api={api} id={id} entry={entry} onClose={() => setUndoing(false)} />}
      {reapplying && (
        <ReapplyDialog
          {...props}
          onClose={() => setReapplying(false)}
          onDone={() => {
            setReapplying(false);
            props.onReapplied();
          }}
        />
      )}
    </li>
  );
}

const GLANCE = 3;

/** The address of a bulk modification with this change, for the running instances of the same definition. */
function likeThis({ id, definition }: Instance, version: number): string {
  const query = new URLSearchParams({ definition, like: id, version: String(version) });
  for (const status of ["STARTED", "ON_HOLD"]) query.append("status", status);
  return `?${query}`;
}

function Differences({ api, id, version }: { api: Workspace; id: string; version: number }) {
  const [sideBySide, setSideBySide] = useState(false);
  const loaded = useLoad(async () => {
    const [before, after] = await Promise.all([
      version > 1 ? api.variables(id, { version: version - 1 }) : Promise.resolve({ text: "{}" }),
      api.variables(id, { version }),
    ]);
    return { before: before.text, after: after.text, changes: await changesBetween(before.text, after.text) };
  }, [id, version]);
  if (!loaded.value) return <LoadStatus of={loaded} />;
  return (
    <>
      <div class="toolbar">
        <span class="quiet">{summary(loaded.value.changes)}</span>
        <button type="button" aria-pressed={sideBySide} onClick={() => setSideBySide(!sideBySide)}>
          Side by side
        </button>
      </div>
      {sideBySide ? (
        <DiffView before={loaded.value.before} after={loaded.value.after} height="360px" />
      ) : (
        <ChangeList changes={loaded.value.changes} />
      )}
    </>
  );
}

/** For a modification that a back navigation undid. */
function ReapplyDialog(props: { api: Workspace; id: string; entry: HistoryEntry; onClose(): void; onDone(): void }) {
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const keyFor = useIdempotencyKey();
  const [error, setError] = useState<unknown>(undefined);
  const apply = async () => {
    setBusy(true);
    try {
      const { version } = await props.api.instance(props.id);
      const write = { version, reason: reason.trim(), idempotencyKey: keyFor(reason) };
      const result = await props.api.reapply(props.id, props.entry.version, write);
      announce(result.changed ? `Applied again as version ${result.version}.` : "These values are current already.");
      props.onDone();
    } catch (failed) {
      setError(failed);
      announce(explain(failed), "bad");
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={`Apply version ${props.entry.version} again`}
      onClose={props.onClose}
      busy={busy}
      actions={
        <>
          <button type="button" onClick={props.onClose}>
            Go back
          </button>
          <button type="button" class="primary" disabled={busy} onClick={() => void apply()}>
            Apply again
          </button>
        </>
      }
    >
      {error !== undefined && <Trouble reason={error} />}
      <p>
        Makes the same change to the current values, as a new modification. Useful when going back in the process has
        undone it.
      </p>
      <OperationList operations={props.entry.patch} first={GLANCE} />
      <ReasonField value={reason} onChange={setReason} />
    </Dialog>
  );
}
