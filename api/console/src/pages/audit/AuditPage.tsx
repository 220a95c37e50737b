import { useEffect, useState } from "preact/hooks";
import { PERMISSION } from "../../api/types";
import { may, workspaceApi } from "../../auth/session";
import { address, go, to } from "../../router";
import { usePages } from "../../widgets/load";
import { PagedList } from "../../widgets/PagedList";
import { AuditFilters } from "./AuditFilters";
import { AuditTable } from "./AuditTable";
import { askedOf, auditFilter } from "./auditFilter";
import { exportAuditLog } from "./exportAuditLog";

/** The audit log of a workspace. The address holds the filters. */
export function AuditPage({ workspace }: { workspace: string }) {
  useEffect(() => {
    document.title = "Audit log · procvars";
  }, []);
  return (
    <div class="page">
      {may(PERMISSION.audit, workspace) ? (
        <Log workspace={workspace} />
      ) : (
        <>
          <h1>Audit log</h1>
          <p class="notice warn">This page needs the permission {PERMISSION.audit}.</p>
        </>
      )}
    </div>
  );
}

function Log({ workspace }: { workspace: string }) {
  const api = workspaceApi(workspace);
  const filter = auditFilter.from(address.value.query);
  const list = usePages(
    (cursor, signal) => api.audit({ ...askedOf(filter), cursor }, signal),
    [workspace, JSON.stringify(filter)],
  );
  const [exporting, setExporting] = useState(false);
  const save = async () => {
    setExporting(true);
    await exportAuditLog(api, askedOf(filter));
    setExporting(false);
  };
  return (
    <>
      <div class="page-head">
        <h1>Audit log</h1>
        <div class="toolbar">
          <button type="button" onClick={list.reload}>
            Refresh
          </button>
          <button type="button" disabled={exporting} onClick={() => void save()}>
            {exporting ? "Exporting…" : "Export CSV"}
          </button>
        </div>
      </div>
      <AuditFilters
        filter={filter}
        entries={list.items}
        onChange={(next) => void go(to.audit(workspace) + auditFilter.query(next), { replace: true })}
      />
      <PagedList
        pages={list}
        empty={
          auditFilter.isEmpty(filter) ? "Nothing was modified by an operator yet." : "No entry fits these filters."
        }
      >
        {(entries) => <AuditTable api={api} entries={entries} linked />}
      </PagedList>
    </>
  );
}
