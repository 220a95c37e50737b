import { useEffect, useRef, useState } from "preact/hooks";
import { ProblemError } from "../api/http";
import type { HistoryEntry } from "../api/types";
import type { Workspace } from "../api/workspace";
import { newIdempotencyKey } from "./persist";
import type { Outcome } from "./SavedPanel";
import { type Sending, sendPatiently } from "./sendPatiently";

export interface Edit {
  text: string;
  version: number;
  reason: string;
  rebase: boolean;
}

/** Somebody else saved first. */
export interface Conflict {
  edit: Edit;
  currentVersion: number;
  theirs: string;
  /** The modifications since, newest first. */
  since: HistoryEntry[];
  /** A rebase was tried and refused: both changed the same values. */
  refused: boolean;
}

export type Phase =
  | { at: "idle" }
  | Sending
  | { at: "conflict"; conflict: Conflict }
  | { at: "failed"; reason: unknown };

/** Sends an edit, patiently. The same edit keeps its idempotency key, however often it is sent. */
export function useSave(api: Workspace, id: string, onSaved: (outcome: Outcome) => void) {
  const [phase, setPhase] = useState<Phase>({ at: "idle" });
  const last = useRef<{ edit: Edit; key: string } | null>(null);
  const controller = useRef<AbortController | null>(null);
  useEffect(() => () => controller.current?.abort(), []);

  const keyFor = (edit: Edit): string => {
    const before = last.current;
    if (!before || !sameEdit(before.edit, edit)) last.current = { edit, key: newIdempotencyKey() };
    return last.current!.key;
  };

  const send = async (edit: Edit): Promise<void> => {
    const abort = new AbortController();
    controller.current = abort;
    const { text, ...how } = edit;
    const write = { ...how, idempotencyKey: keyFor(edit), signal: abort.signal };
    try {
      const result = await sendPatiently(() => api.save(id, text, write), abort.signal, setPhase);
      last.current = null;
      setPhase({ at: "idle" });
      onSaved({ ...result, rebased: edit.rebase });
    } catch (reason) {
      if (abort.signal.aborted) setPhase({ at: "idle" });
      else if (reason instanceof ProblemError && reason.status === 412) await meet(reason, edit);
      else setPhase({ at: "failed", reason });
    }
  };

  /** Shows who was faster, or tries the edit again where no value was changed. */
  const meet = async (problem: ProblemError, edit: Edit): Promise<void> => {
    const currentVersion = Number(problem.members.current_version);
    const paths = (problem.members.changed_paths ?? []) as string[];
    // The version moved, but no value did (the status changed, say): nothing to ask the person about.
    if (paths.length === 0 && !edit.rebase) return send({ ...edit, rebase: true });
    try {
      const [theirs, history] = await Promise.all([api.variables(id, { version: currentVersion }), api.history(id)]);
      const since = history.items.filter((entry) => entry.version > edit.version);
      setPhase({
        at: "conflict",
        conflict: { edit, currentVersion, theirs: theirs.text, since, refused: edit.rebase },
      });
    } catch (reason) {
      setPhase({ at: "failed", reason });
    }
  };

  const stop = () => {
    controller.current?.abort();
    setPhase({ at: "idle" });
  };
  return { phase, send, meet, stop };
}

const sameEdit = (a: Edit, b: Edit): boolean =>
  a.version === b.version && a.rebase === b.rebase && a.reason === b.reason && a.text === b.text;
