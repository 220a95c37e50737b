import { type Instance, PERMISSION } from "../api/types";
import { may } from "../auth/session";
import { go, to } from "../router";
import { Menu } from "../widgets/Menu";
import { Pairs, StatusBadge, Time } from "../widgets/small";
import { type Column, Table } from "../widgets/Table";
import { withTick } from "./bulk/BulkBar";
import type { Row } from "./instanceQuery";

/** The columns that somebody may leave out, in their order. */
export const COLUMNS = [
  { value: "definition", label: "Definition" },
  { value: "status", label: "Status" },
  { value: "started_at", label: "Started" },
  { value: "updated_at", label: "Updated" },
  { value: "version", label: "Version" },
] as const;

interface Sorting {
  /** As in the address. */
  sort: string;
  onSort(sort: string): void;
}

export function InstanceTable(props: {
  workspace: string;
  rows: Row[];
  columns: readonly string[];
  withData: boolean;
  stale: boolean;
  /** Null for a person who may only read. */
  ticked: ReadonlySet<string> | null;
  onTicked(ticked: ReadonlySet<string>): void;
  nameOf(definition: string): string;
  /** Null where the order is the search's own. */
  sorting: Sorting | null;
}) {
  const { workspace, rows, withData, ticked } = props;
  const shown = (name: string) => props.columns.includes(name);
  const columns: Column[] = [...(ticked ? [{ hidden: "Tick" }] : []), headingOf("title", "Title", props.sorting)];
  for (const { value, label } of COLUMNS) {
    if (shown(value)) columns.push(headingOf(value, label, props.sorting));
    if (value === "status" && withData) columns.push("Search data");
  }
  return (
    <Table
      caption="Process instances"
      columns={[...columns, { hidden: "Actions" }]}
      class="instances"
      stale={props.stale}
    >
      {rows.map((row) => (
        <tr key={row.id}>
          {ticked && (
            <td class="tick">
              <input
                type="checkbox"
                aria-label={`Tick ${row.title || row.id}`}
                checked={ticked.has(row.id)}
                onChange={(event) => props.onTicked(withTick(ticked, row.id, event.currentTarget.checked))}
              />
            </td>
          )}
          <td class="title">
            <a href={to.instance(workspace, row.id)}>{row.title || row.id}</a>
            {row.title && <small class="mono quiet">{row.id}</small>}
          </td>
          {shown("definition") && <td data-label="Definition">{props.nameOf(row.definition)}</td>}
          {shown("status") && (
            <td data-label="Status">
              <StatusBadge status={row.status} />
            </td>
          )}
          {withData && (
            <td data-label="Search data">
              <Pairs pairs={row.data} />
            </td>
          )}
          {shown("started_at") && (
            <td data-label="Started">
              <Time value={row.started_at} />
            </td>
          )}
          {shown("updated_at") && (
            <td data-label="Updated">
              <Time value={row.updated_at} />
            </td>
          )}
          {shown("version") && <td data-label="Version">{row.version}</td>}
          <td class="row-menu">
            <RowMenu workspace={workspace} row={row} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

/** A column that sorts by itself upwards first, and downwards when it is chosen again. */
function headingOf(name: string, label: string, sorting: Sorting | null): Column {
  if (sorting === null) return label;
  // The address says nothing of the usual order, the newest first.
  const sort = sorting.sort || "-started_at";
  const sorted = sort === name ? "ascending" : sort === `-${name}` ? "descending" : "none";
  const next = sorted === "ascending" ? `-${name}` : name;
  return { label, sorted, onSort: () => sorting.onSort(next === "-started_at" ? "" : next) };
}

export function modifiable(workspace: string, { status }: Pick<Instance, "status">): boolean {
  return (status === "STARTED" || status === "ON_HOLD") && may(PERMISSION.edit, workspace);
}

function RowMenu({ workspace, row }: { workspace: string; row: Row }) {
  const open =
    (tab: string, query = "") =>
    () =>
      void go(to.instance(workspace, row.id, tab, query));
  const items = [
    { label: "Open", onSelect: open("variables") },
    { label: "History", onSelect: open("history") },
  ];
  if (modifiable(workspace, row)) items.unshift({ label: "Modify variables", onSelect: open("variables", "?edit=1") });
  return (
    <Menu label={`Actions for ${row.title || row.id}`} items={items}>
      <span aria-hidden="true">⋮</span>
    </Menu>
  );
}
