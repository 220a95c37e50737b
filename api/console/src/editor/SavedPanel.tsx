import { useEffect } from "preact/hooks";
import type { Warning } from "../api/types";
import type { Workspace } from "../api/workspace";
import { Trouble } from "../widgets/small";
import { reached, SyncList, useSync } from "./SyncList";
import { WarningList } from "./WarningList";

export interface Outcome {
  version: number;
  changed: boolean;
  warnings: Warning[];
  /** The server put the edit on top of somebody else's. */
  rebased?: boolean;
}

/** After a save: the new version and, live, the read models catching up with it. */
export function SavedPanel(props: {
  api: Workspace;
  id: string;
  outcome: Outcome;
  /** Whatever is read from now on has the save in it. */
  onCurrent(): void;
  onDismiss(): void;
}) {
  const { outcome } = props;
  const { sync, error } = useSync(props.api, props.id, { target: outcome.version });
  const current = sync !== null && Object.values(sync.projections).every((one) => reached(sync, one, outcome.version));
  // biome-ignore lint/correctness/useExhaustiveDependencies: told once, when it becomes true.
  useEffect(() => {
    if (current) props.onCurrent();
  }, [current]);
  return (
    <section class="notice good saved" aria-label="Saved">
      <div class="saved-head">
        <p role="status">
          <strong>
            {outcome.changed ? `Saved as version ${outcome.version}.` : "Nothing changed, so nothing was saved."}
          </strong>{" "}
          {outcome.rebased && "Your changes were put on top of the other person's."}
        </p>
        <button type="button" class="quiet-button" onClick={props.onDismiss}>
          Dismiss
        </button>
      </div>
      {outcome.changed && sync && <SyncList sync={sync} target={outcome.version} />}
      {outcome.changed && error !== undefined && <Trouble reason={error} />}
      {outcome.warnings.length > 0 && (
        <details>
          <summary>Keep in mind ({outcome.warnings.length})</summary>
          <WarningList warnings={outcome.warnings} />
        </details>
      )}
    </section>
  );
}
