import type { ComponentChildren } from "preact";

/** The heading of a column, or one that only a screen reader is told. */
export type Column = string | { hidden: string };

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
            {props.columns.map((column) =>
              typeof column === "string" ? (
                <th key={column} scope="col">
                  {column}
                </th>
              ) : (
                <th key={column.hidden} scope="col">
                  <span class="visually-hidden">{column.hidden}</span>
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}
