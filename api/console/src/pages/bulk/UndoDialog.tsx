import { useState } from "preact/hooks";
import type { BulkJob } from "../../api/types";
import type { Workspace } from "../../api/workspace";
import { useIdempotencyKey } from "../../editor/useIdempotencyKey";
import { go, to } from "../../router";
import { Dialog } from "../../widgets/Dialog";
import { ReasonField, Trouble } from "../../widgets/small";
import { instances } from "./jobWords";

/** Asks for the reason of an undo, and orders it or its dry run. */
export function UndoDialog({ api, job, onClose }: { api: Workspace; job: BulkJob; onClose(): void }) {
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const keyFor = useIdempotencyKey();
  const order = async (dryRun: boolean) => {
    setBusy(true);
    setError(undefined);
    try {
      const how = { reason: reason.trim(), dryRun, idempotencyKey: keyFor(dryRun, reason) };
      const undo = await api.bulk.undo(job.id, how);
      onClose();
      await go(to.bulk(api.name, undo.id));
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  const blocked = busy || reason.trim() === "";
  return (
    <Dialog
      title="Undo this bulk modification"
      onClose={onClose}
      busy={busy}
      actions={
        <>
          <button type="button" onClick={onClose}>
            Go back
          </button>
          <button type="button" disabled={blocked} onClick={() => void order(true)}>
            Dry run
          </button>
          <button type="button" class="primary" disabled={blocked} onClick={() => void order(false)}>
            Undo
          </button>
        </>
      }
    >
      {error !== undefined && <Trouble reason={error} />}
      <p>
        Brings back the values before this change in {instances(job.changed)}. An instance where somebody has changed
        the same values since is skipped, and listed.
      </p>
      <ReasonField value={reason} onChange={setReason} disabled={busy} />
    </Dialog>
  );
}
