import { useState } from "preact/hooks";
import { type Outcome, SavedPanel } from "../../editor/SavedPanel";
import type { TabProps } from "./tabProps";

/** The last save from a tab; the panel that tells of it stays until it is dismissed. */
export function useSaved({ api, instance, reload }: TabProps) {
  const [saved, setSaved] = useState<Outcome | null>(null);
  const record = (outcome: Outcome) => {
    setSaved(outcome);
    reload();
  };
  const panel = saved && (
    <SavedPanel
      key={saved.version}
      api={api}
      id={instance.id}
      outcome={saved}
      onCurrent={reload}
      onDismiss={() => setSaved(null)}
    />
  );
  return { version: saved?.version, panel, record };
}
