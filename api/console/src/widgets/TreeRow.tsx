import type { Blame } from "../api/types";
import { isContainer, Kind, keyOf, raw, type Tape } from "../json/tape";
import { Person, Time } from "./small";
import { depthOf } from "./treeRows";

/** The height of a row in pixels. */
export const ROW = 28;

interface RowProps {
  tape: Tape;
  node: number;
  top: number;
  open: boolean;
  selected: boolean;
  hit: boolean;
  blame: Blame | null;
  withBlame: boolean;
  onSelect(): void;
  onToggle(): void;
}

const CLASS: Record<number, string> = {
  3: "json-string",
  4: "json-number",
  5: "json-word",
  6: "json-word",
  7: "json-null",
};

export function TreeRow({ tape, node, top, open, selected, hit, blame, withBlame, onSelect, onToggle }: RowProps) {
  const container = isContainer(tape, node);
  const size = tape.size[node]!;
  const depth = depthOf(tape, node);
  const isObject = tape.kind[node] === Kind.Object;
  const count = isObject ? `{${size}}` : `[${size}]`;
  const literal = container ? count : raw(tape, node);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: keys go to the tree, which has the focus.
    <div
      id={`tree-row-${node}`}
      role="treeitem"
      tabIndex={-1}
      aria-level={depth + 1}
      aria-selected={selected}
      aria-expanded={container && size > 0 ? open : undefined}
      aria-setsize={node === 0 ? 1 : tape.size[tape.parent[node]!]}
      aria-posinset={node === 0 ? 1 : tape.order[node]! + 1}
      class={`tree-row${selected ? " selected" : ""}${hit ? " hit" : ""}`}
      style={{ top: `${top}px`, paddingInlineStart: `${8 + depth * 18}px` }}
      onMouseDown={(event) => {
        event.preventDefault();
        (event.currentTarget.closest("[role=tree]") as HTMLElement).focus({ preventScroll: true });
      }}
      onClick={() => {
        onSelect();
        if (container) onToggle();
      }}
    >
      <span class={container && size > 0 ? `chevron${open ? " open" : ""}` : "chevron none"} aria-hidden="true" />
      <span class="tree-key">{node === 0 ? "variables" : keyOf(tape, node)}</span>
      <span class="tree-colon" aria-hidden="true">
        :
      </span>
      <span class={container ? "tree-count" : CLASS[tape.kind[node]!]}>
        {literal.length > 400 ? `${literal.slice(0, 400)}…` : literal}
      </span>
      {withBlame && (
        <span class="tree-blame">
          {blame && (
            <>
              <Author blame={blame} /> · <Time value={blame.time} /> · v{blame.version}
            </>
          )}
        </span>
      )}
    </div>
  );
}

/** Who set a value last. */
export const Author = ({ blame }: { blame: Blame }) =>
  blame.origin === "engine" ? (
    <span title={blame.user}>the process itself</span>
  ) : (
    <Person name={blame.user_name} user={blame.user} />
  );
