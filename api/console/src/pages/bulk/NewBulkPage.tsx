import { useEffect, useState } from "preact/hooks";
import { patchText } from "../../api/answers";
import { type BulkChange, type Definition, PERMISSION } from "../../api/types";
import type { Workspace } from "../../api/workspace";
import { may, workspaceApi } from "../../auth/session";
import { address, go, to } from "../../router";
import { LoadStatus } from "../../widgets/LoadStatus";
import { useLoad } from "../../widgets/load";
import { ChangeForm, type WrittenChange } from "./ChangeForm";
import { SelectionFields } from "./SelectionFields";
import { SelectWords } from "./SelectWords";
import { isNarrow, queryOfSelection, selectionFrom, selectOf } from "./selection";

/** What a new bulk modification starts with. */
interface Start {
  definitions: Definition[];
  /** Of an earlier job, which is changed and tried again. */
  select: string | null;
  change: WrittenChange | null;
  reason: string;
}

/** The form of a bulk modification; the address holds the selection. Its dry run is a job with a page of its own. */
export function NewBulkPage({ workspace }: { workspace: string }) {
  const api = workspaceApi(workspace);
  const { query } = address.value;
  const from = query.get("from");
  const like = query.get("like");
  const version = Number(query.get("version"));
  const loaded = useLoad(() => startOf(api, from, like, version), [workspace, from, like, version]);
  useEffect(() => {
    document.title = "New bulk modification · procvars";
  }, []);
  return (
    <div class="page">
      <h1>New bulk modification</h1>
      {may(PERMISSION.edit, workspace) ? (
        <>
          <LoadStatus of={loaded} />
          {loaded.value && <Form api={api} start={loaded.value} />}
        </>
      ) : (
        <p class="notice warn">This page needs the permission {PERMISSION.edit}.</p>
      )}
    </div>
  );
}

function Form({ api, start }: { api: Workspace; start: Start }) {
  const [selection, setSelection] = useState(() => selectionFrom(address.value.query));
  const { definitions } = start;
  const select = start.select ?? selectOf(selection, definitions);
  return (
    <div class="stack">
      <h2>Instances</h2>
      {start.select !== null || selection.ids.length > 0 ? (
        <SelectWords select={select} />
      ) : (
        <SelectionFields
          selection={selection}
          definitions={definitions}
          onChange={(next) => {
            setSelection(next);
            const kept = new URLSearchParams(queryOfSelection(next));
            for (const name of ["like", "version"]) {
              const value = address.value.query.get(name);
              if (value !== null) kept.set(name, value);
            }
            void go(to.newBulk(api.name, `?${kept}`), { replace: true });
          }}
        />
      )}
      <ChangeForm
        api={api}
        select={select}
        blocked={start.select === null && !isNarrow(selection) ? "Say which instances first." : null}
        change={start.change}
        reason={start.reason}
        onOrdered={(id) => void go(to.bulk(api.name, id))}
      />
    </div>
  );
}

const isWritten = (change: BulkChange | null): change is WrittenChange => change !== null && change.format !== "undo";

async function startOf(api: Workspace, from: string | null, like: string | null, version: number): Promise<Start> {
  const definitions = await api.definitions();
  if (from !== null) {
    const { select, change, reason } = await api.bulk.job(from);
    return { definitions, select, change: isWritten(change) ? change : null, reason };
  }
  if (like === null) return { definitions, select: null, change: null, reason: "" };
  const { patch, reason } = await api.modification(like, version);
  return { definitions, select: null, change: { format: "patch", text: patchText(patch) }, reason: reason ?? "" };
}
