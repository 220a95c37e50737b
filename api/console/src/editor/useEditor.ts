import type { RefObject } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../json/problems";
import type { Tape } from "../json/tape";
import type { TextEdit } from "../json/textEdits";
import { formatted, problemsOf } from "../json/work";
import { onTheme } from "../theme";
import type { Monaco } from "./lazy";
import type { CodeEditor, DiffEditor, Model } from "./monaco";

export type Mode = "edit" | "compare" | "tree";

/** What an edit starts from: a laid-out text and the version it stands for. */
export interface Base {
  text: string;
  version: number;
}

const QUIET_SMALL = 120;
const QUIET_LARGE = 500;
const LARGE = 500_000;

export const VARIABLES = { label: "Variables as JSON", requireObject: true };

/**
 * One text model under two views, the editor and the diff editor: going from one to the other loses nothing, not even
 * the undo history. Validation is the console's own, off the page's thread when the text is large.
 */
export function useEditor(
  monaco: Monaco | null,
  base: Base | null,
  editHost: RefObject<HTMLDivElement | null>,
  diffHost: RefObject<HTMLDivElement | null>,
  how: {
    label: string;
    requireObject: boolean;
    mode?: Mode;
    schema?: Tape | undefined;
    onText?(text: string): void;
  } = VARIABLES,
) {
  const parts = useRef<{ model: Model; original: Model; editor: CodeEditor; diff: DiffEditor | null } | null>(null);
  const cleanVersion = useRef(0);
  const [problems, setProblems] = useState<Problem[]>([]);
  const [dirty, setDirty] = useState(false);
  const [mode, setMode] = useState<Mode>(how.mode ?? "edit");
  const [ready, setReady] = useState(false);
  /** Another number for another text. */
  const [revision, setRevision] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the editor is made once; a new base goes through `restart`.
  useEffect(() => {
    if (!monaco || !base || !editHost.current) return;
    const model = monaco.newModel(base.text);
    const original = monaco.newModel(base.text);
    const editor = monaco.newEditor(editHost.current, model, { readOnly: false, label: how.label });
    parts.current = { model, original, editor, diff: null };
    cleanVersion.current = model.getAlternativeVersionId();
    let timer: ReturnType<typeof setTimeout>;
    const check = async () => {
      const version = model.getVersionId();
      const found = await problemsOf(model.getValue(), how.requireObject);
      if (model.isDisposed() || model.getVersionId() !== version) return;
      monaco.showProblems(model, found);
      setProblems(found);
    };
    const changes = model.onDidChangeContent(() => {
      setDirty(model.getAlternativeVersionId() !== cleanVersion.current);
      setRevision(model.getVersionId());
      how.onText?.(model.getValue());
      clearTimeout(timer);
      timer = setTimeout(() => void check(), model.getValueLength() > LARGE ? QUIET_LARGE : QUIET_SMALL);
    });
    // A list of errors takes its room from the editor: the line at work stays in view.
    const laidOut = editor.onDidLayoutChange(() => {
      const at = editor.getPosition();
      if (at && editor.hasTextFocus()) editor.revealPosition(at);
    });
    const themed = onTheme((dark) => monaco.setTheme(dark));
    editor.focus();
    setReady(true);
    return () => {
      clearTimeout(timer);
      changes.dispose();
      laidOut.dispose();
      themed();
      editor.dispose();
      parts.current?.diff?.dispose();
      model.dispose();
      original.dispose();
      parts.current = null;
    };
  }, [monaco, base !== null]);

  useEffect(() => {
    if (ready && how.schema && parts.current) monaco?.setSchema(parts.current.model, how.schema);
  }, [monaco, ready, how.schema]);

  const show = useCallback(
    (next: Mode) => {
      const now = parts.current;
      if (!now || !monaco) return;
      setMode(next);
      // The diff editor measures its place, so the place has to be visible first.
      requestAnimationFrame(() => {
        if (parts.current !== now) return;
        if (next === "tree") return;
        if (next === "compare" && !now.diff && diffHost.current)
          now.diff = monaco.newDiffEditor(diffHost.current, now.original, now.model, false);
        (next === "compare" ? now.diff?.getModifiedEditor() : now.editor)?.focus();
      });
    },
    [monaco, diffHost],
  );

  /** Puts a text in as one undoable step. */
  const replace = useCallback(
    (text: string) =>
      parts.current && text !== parts.current.model.getValue() && monaco?.replaceText(parts.current.model, text),
    [monaco],
  );

  /** Another starting point: `text` is the edit on top of it, or nothing for none. */
  const restart = useCallback(
    (next: Base, text = next.text) => {
      const now = parts.current;
      if (!now) return;
      now.original.setValue(next.text);
      replace(text);
      if (text === next.text) cleanVersion.current = now.model.getAlternativeVersionId();
      else cleanVersion.current = -1;
      setDirty(text !== next.text);
    },
    [replace],
  );

  const change = useCallback(
    (edit: TextEdit) => parts.current && monaco?.replaceRange(parts.current.model, edit),
    [monaco],
  );
  const undo = useCallback(() => parts.current?.editor.trigger("tree", "undo", null), []);

  const text = useCallback(() => parts.current?.model.getValue() ?? "", []);
  const format = useCallback(async () => replace(await formatted(text())), [replace, text]);
  const reveal = useCallback((problem: Problem) => {
    const editor = parts.current?.editor;
    if (!editor) return;
    const position = { lineNumber: problem.line, column: problem.column };
    editor.setPosition(position);
    editor.revealPositionInCenter(position);
    editor.focus();
  }, []);
  return { ready, problems, dirty, mode, revision, show, text, format, reveal, restart, change, undo };
}
