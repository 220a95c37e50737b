import { useEffect, useRef } from "preact/hooks";
import { formatted } from "../json/work";
import { useLoad } from "../widgets/load";
import { Loading, Trouble } from "../widgets/small";
import { useMonaco } from "./lazy";

/** Read-only JSON, laid out, with colours, folding and find. */
export function JsonView({ text, label, height }: { text: string; label: string; height?: string }) {
  const { monaco, error } = useMonaco();
  const laidOut = useLoad(() => formatted(text), [text]);
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!monaco || laidOut.value === undefined || !host.current) return;
    const model = monaco.newModel(laidOut.value);
    const editor = monaco.newEditor(host.current, model, { readOnly: true, label });
    return () => {
      editor.dispose();
      model.dispose();
    };
  }, [monaco, laidOut.value, label]);
  if (error) return <Trouble reason={error} />;
  return (
    <div class="editor-host" style={height ? { height, minHeight: 0, flex: "none" } : undefined}>
      {(!monaco || laidOut.value === undefined) && <Loading what="Opening" />}
      <div ref={host} class="editor-fill" />
    </div>
  );
}

/** Two documents side by side, read-only. */
export function DiffView({ before, after, height }: { before: string; after: string; height?: string }) {
  const { monaco, error } = useMonaco();
  const texts = useLoad(() => Promise.all([formatted(before), formatted(after)]), [before, after]);
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!monaco || !texts.value || !host.current) return;
    const original = monaco.newModel(texts.value[0]);
    const modified = monaco.newModel(texts.value[1]);
    const diff = monaco.newDiffEditor(host.current, original, modified, true);
    return () => {
      diff.dispose();
      original.dispose();
      modified.dispose();
    };
  }, [monaco, texts.value]);
  if (error) return <Trouble reason={error} />;
  return (
    <div class="editor-host" style={height ? { height, minHeight: 0, flex: "none" } : undefined}>
      {(!monaco || !texts.value) && <Loading what="Comparing" />}
      <div ref={host} class="editor-fill" />
    </div>
  );
}
