import { useEffect, useMemo, useState } from "preact/hooks";
import { type Definition, PERMISSION } from "../api/types";
import type { Workspace } from "../api/workspace";
import { may, workspaceApi } from "../auth/session";
import { address, go, to } from "../router";
import { LoadStatus } from "../widgets/LoadStatus";
import { useEvery, useLoad } from "../widgets/load";
import { MultiSelect } from "../widgets/MultiSelect";
import { Empty, Trouble } from "../widgets/small";
import { store, stored } from "../widgets/stored";
import { BulkBar } from "./bulk/BulkBar";
import { Filters } from "./InstanceFilters";
import { COLUMNS, InstanceTable } from "./InstanceTable";
import { asksForValues, type Filter, fetchRows, filterFrom, isSearch, nameOf, queryOf } from "./instanceQuery";
import { SavedFilters } from "./SavedFilters";

const REFRESH_EVERY = 10_000;
const FIRST_COLUMNS = ["definition", "status", "started_at", "updated_at"];

/** The table of process instances. The address holds the filters, so a view can be sent to a colleague. */
export function InstancesPage({ workspace }: { workspace: string }) {
  const api = workspaceApi(workspace);
  const filter = filterFrom(address.value.query);
  const [trail, setTrail] = useState<(string | undefined)[]>([undefined]);
  const key = queryOf(filter);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter begins on its first page.
  useEffect(() => setTrail([undefined]), [key]);
  const cursor = trail.at(-1);
  const readDefinitions = useMemo(() => definitionsOf(api), [api]);
  const known = useLoad(readDefinitions, [readDefinitions]);
  const definitions = known.value ?? [];
  const page = useLoad((signal) => fetchRows(api, filter, cursor, readDefinitions, signal), [workspace, key, cursor]);
  const [columns, setColumns] = useChoice("list.columns", FIRST_COLUMNS, areTexts);
  const [refreshing, setRefreshing] = useChoice("list.refreshing", false, isTruth);
  useEvery(refreshing ? REFRESH_EVERY : null, page.reload);
  const mayEdit = may(PERMISSION.edit, workspace);
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const show = (query: string) => void go(to.instances(workspace) + query, { replace: true });
  const change = (next: Filter) => show(queryOf(next));
  useEffect(() => {
    document.title = "Process instances · procvars";
  }, []);
  return (
    <div class="page">
      <div class="page-head">
        <h1>Process instances</h1>
        <div class="toolbar">
          <label class="check inline">
            <input
              type="checkbox"
              checked={refreshing}
              onChange={(event) => setRefreshing(event.currentTarget.checked)}
            />
            Refresh every 10 s
          </label>
          <MultiSelect label="Columns" caption="Columns" options={COLUMNS} chosen={columns} onChange={setColumns} />
          <SavedFilters workspace={workspace} query={key} onChoose={show} />
          <button type="button" onClick={page.reload}>
            Refresh
          </button>
        </div>
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
            columns={columns}
            withData={asksForValues(filter)}
            stale={page.loading}
            ticked={mayEdit ? ticked : null}
            onTicked={setTicked}
            nameOf={(definition) => nameOf(definitions, definition)}
            sorting={isSearch(filter) ? null : { sort: filter.sort, onSort: (sort) => change({ ...filter, sort }) }}
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

/** Reads the definitions when they are first needed; again only after a failure. */
function definitionsOf(api: Workspace): () => Promise<Definition[]> {
  let reading: Promise<Definition[]> | null = null;
  return () => {
    reading ??= api.definitions().catch((reason: unknown) => {
      reading = null;
      throw reason;
    });
    return reading;
  };
}

/** A state that this browser remembers. */
function useChoice<T>(name: string, fallback: T, isValid: (value: unknown) => value is T): [T, (value: T) => void] {
  const [value, setValue] = useState(() => stored(name, fallback, isValid));
  return [
    value,
    (next) => {
      store(name, next);
      setValue(next);
    },
  ];
}

const isTruth = (value: unknown): value is boolean => typeof value === "boolean";
const areTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");
