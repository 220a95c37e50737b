import { useEffect } from "preact/hooks";
import { PERMISSION } from "../../api/types";
import { may, workspaceApi } from "../../auth/session";
import { address, go, to } from "../../router";
import { usePages } from "../../widgets/load";
import { PagedList } from "../../widgets/PagedList";
import { AuditFilters } from "./AuditFilters";
import { AuditTable } from "./AuditTable";
import { askedOf, auditFilterFrom, isEmpty, queryOfAuditFilter } from "./auditFilter";

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
  const filter = auditFilterFrom(address.value.query);
  const list = usePages(
    (cursor, signal) => api.audit({ ...askedOf(filter), cursor }, signal),
    [workspace, JSON.stringify(filter)],
  );
  return (
    <>
      <div class="page-head">
        <h1>Audit log</h1>
        <button type="button" onClick={list.reload}>
          Refresh
        </button>
      </div>
      <AuditFilters
        filter={filter}
        entries={list.items}
        onChange={(next) => void go(to.audit(workspace) + queryOfAuditFilter(next), { replace: true })}
      />
      <PagedList
        pages={list}
        empty={isEmpty(filter) ? "Nothing was modified by an operator yet." : "No entry fits these filters."}
      >
        {(entries) => <AuditTable api={api} entries={entries} linked />}
      </PagedList>
    </>
  );
}
