import { useState } from "preact/hooks";
import type { AuditEntry, DeliveryState } from "../../api/types";
import type { Workspace } from "../../api/workspace";
import { JsonView } from "../../editor/views";
import { to } from "../../router";
import { copy } from "../../widgets/announce";
import { Dialog } from "../../widgets/Dialog";
import { LoadStatus } from "../../widgets/LoadStatus";
import { useLoad } from "../../widgets/load";
import { Fact, Person, Time } from "../../widgets/small";
import { Table } from "../../widgets/Table";

/** How the identifier of a bulk modification begins; no instance's does. */
const BULK = "bulk-modification:";

const DELIVERED: Record<DeliveryState, string> = {
  waiting: "Not delivered yet",
  delivered: "Delivered",
  conflict: "In conflict since",
  failed: "Refused",
  resolved: "Decided",
};

/** Entries of the audit log; each opens its details. With `linked`, instances are links. */
export function AuditTable(props: { api: Workspace; entries: readonly AuditEntry[]; linked?: boolean }) {
  const { api, entries, linked = false } = props;
  const [open, setOpen] = useState<AuditEntry | null>(null);
  return (
    <>
      <Table
        caption="Audit log, newest first"
        columns={["Timestamp", "User", "Subject", "Event", "Subject identifier", "Version", "Status"]}
        class="clickable"
      >
        {entries.map((entry) => (
          <tr key={entry.id} onClick={() => setOpen(entry)}>
            <td class="title">
              <button
                type="button"
                class="link"
                onClick={(event) => {
                  event.stopPropagation();
                  setOpen(entry);
                }}
              >
                <Time value={entry.timestamp} />
                <span class="visually-hidden">, details of version {entry.version ?? "?"}</span>
              </button>
            </td>
            <td data-label="User">
              <Person name={entry.user_name} user={entry.user} /> <small class="mono quiet">{entry.user}</small>
            </td>
            <td data-label="Subject">{entry.subject}</td>
            <td data-label="Event">{entry.event}</td>
            <td data-label="Subject identifier" class="mono">
              {linked ? <Subject workspace={api.name} entry={entry} /> : entry.subject_identifier}
            </td>
            <td data-label="Version">{entry.version ?? "–"}</td>
            <td data-label="Status">{entry.status}</td>
          </tr>
        ))}
      </Table>
      {open && <Details api={api} entry={open} onClose={() => setOpen(null)} />}
    </>
  );
}

/** What an entry is about, as the way there: an instance, or a bulk modification. */
function Subject({ workspace, entry }: { workspace: string; entry: AuditEntry }) {
  const { subject, subject_identifier: id, version } = entry;
  if (subject !== "Process variables" || version === null) return <>{id}</>;
  const href = id.startsWith(BULK)
    ? to.bulk(workspace, id.slice(BULK.length))
    : to.instance(workspace, id, "audit-log");
  return (
    <a href={href} onClick={(event) => event.stopPropagation()}>
      {id}
    </a>
  );
}

function Details({ api, entry, onClose }: { api: Workspace; entry: AuditEntry; onClose(): void }) {
  const loaded = useLoad(() => api.auditEntry(entry.id), [entry.id]);
  const detail = loaded.value;
  return (
    <Dialog
      title={`${entry.event} · ${entry.subject}`}
      wide
      onClose={onClose}
      actions={
        <>
          {detail && (
            <button type="button" onClick={() => void copy(detail.body, "Body")}>
              Copy body
            </button>
          )}
          <button type="button" class="primary" onClick={onClose}>
            Close
          </button>
        </>
      }
    >
      <dl class="facts">
        <Fact name="When">
          <Time value={entry.timestamp} />
        </Fact>
        <Fact name="User">
          <Person name={entry.user_name} user={entry.user} />
        </Fact>
        <Fact name="Status">{entry.status}</Fact>
        <Fact name="Reason">{entry.reason || "–"}</Fact>
        {detail?.imported && (
          <Fact name="Imported by">
            <Person name={detail.imported.user_name} user={detail.imported.user} /> ·{" "}
            <Time value={detail.imported.at} />
          </Fact>
        )}
        {detail?.delivery && (
          <Fact name="Process engine">
            {DELIVERED[detail.delivery.state]} {detail.delivery.at && <Time value={detail.delivery.at} />}
            {detail.delivery.detail && <p class="quiet">{detail.delivery.detail}</p>}
          </Fact>
        )}
      </dl>
      <LoadStatus of={loaded} />
      {detail && (
        <>
          <h3>URL</h3>
          <code class="path url">{detail.url}</code>
          <h3>Body</h3>
          <JsonView text={detail.body} label="Body" height="46vh" />
        </>
      )}
    </Dialog>
  );
}
