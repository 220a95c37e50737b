import type { ComponentChildren } from "preact";

/** The heading of a column, one that only a screen reader is told, or one that sorts the table. */
export type Column = string | { hidden: string } | SortableColumn;

export interface SortableColumn {
  label: string;
  /** How the table is sorted by it now. */
  sorted: "ascending" | "descending" | "none";
  onSort(): void;
}

/** A framed table; the rows are its children. */
export function Table(props: {
  caption: string;
  columns: readonly Column[];
  class?: string;
  /** Another page of it is on its way. */
  stale?: boolean;
  children: ComponentChildren;
}) {
  return (
    <div class={props.stale ? "table-box stale" : "table-box"}>
      <table class={props.class ? `table ${props.class}` : "table"}>
        <caption class="visually-hidden">{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map((column) => (
              <Heading key={typeof column === "string" ? column : "label" in column ? column.label : column.hidden}>
                {column}
              </Heading>
            ))}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}

function Heading({ children: column }: { children: Column }) {
  if (typeof column === "string") return <th scope="col">{column}</th>;
  if ("hidden" in column) {
    return (
      <th scope="col">
        <span class="visually-hidden">{column.hidden}</span>
      </th>
    );
  }
  return (
    <th scope="col" aria-sort={column.sorted}>
      <button type="button" class={`sort ${column.sorted}`} onClick={column.onSort}>
        {column.label}
      </button>
    </th>
  );
}
