import type { ComponentChildren } from "preact";
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Blame } from "../api/types";
import { isContainer, jsonPath, locate, pointer, raw, type Tape } from "../json/tape";
import { copy } from "./announce";
import { BlameIndex } from "./blameIndex";
import { Time, Value } from "./small";
import { Author, ROW, TreeRow } from "./TreeRow";
import { carriedExpansion, expandAll, firstExpansion, matching, openAbove, step, visibleRows } from "./treeRows";

const SPARE = 8;

interface TreeProps {
  tape: Tape;
  blame?: readonly Blame[] | null;
  label: string;
  /** What is selected at first, and once another tape is shown; otherwise the selection stays where it was. */
  at?: string | undefined;
  /** Buttons for what is selected. */
  actions?: ((node: number) => ComponentChildren) | undefined;
  /** Whether it had to do with a key that was pressed on a row. */
  onKey?: (key: string, node: number) => boolean;
}

/** A virtual tree (ARIA tree pattern): only the rows in view exist, so 5 MB documents scroll freely. */
export function Tree({ tape, blame, label, at: wanted, actions, onKey }: TreeProps) {
  const [query, setQuery] = useState("");
  const [expanded, setExpanded] = useState(() => openAt(tape, firstExpansion(tape), wanted));
  const [selected, setSelected] = useState(() => (wanted === undefined ? 0 : (locate(tape, wanted) ?? 0)));
  const shown = useRef(tape);
  const [scroll, setScroll] = useState(0);
  const [height, setHeight] = useState(600);
  const box = useRef<HTMLDivElement>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: another tape is the event.
  useLayoutEffect(() => {
    const before = shown.current;
    if (before === tape) return;
    shown.current = tape;
    const path = wanted ?? pointer(before, Math.min(selected, before.count - 1));
    setExpanded(openAt(tape, carriedExpansion(before, expanded, tape), path));
    setSelected(locate(tape, path) ?? 0);
  }, [tape]);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(() => setHeight(box.current?.clientHeight ?? 600));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);

  const found = useMemo(() => (query.trim() === "" ? null : matching(tape, query.trim())), [tape, query]);
  const rows = useMemo(
    () => visibleRows(tape, expanded.length === tape.count ? expanded : firstExpansion(tape), found?.marks ?? null),
    [tape, expanded, found],
  );
  const index = useMemo(() => (blame ? new BlameIndex(blame) : null), [blame]);
  const isOpen = (node: number) => expanded[node] === 1 || ((found?.marks[node] ?? 0) & 2) !== 0;
  const row = Math.max(0, rows.indexOf(selected));
  const first = Math.max(0, Math.floor(scroll / ROW) - SPARE);
  const last = Math.min(rows.length, Math.ceil((scroll + height) / ROW) + SPARE);

  const toggle = (node: number) => {
    const next = expanded.slice();
    next[node] = isOpen(node) ? 0 : 1;
    setExpanded(next);
  };
  const select = (at: number) => {
    setSelected(rows[at]!);
    const view = box.current!;
    if (at * ROW < view.scrollTop) view.scrollTop = at * ROW;
    else if ((at + 1) * ROW > view.scrollTop + view.clientHeight) view.scrollTop = (at + 1) * ROW - view.clientHeight;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || rows.length === 0) return;
    if (onKey?.(event.key, rows[row]!)) return event.preventDefault();
    if (event.key === "*") setExpanded(expandAll(tape, 1));
    else if (event.key === "c") void copy(jsonPath(tape, rows[row]!), "Path");
    else {
      const next = step(event.key, row, rows, tape, isOpen, Math.floor(height / ROW) - 1);
      if (next === null) return;
      if (next === "toggle") toggle(rows[row]!);
      else select(next);
    }
    event.preventDefault();
  };

  const visible: number[] = [];
  for (let at = first; at < last; at++) visible.push(at);
  const mounted = row >= first && row < last && rows.length > 0;
  return (
    <div class="json-tree">
      <div class="toolbar tree-bar">
        <input
          type="search"
          data-find
          aria-label="Filter variables"
          placeholder="Filter by name or value"
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
        {found && (
          <span class="quiet" role="status">
            {found.hits} found
          </span>
        )}
        <button type="button" class="quiet-button" onClick={() => setExpanded(expandAll(tape, 1))}>
          Expand all
        </button>
        <button type="button" class="quiet-button" onClick={() => setExpanded(expandAll(tape, 0))}>
          Collapse all
        </button>
      </div>
      <div
        ref={box}
        class="tree-rows"
        role="tree"
        aria-label={label}
        tabIndex={0}
        aria-activedescendant={mounted ? `tree-row-${rows[row]}` : undefined}
        onKeyDown={onKeyDown}
        onScroll={(event) => setScroll(event.currentTarget.scrollTop)}
      >
        <div role="none" style={{ height: `${rows.length * ROW}px` }}>
          {visible.map((at) => (
            <TreeRow
              key={rows[at]}
              tape={tape}
              node={rows[at]!}
              top={at * ROW}
              open={isOpen(rows[at]!)}
              selected={at === row}
              hit={((found?.marks[rows[at]!] ?? 0) & 1) !== 0}
              blame={index?.at(pointer(tape, rows[at]!)) ?? null}
              withBlame={index !== null}
              onSelect={() => setSelected(rows[at]!)}
              onToggle={() => toggle(rows[at]!)}
            />
          ))}
        </div>
      </div>
      {rows.length === 0 && <p class="nothing">No name and no value contains “{query}”.</p>}
      {rows.length > 0 && (
        <Selected tape={tape} node={rows[row]!} blame={index?.at(pointer(tape, rows[row]!)) ?? null}>
          {actions?.(rows[row]!)}
        </Selected>
      )}
    </div>
  );
}

/** The expansion with what a place is in; unchanged for no place, or for one that is not there. */
function openAt(tape: Tape, expanded: Uint8Array, path: string | undefined): Uint8Array {
  const node = path === undefined ? undefined : locate(tape, path);
  if (node !== undefined) openAbove(tape, expanded, node);
  return expanded;
}

/** What is selected, in full, and what can be done with it. */
function Selected(props: { tape: Tape; node: number; blame: Blame | null; children: ComponentChildren }) {
  const { tape, node, blame } = props;
  const path = jsonPath(tape, node);
  return (
    <section class="tree-selected" aria-label="Selected variable">
      <code class="path">{path}</code>
      <div class="toolbar">
        <button type="button" onClick={() => void copy(path, "Path")}>
          Copy path
        </button>
        <button type="button" onClick={() => void copy(raw(tape, node), "Value")}>
          Copy value
        </button>
        {props.children}
      </div>
      {!isContainer(tape, node) && (
        <div class="tree-full">
          <Value literal={raw(tape, node)} limit={600} />
        </div>
      )}
      {blame && (
        <p class="quiet">
          Last set by <Author blame={blame} />, <Time value={blame.time} />, version {blame.version}
          {blame.reason ? `: “${blame.reason}”` : ""}
        </p>
      )}
    </section>
  );
}
