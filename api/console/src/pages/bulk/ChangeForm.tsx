import { useEffect, useRef, useState } from "preact/hooks";
import type { BulkChange } from "../../api/types";
import type { Workspace } from "../../api/workspace";
import { useMonaco } from "../../editor/lazy";
import { ProblemList } from "../../editor/ProblemList";
import { type Base, useEditor } from "../../editor/useEditor";
import { useIdempotencyKey } from "../../editor/useIdempotencyKey";
import { formatted, problemsOf } from "../../json/work";
import { Loading, ReasonField, Trouble } from "../../widgets/small";

type Format = Exclude<BulkChange["format"], "undo">;
export type WrittenChange = BulkChange & { format: Format };

const EMPTY: Record<Format, string> = { merge: "{\n  \n}", patch: "[\n  \n]" };
const FORMATS: { format: Format; label: string; says: string }[] = [
  {
    format: "merge",
    label: "Merge patch",
    says: "The members to set, as they are in the variables; null removes one. (RFC 7396)",
  },
  {
    format: "patch",
    label: "JSON Patch",
    says: "A list of operations; a “test” is a condition: an instance where it does not hold is skipped. (RFC 6902)",
  },
];

/** Change and reason, up to the order of a dry run. */
export function ChangeForm(props: {
  api: Workspace;
  select: string;
  /** Why nothing can be ordered yet, or null. */
  blocked: string | null;
  change: WrittenChange | null;
  reason: string;
  onOrdered(id: string): void;
}) {
  const [format, setFormat] = useState<Format>(props.change?.format ?? "merge");
  const [reason, setReason] = useState(props.reason);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const keyFor = useIdempotencyKey();
  const texts = useRef<Record<Format, string>>(
    props.change ? { ...EMPTY, [props.change.format]: props.change.text } : EMPTY,
  );
  const order = async () => {
    const text = texts.current[format];
    setError(undefined);
    if ((await problemsOf(text, format === "merge")).length > 0) return;
    setBusy(true);
    try {
      const job = await props.api.bulk.order({
        select: props.select,
        change: { format, text },
        reason: reason.trim(),
        dryRun: true,
        idempotencyKey: keyFor(props.select, format, text, reason),
      });
      props.onOrdered(job.id);
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  const blocked = props.blocked ?? (reason.trim() === "" ? "A reason is required." : null);
  return (
    <>
      <h2>Change</h2>
      <div class="toolbar">
        <fieldset class="segments" aria-label="Format of the change">
          {FORMATS.map((one) => (
            <button
              key={one.format}
              type="button"
              aria-pressed={format === one.format}
              onClick={() => setFormat(one.format)}
            >
              {one.label}
            </button>
          ))}
        </fieldset>
        <span class="quiet">{FORMATS.find((one) => one.format === format)!.says}</span>
      </div>
      <ChangeEditor
        key={format}
        format={format}
        text={texts.current[format]}
        onText={(text) => {
          texts.current = { ...texts.current, [format]: text };
        }}
      />
      <ReasonField value={reason} onChange={setReason} />
      {error !== undefined && <Trouble reason={error} />}
      <div class="toolbar">
        <button type="button" class="primary" disabled={blocked !== null || busy} onClick={() => void order()}>
          Dry run
        </button>
        <span class="quiet" role="status">
          {blocked ?? "Nothing is changed yet: you see first what would change in each instance."}
        </span>
      </div>
    </>
  );
}

function ChangeEditor({ format, text, onText }: { format: Format; text: string; onText(text: string): void }) {
  const { monaco, error } = useMonaco();
  const [base, setBase] = useState<Base | null>(null);
  const editHost = useRef<HTMLDivElement>(null);
  const diffHost = useRef<HTMLDivElement>(null);
  const editor = useEditor(monaco, base, editHost, diffHost, {
    label: "Change as JSON",
    requireObject: format === "merge",
    onText,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text this editor began with; what is typed is its own.
  useEffect(() => {
    const began = text === EMPTY[format] ? Promise.resolve(text) : formatted(text);
    void began.then((laidOut) => setBase({ text: laidOut, version: 0 }));
  }, []);
  if (error !== undefined) return <Trouble reason={error} onRetry={() => location.reload()} />;
  return (
    <>
      <div class="editor-host change-editor" aria-busy={!editor.ready}>
        {!editor.ready && <Loading what="Opening the editor" />}
        <div ref={editHost} class="editor-fill" />
      </div>
      <ProblemList problems={editor.problems} onOpen={editor.reveal} />
    </>
  );
}
