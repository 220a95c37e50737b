import { useEffect, useState } from "preact/hooks";
import { type Instance, PERMISSION } from "../api/types";
import { may, workspaceApi } from "../auth/session";
import { address, go, to } from "../router";
import { LoadStatus } from "../widgets/LoadStatus";
import { useLoad } from "../widgets/load";
import { Menu } from "../widgets/Menu";
import { Empty, Pairs, StatusBadge, Time, Trouble } from "../widgets/small";
import { Table } from "../widgets/Table";
import { BulkBar, withTick } from "./bulk/BulkBar";
import { Filters } from "./InstanceFilters";
import { type Filter, fetchRows, filterFrom, isSearch, nameOf, queryOf, type Row } from "./instanceQuery";

/** The table of process instances. The address holds the filters, so a view can be sent to a colleague. */
export function InstancesPage({ workspace }: { workspace: string }) {
  const api = workspaceApi(workspace);
  const filter = filterFrom(address.value.query);
  const [trail, setTrail] = useState<(string | undefined)[]>([undefined]);
  const key = queryOf(filter);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter begins on its first page.
  useEffect(() => setTrail([undefined]), [key]);
  const cursor = trail.at(-1);
  const known = useLoad(() => api.definitions(), [workspace]);
  const definitions = known.value ?? [];
  // How a key is searched for depends on its type; a plain list does not wait for the definitions.
  const page = useLoad(
    async (signal) => fetchRows(api, filter, cursor, isSearch(filter) ? await api.definitions() : [], signal),
    [workspace, key, cursor],
  );
  const mayEdit = may(PERMISSION.edit, workspace);
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const change = (next: Filter) => void go(to.instances(workspace) + queryOf(next), { replace: true });
  useEffect(() => {
    document.title = "Process instances · procvars";
  }, []);
  return (
    <div class="page">
      <div class="page-head">
        <h1>Process instances</h1>
        <button type="button" onClick={page.reload}>
          Refresh
        </button>
      </div>
      <Filters filter={filter} definitions={definitions} onChange={change} />
      {known.error !== undefined && page.error === undefined && <Trouble reason={known.error} onRetry={known.reload} />}
      <LoadStatus of={page} />
      {page.value && (
        <>
          {mayEdit && <BulkBar workspace={workspace} filter={filter} ticked={ticked} onTicked={setTicked} />}
          <InstanceTable
            workspace={workspace}
            rows={page.value.rows}
            withData={isSearch(filter)}
            stale={page.loading}
            ticked={mayEdit ? ticked : null}
            onTicked={setTicked}
            nameOf={(definition) => nameOf(definitions, definition)}
          />
          {page.value.rows.length === 0 && (
            <Empty>
              {key === ""
                ? "There are no process instances in this workspace yet."
                : "No process instance fits these filters."}
            </Empty>
          )}
          <nav class="pager" aria-label="Pages">
            <button type="button" disabled={trail.length === 1} onClick={() => setTrail(trail.slice(0, -1))}>
              Previous
            </button>
            <span class="quiet">Page {trail.length}</span>
            <button
              type="button"
              disabled={!page.value.next}
              onClick={() => setTrail([...trail, page.value!.next ?? undefined])}
            >
              Next
            </button>
          </nav>
        </>
      )}
    </div>
  );
}

export function modifiable(workspace: string, instance: Instance): boolean {
  const active = instance.status === "STARTED" || instance.status === "ON_HOLD";
  return active && may(PERMISSION.edit, workspace);
}

function InstanceTable(props: {
  workspace: string;
  rows: Row[];
  withData: boolean;
  stale: boolean;
  /** Null for a person who may only read. */
  ticked: ReadonlySet<string> | null;
  onTicked(ticked: ReadonlySet<string>): void;
  nameOf(definition: string): string;
}) {
  const { workspace, rows, withData, ticked } = props;
  const found = withData ? ["Search data"] : [];
  const tick = ticked ? [{ hidden: "Tick" }] : [];
  const columns = [...tick, "Title", "Definition", "Status", ...found, "Started", "Updated", { hidden: "Actions" }];
  return (
    <Table caption="Process instances" columns={columns} class="instances" stale={props.stale}>
      {rows.map(({ instance, data }) => (
        <tr key={instance.id}>
          {ticked && (
            <td class="tick">
              <input
                type="checkbox"
                aria-label={`Tick ${instance.title || instance.id}`}
                checked={ticked.has(instance.id)}
                onChange={(event) => props.onTicked(withTick(ticked, instance.id, event.currentTarget.checked))}
              />
            </td>
          )}
          <td class="title">
            <a href={to.instance(workspace, instance.id)}>{instance.title || instance.id}</a>
            {instance.title && <small class="mono quiet">{instance.id}</small>}
          </td>
          <td data-label="Definition">{props.nameOf(instance.definition)}</td>
          <td data-label="Status">
            <StatusBadge status={instance.status} />
          </td>
          {withData && (
            <td data-label="Search data">
              <Pairs pairs={data} />
            </td>
          )}
          <td data-label="Started">
            <Time value={instance.started_at} />
          </td>
          <td data-label="Updated">
            <Time value={instance.updated_at} />
          </td>
          <td class="row-menu">
            <RowMenu workspace={workspace} instance={instance} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function RowMenu({ workspace, instance }: { workspace: string; instance: Instance }) {
  const open =
    (tab: string, query = "") =>
    () =>
      void go(to.instance(workspace, instance.id, tab, query));
  const items = [
    { label: "Open", onSelect: open("variables") },
    { label: "History", onSelect: open("history") },
  ];
  if (modifiable(workspace, instance))
    items.unshift({ label: "Modify variables", onSelect: open("variables", "?edit=1") });
  return (
    <Menu label={`Actions for ${instance.title || instance.id}`} items={items}>
      <span aria-hidden="true">⋮</span>
    </Menu>
  );
}
