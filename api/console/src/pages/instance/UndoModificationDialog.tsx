import { useState } from "preact/hooks";
import type { HistoryEntry } from "../../api/types";
import type { Workspace } from "../../api/workspace";
import { useIdempotencyKey } from "../../editor/useIdempotencyKey";
import { go, to } from "../../router";
import { Dialog } from "../../widgets/Dialog";
import { ReasonField, Trouble } from "../../widgets/small";

/** Undo of one modification: the dry run of an undo that selects it by its user and time. */
export function UndoModificationDialog(props: { api: Workspace; id: string; entry: HistoryEntry; onClose(): void }) {
  const { api, id, entry } = props;
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const keyFor = useIdempotencyKey();
  const order = async () => {
    setBusy(true);
    setError(undefined);
    const select = { ids: [id], modified_by: entry.user, modified_from: entry.time, modified_to: entry.time };
    try {
      const job = await api.bulk.order({
        select: JSON.stringify(select),
        change: { format: "undo", text: "true" },
        reason: reason.trim(),
        dryRun: true,
        idempotencyKey: keyFor(reason),
      });
      await go(to.bulk(api.name, job.id));
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={`Undo version ${entry.version}`}
      onClose={props.onClose}
      busy={busy}
      actions={
        <>
          <button type="button" onClick={props.onClose}>
            Go back
          </button>
          <button type="button" class="primary" disabled={busy || reason.trim() === ""} onClick={() => void order()}>
            Show what would change
          </button>
        </>
      }
    >
      {error !== undefined && <Trouble reason={error} />}
      <p>
        Brings back the values before this modification and keeps later ones of other values. Where somebody has changed
        the same values since, nothing is undone. You see first what would change.
      </p>
      <ReasonField value={reason} onChange={setReason} disabled={busy} />
    </Dialog>
  );
}
