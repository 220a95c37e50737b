import { useId } from "preact/hooks";
import type { Mode } from "./useEditor";

const VIEWS = [
  { mode: "edit", label: "Edit" },
  { mode: "compare", label: "Compare" },
  { mode: "tree", label: "Tree" },
] as const;

export function EditBar(props: {
  mode: Mode;
  ready: boolean;
  canFormat: boolean;
  /** Why Save is off, or null. */
  blocked: string | null;
  busy: boolean;
  onMode(mode: Mode): void;
  onFormat(): void;
  onCancel(): void;
  onSave(): void;
}) {
  const why = useId();
  return (
    <div class="toolbar edit-bar">
      <fieldset class="segments" aria-label="View of the edit">
        {VIEWS.map(({ mode, label }) => (
          <button
            key={mode}
            type="button"
            aria-pressed={props.mode === mode}
            // A tree has no place for what is no JSON.
            disabled={!props.ready || (mode === "tree" && !props.canFormat)}
            onClick={() => props.onMode(mode)}
          >
            {label}
          </button>
        ))}
      </fieldset>
      <button
        type="button"
        disabled={!props.ready || !props.canFormat || props.mode === "tree"}
        onClick={props.onFormat}
      >
        Format
      </button>
      {props.mode !== "tree" && <span class="quiet key-hint">Ctrl+M lets Tab leave the editor</span>}
      <span class="spring" />
      <span id={why} class="why" role="status">
        {props.busy ? "Asking what this change affects…" : (props.blocked ?? "")}
      </span>
      <button type="button" onClick={props.onCancel}>
        Cancel
      </button>
      <button
        type="button"
        class="primary"
        disabled={props.blocked !== null}
        // Not disabled, which would take the focus from it: dialogs give the focus back to where it was.
        aria-disabled={props.busy}
        aria-describedby={why}
        onClick={props.onSave}
      >
        Save
      </button>
    </div>
  );
}
