import { useEffect, useState } from "preact/hooks";
import type { AuditEntry, DeliveryState } from "../../api/types";
import type { Workspace } from "../../api/workspace";
import { reached, useSync } from "../../editor/SyncList";
import { JsonView } from "../../editor/views";
import { copy } from "../../widgets/announce";
import { Dialog } from "../../widgets/Dialog";
import { LoadStatus } from "../../widgets/LoadStatus";
import { useLoad, usePages } from "../../widgets/load";
import { PagedList } from "../../widgets/PagedList";
import { Fact, Field, Person, Time } from "../../widgets/small";
import { Table } from "../../widgets/Table";
import { Day } from "../InstanceFilters";
import { dayStart } from "../instanceQuery";
import type { TabProps } from "./tabProps";

const DELIVERED: Record<DeliveryState, string> = {
  waiting: "Not delivered yet",
  delivered: "Delivered",
  conflict: "In conflict since",
  failed: "Refused",
  resolved: "Decided",
};

const NONE = { from: "", to: "", user: "", subject: "", event: "" };

export function AuditTab({ api, instance }: TabProps) {
  const [typed, setTyped] = useState(NONE);
  const [filter, setFilter] = useState(NONE);
  const [open, setOpen] = useState<AuditEntry | null>(null);
  const list = usePages(
    (cursor, signal) =>
      api.audit(
        { ...filter, from: dayStart(filter.from), to: dayStart(filter.to, true), instance_id: instance.id, cursor },
        signal,
      ),
    [instance.id, instance.version, JSON.stringify(filter)],
  );
  const { sync } = useSync(api, instance.id, { target: instance.version });
  const log = sync?.projections.audit_log;
  const behind = sync !== null && log !== undefined && !reached(sync, log, instance.version);
  // biome-ignore lint/correctness/useExhaustiveDependencies: read again once, when the log has caught up.
  useEffect(() => {
    if (!behind && sync) list.reload();
  }, [behind]);
  const users = [...new Map(list.items.map((entry) => [entry.user, entry.user_name ?? entry.user]))];
  // The log is searched by account; people know each other by name.
  const account = (user: string) =>
    users.find(([, name]) => name.toLowerCase() === user.trim().toLowerCase())?.[0] ?? user.trim();
  const text = (name: "user" | "subject" | "event", label: string, known: [string, string][]) => (
    <Field label={label}>
      {(id) => (
        <>
          <input
            id={id}
            list={`${id}-known`}
            value={typed[name]}
            placeholder="Any"
            autocomplete="off"
            onInput={(event) => setTyped({ ...typed, [name]: event.currentTarget.value })}
          />
          <datalist id={`${id}-known`}>
            {known.map(([value, shown]) => (
              <option key={value} value={value} label={shown} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
  const filtered = JSON.stringify(filter) !== JSON.stringify(NONE);
  return (
    <div class="stack">
      <form
        class="filters"
        aria-label="Filter the audit log"
        onSubmit={(event) => {
          event.preventDefault();
          setFilter({ ...typed, user: account(typed.user) });
        }}
      >
        <Day label="From" value={typed.from} onChange={(from) => setTyped({ ...typed, from })} />
        <Day label="Until" value={typed.to} onChange={(to) => setTyped({ ...typed, to })} />
        {text("user", "User", users)}
        {text("subject", "Subject", [
          ["Process variables", "Process variables"],
          ["Incident", "Incident"],
        ])}
        {text("event", "Event", [
          ["Update", "Update"],
          ["Retry", "Retry"],
        ])}
        <button type="submit">Filter</button>
        {filtered && (
          <button
            type="button"
            class="quiet-button"
            onClick={() => {
              setTyped(NONE);
              setFilter(NONE);
            }}
          >
            Clear filters
          </button>
        )}
      </form>
      {behind && (
        <p class="notice warn" role="status">
          The audit log is behind: it shows what happened up to version {log.version ?? 0} of {sync.version}.
          {log.parked && " A change could not be applied to it; an operator of projections can try again."}
        </p>
      )}
      <PagedList pages={list} empty={emptyWords(filtered, behind)}>
        {(entries) => (
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
                  {entry.subject_identifier}
                </td>
                <td data-label="Version">{entry.version ?? "–"}</td>
                <td data-label="Status">{entry.status}</td>
              </tr>
            ))}
          </Table>
        )}
      </PagedList>
      {open && <Details api={api} entry={open} onClose={() => setOpen(null)} />}
    </div>
  );
}

function emptyWords(filtered: boolean, behind: boolean): string {
  if (filtered) return "No entry fits these filters.";
  return behind ? "No entry yet." : "Nothing was modified by an operator yet.";
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
