import { useState } from "preact/hooks";
import { child, isContainer, Kind, keyOf, member, pointer, raw, type Tape } from "../json/tape";
import { addition, removal, replacement, type TextEdit } from "../json/textEdits";
import { tapeOf } from "../json/work";
import { announce } from "../widgets/announce";
import { LoadStatus } from "../widgets/LoadStatus";
import { useLoad } from "../widgets/load";
import { Tree } from "../widgets/Tree";
import { ValueDialog } from "./ValueDialog";

type Asking = { do: "replace" | "add"; node: number };

/** The text under edit as a tree: one value, member or element at a time, each a change that can be undone. */
export function TreeEdit(props: {
  text(): string;
  /** Another number for another text. */
  revision: number;
  /** What is selected first. */
  at: string | undefined;
  onChange(edit: TextEdit): void;
  /** Null where there is nothing to undo. */
  onUndo: (() => void) | null;
}) {
  const [at, setAt] = useState(props.at);
  const [asking, setAsking] = useState<Asking | null>(null);
  const loaded = useLoad(() => tapeOf(props.text()), [props.revision]);
  const tape = loaded.value;
  if (!tape) return <LoadStatus of={loaded} />;
  const change = (edit: TextEdit, path: string) => {
    setAt(path);
    setAsking(null);
    props.onChange(edit);
  };
  const remove = (node: number) => {
    if (node === 0) return;
    change(removal(tape, node), pointer(tape, tape.parent[node]!));
    announce(`Removed ${keyOf(tape, node)}`);
  };
  const keys: Record<string, (node: number) => void> = {
    F2: (node) => setAsking({ do: "replace", node }),
    Insert: (node) => isContainer(tape, node) && setAsking({ do: "add", node }),
    Delete: remove,
  };
  return (
    <>
      <Tree
        tape={tape}
        label="Variables under edit"
        at={at}
        onKey={(key, node) => {
          keys[key]?.(node);
          return key in keys;
        }}
        actions={(node) => (
          <>
            <button type="button" onClick={() => setAsking({ do: "replace", node })}>
              Edit value
            </button>
            {isContainer(tape, node) && (
              <button type="button" onClick={() => setAsking({ do: "add", node })}>
                {tape.kind[node] === Kind.Object ? "Add member" : "Add element"}
              </button>
            )}
            {node !== 0 && (
              <button type="button" onClick={() => remove(node)}>
                Remove
              </button>
            )}
            <button type="button" disabled={props.onUndo === null} onClick={() => props.onUndo?.()}>
              Undo
            </button>
          </>
        )}
      />
      {asking && <Ask tape={tape} asking={asking} onChange={change} onClose={() => setAsking(null)} />}
    </>
  );
}

function Ask(props: { tape: Tape; asking: Asking; onChange(edit: TextEdit, path: string): void; onClose(): void }) {
  const { tape, asking } = props;
  const { node } = asking;
  const path = pointer(tape, node);
  if (asking.do === "replace") {
    return (
      <ValueDialog
        title={node === 0 ? "Edit all variables" : `Edit ${keyOf(tape, node)}`}
        literal={raw(tape, node)}
        objectOnly={node === 0}
        onValue={(literal) => props.onChange(replacement(tape, node, literal), path)}
        onClose={props.onClose}
      />
    );
  }
  const toObject = tape.kind[node] === Kind.Object;
  const where = node === 0 ? "the variables" : keyOf(tape, node);
  return (
    <ValueDialog
      title={`Add to ${where}`}
      literal={'""'}
      isNew
      whyNotNamed={
        toObject
          ? (name) => (member(tape, node, name) === undefined ? null : "There is a member of this name already.")
          : undefined
      }
      onValue={(literal, name) => {
        props.onChange(addition(tape, node, name, literal), child(path, name ?? tape.size[node]!));
      }}
      onClose={props.onClose}
    />
  );
}
