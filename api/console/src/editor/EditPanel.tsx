import { useEffect, useRef, useState } from "preact/hooks";
import { ProblemError } from "../api/http";
import { type Document, type Instance, PERMISSION } from "../api/types";
import type { Workspace } from "../api/workspace";
import { may } from "../auth/session";
import { formatted, problemsOf, tapeOf } from "../json/work";
import { useShortcut } from "../keyboard";
import { setGuard } from "../router";
import { announce } from "../widgets/announce";
import { Dialog } from "../widgets/Dialog";
import { useLoad } from "../widgets/load";
import { Loading, ReasonField, Trouble } from "../widgets/small";
import { ConflictDialog } from "./ConflictDialog";
import { EditBar } from "./EditBar";
import { useMonaco } from "./lazy";
import { ProblemList } from "./ProblemList";
import { previewedChanges } from "./previewedChanges";
import { type Review, ReviewDialog } from "./ReviewDialog";
import type { Outcome } from "./SavedPanel";
import { TreeEdit } from "./TreeEdit";
import { type Base, useEditor, VARIABLES } from "./useEditor";
import { useSave } from "./useSave";

/** Edit mode of the Variables tab. Whatever happens on the way, the text stays until it is saved or dropped on purpose. */
export function EditPanel(props: {
  api: Workspace;
  instance: Instance;
  document: Document;
  /** The place in the tree where it begins; without one it begins in the text. */
  at?: string | undefined;
  onClose(outcome: Outcome | null): void;
  onReload(): void;
}) {
  const { api, instance } = props;
  const { monaco, error } = useMonaco();
  const [base, setBase] = useState<Base | null>(null);
  const [reason, setReason] = useState("");
  const [review, setReview] = useState<Review | null>(null);
  const [reviewing, setReviewing] = useState<"no" | "loading" | { failed: unknown }>("no");
  const [leaving, setLeaving] = useState<((leave: boolean) => void) | null>(null);
  const editHost = useRef<HTMLDivElement>(null);
  const diffHost = useRef<HTMLDivElement>(null);
  // A help that may come late, or not at all: without it the text is edited as well.
  const schema = useLoad(
    async (signal) => {
      const text = await api.schema(instance.definition, signal);
      return text === null ? null : await tapeOf(text);
    },
    [instance.definition],
  );
  const editor = useEditor(monaco, base, editHost, diffHost, {
    ...VARIABLES,
    mode: props.at === undefined ? "edit" : "tree",
    schema: schema.value ?? undefined,
  });
  const close = (outcome: Outcome | null) => {
    setGuard(null);
    props.onClose(outcome);
  };
  const { phase, send, meet, stop } = useSave(api, instance.id, close);
  const { dirty } = editor;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the document this edit began with; later ones come on purpose.
  useEffect(() => {
    const { text, version } = props.document;
    void formatted(text).then((laidOut) => setBase({ text: laidOut, version }));
  }, []);
  useEffect(() => {
    setGuard(dirty ? () => new Promise<boolean>((resolve) => setLeaving(() => resolve)) : null);
    return () => setGuard(null);
  }, [dirty]);

  const startReview = async () => {
    if (!editor.ready || !dirty || !base || reviewing === "loading") return;
    setReviewing("loading");
    const text = editor.text();
    try {
      // The markers follow the typing with a small delay; whoever saves at once is judged by the text itself.
      if ((await problemsOf(text)).length > 0) return setReviewing("no");
      const preview = await api.preview(instance.id, text, base.version);
      const moved = preview.version !== base.version;
      const before = moved ? (await api.variables(instance.id, { version: preview.version })).text : base.text;
      const changes = previewedChanges(preview, await tapeOf(before));
      preview.affects.tasks = await titlesOf(api, instance.id, preview.affects.tasks);
      setReview({ preview, changes, moved });
      setReviewing("no");
    } catch (failed) {
      // Others changed the same values: there is nothing to review until the person has chosen.
      const conflict = failed instanceof ProblemError && failed.status === 412;
      if (conflict) await meet(failed, { text, version: base.version, reason: reason.trim(), rebase: true });
      setReviewing(conflict ? "no" : { failed });
    }
  };
  const apply = () => {
    if (base) void send({ text: editor.text(), version: base.version, reason: reason.trim(), rebase: false });
  };
  const continueOn = async (text: string, version: number, edit?: string) => {
    const next = { text: await formatted(text), version };
    editor.restart(next, edit === undefined ? next.text : await formatted(edit));
    setBase(next);
    stop();
    setReview(null);
    props.onReload();
    announce(
      edit === undefined
        ? `Version ${version} is loaded.`
        : `You go on from version ${version}; both sides' changes are in.`,
    );
  };
  const leave = async () => {
    if (!dirty) return close(null);
    if (await new Promise<boolean>((resolve) => setLeaving(() => resolve))) close(null);
  };
  const decide = (yes: boolean) => {
    leaving?.(yes);
    setLeaving(null);
  };

  useShortcut("Ctrl+s", "Save: review the changes", () => void startReview());
  useShortcut(
    "Alt+k",
    "Compare with the original, and back to the text",
    editor.ready ? () => editor.show(editor.mode === "compare" ? "edit" : "compare") : null,
  );

  if (error !== undefined) return <Trouble reason={error} onRetry={() => location.reload()} />;
  return (
    <div class="edit">
      <EditBar
        mode={editor.mode}
        ready={editor.ready}
        canFormat={editor.problems.length === 0}
        blocked={whyNotSaved(editor.problems.length, dirty, editor.ready)}
        busy={reviewing === "loading"}
        onMode={editor.show}
        onFormat={() => void editor.format()}
        onCancel={() => void leave()}
        onSave={() => void startReview()}
      />
      <ReasonField value={reason} onChange={setReason} />
      {typeof reviewing === "object" && <Trouble reason={reviewing.failed} onRetry={() => void startReview()} />}
      <div class={editor.mode === "tree" ? "editor-host with-tree" : "editor-host"} aria-busy={!editor.ready}>
        {!editor.ready && <Loading what="Opening the editor" />}
        <div ref={editHost} class="editor-fill" hidden={editor.mode !== "edit"} />
        <div ref={diffHost} class="editor-fill" hidden={editor.mode !== "compare"} />
        {editor.ready && editor.mode === "tree" && (
          <TreeEdit
            text={editor.text}
            revision={editor.revision}
            at={props.at}
            onChange={editor.change}
            onUndo={editor.dirty ? editor.undo : null}
          />
        )}
      </div>
      {schema.value && editor.mode === "edit" && (
        <p class="quiet">
          Ctrl+Space suggests names and values by the schema of {instance.definition}; pointing at one explains it.
        </p>
      )}
      <ProblemList
        problems={editor.problems}
        onOpen={(problem) => {
          editor.show("edit");
          requestAnimationFrame(() => editor.reveal(problem));
        }}
      />
      {review && phase.at !== "conflict" && (
        <ReviewDialog
          title="Review before saving"
          action="Apply changes"
          review={review}
          reason={reason}
          onReason={setReason}
          phase={phase}
          onApply={apply}
          onClose={() => {
            stop();
            setReview(null);
          }}
        />
      )}
      {phase.at === "conflict" && base && (
        <ConflictDialog
          conflict={phase.conflict}
          baseText={base.text}
          onRebase={() => void send({ ...phase.conflict.edit, rebase: true })}
          onMerged={(text) => void continueOn(phase.conflict.theirs, phase.conflict.currentVersion, text)}
          onReload={() => void continueOn(phase.conflict.theirs, phase.conflict.currentVersion)}
          onClose={() => {
            stop();
            setReview(null);
          }}
        />
      )}
      {leaving && (
        <Dialog
          title="Drop your changes?"
          onClose={() => decide(false)}
          actions={
            <>
              <button type="button" class="danger" onClick={() => decide(true)}>
                Discard changes
              </button>
              <button type="button" class="primary" onClick={() => decide(false)}>
                Keep editing
              </button>
            </>
          }
        >
          <p>You have changes that are not saved.</p>
        </Dialog>
      )}
    </div>
  );
}

/** Tasks by title; a person who may not read tasks gets the ids. */
async function titlesOf(api: Workspace, id: string, tasks: readonly string[]): Promise<string[]> {
  if (tasks.length === 0 || !may(PERMISSION.tasks, api.name)) return [...tasks];
  const titles = new Map((await api.tasks({ instance_id: id })).items.map((task) => [task.task_id, task.title]));
  return tasks.map((task) => titles.get(task) ?? task);
}

function whyNotSaved(problems: number, dirty: boolean, ready: boolean): string | null {
  if (!ready) return "The editor is opening.";
  if (problems > 0)
    return `Invalid JSON format: ${problems === 1 ? "1 error" : `${problems} errors`} to correct first.`;
  return dirty ? null : "No changes yet.";
}
