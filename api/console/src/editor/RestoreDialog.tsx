import { useEffect, useRef, useState } from "preact/hooks";
import type { Document, Instance } from "../api/types";
import type { Workspace } from "../api/workspace";
import { tapeOf } from "../json/work";
import { Dialog } from "../widgets/Dialog";
import { LoadStatus } from "../widgets/LoadStatus";
import { useLoad } from "../widgets/load";
import { previewedChanges } from "./previewedChanges";
import { type Review, ReviewDialog } from "./ReviewDialog";
import type { Outcome } from "./SavedPanel";
import { sendPatiently } from "./sendPatiently";
import { useIdempotencyKey } from "./useIdempotencyKey";
import type { Phase } from "./useSave";

interface Prepared extends Review {
  current: Document;
}

/** Restores a snapshot as a new modification: the same review as before a save, with a reason. */
export function RestoreDialog(props: {
  api: Workspace;
  instance: Instance;
  snapshot: number;
  onRestored(outcome: Outcome): void;
  onClose(): void;
}) {
  const { api, instance, snapshot } = props;
  const [reason, setReason] = useState("");
  const [phase, setPhase] = useState<Phase>({ at: "idle" });
  const abort = useRef<AbortController | null>(null);
  const keyFor = useIdempotencyKey();
  useEffect(() => () => abort.current?.abort(), []);
  const prepared = useLoad<Prepared>(async () => {
    const text = await api.snapshot(instance.id, snapshot);
    const preview = await api.preview(instance.id, text);
    const current = await api.variables(instance.id, { version: preview.version });
    return { current, preview, moved: false, changes: previewedChanges(preview, await tapeOf(current.text)) };
  }, [instance.id, snapshot]);

  const restore = async ({ current }: Prepared) => {
    const controller = new AbortController();
    abort.current = controller;
    const write = {
      version: current.version,
      reason: reason.trim(),
      idempotencyKey: keyFor(current.version, reason),
      signal: controller.signal,
    };
    try {
      const send = () => api.restore(instance.id, snapshot, write);
      props.onRestored(await sendPatiently(send, controller.signal, setPhase));
    } catch (failed) {
      setPhase(controller.signal.aborted ? { at: "idle" } : { at: "failed", reason: failed });
      // Somebody was faster: show what restoring means now.
      if (!controller.signal.aborted) prepared.reload();
    }
  };

  const close = () => {
    abort.current?.abort();
    props.onClose();
  };
  if (!prepared.value) {
    return (
      <Dialog title={`Restore the snapshot before version ${snapshot}`} onClose={close}>
        <LoadStatus of={prepared} />
      </Dialog>
    );
  }
  return (
    <ReviewDialog
      title={`Restore the snapshot before version ${snapshot}`}
      action="Restore"
      review={prepared.value}
      reason={reason}
      onReason={setReason}
      phase={phase}
      onApply={() => void restore(prepared.value!)}
      onClose={close}
    />
  );
}
