import { useEffect, useState } from "preact/hooks";
import { reached, useSync } from "../../editor/SyncList";
import { usePages } from "../../widgets/load";
import { PagedList } from "../../widgets/PagedList";
import { AuditFilters } from "../audit/AuditFilters";
import { AuditTable } from "../audit/AuditTable";
import { askedOf, auditFilter } from "../audit/auditFilter";
import type { TabProps } from "./tabProps";

export function AuditTab({ api, instance }: TabProps) {
  const [filter, setFilter] = useState(auditFilter.none);
  const list = usePages(
    (cursor, signal) => api.audit({ ...askedOf(filter), instance_id: instance.id, cursor }, signal),
    [instance.id, instance.version, JSON.stringify(filter)],
  );
  const { sync } = useSync(api, instance.id, { target: instance.version });
  const log = sync?.projections.audit_log;
  const behind = sync !== null && log !== undefined && !reached(sync, log, instance.version);
  // biome-ignore lint/correctness/useExhaustiveDependencies: read again once, when the log has caught up.
  useEffect(() => {
    if (!behind && sync) list.reload();
  }, [behind]);
  return (
    <div class="stack">
      <AuditFilters filter={filter} entries={list.items} onChange={setFilter} />
      {behind && (
        <p class="notice warn" role="status">
          The audit log is behind: it shows what happened up to version {log.version ?? 0} of {sync.version}.
          {log.parked && " A change could not be applied to it; an operator of projections can try again."}
        </p>
      )}
      <PagedList pages={list} empty={emptyWords(!auditFilter.isEmpty(filter), behind)}>
        {(entries) => <AuditTable api={api} entries={entries} />}
      </PagedList>
    </div>
  );
}

function emptyWords(filtered: boolean, behind: boolean): string {
  if (filtered) return "No entry fits these filters.";
  return behind ? "No entry yet." : "Nothing was modified by an operator yet.";
}
