import { useEffect, useState } from "preact/hooks";
import type { AuditEntry } from "../../api/types";
import { Field } from "../../widgets/small";
import { Day } from "../InstanceFilters";
import { type AuditFilter, auditFilter } from "./auditFilter";

/** The filters of an audit log. Users are offered from the entries in view. */
export function AuditFilters(props: {
  filter: AuditFilter;
  entries: readonly AuditEntry[];
  onChange(filter: AuditFilter): void;
}) {
  const { filter, onChange } = props;
  const [typed, setTyped] = useState(filter);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter with the same values is the same filter.
  useEffect(() => setTyped(filter), [JSON.stringify(filter)]);
  const users = [...new Map(props.entries.map((entry) => [entry.user, entry.user_name ?? entry.user]))];
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
            data-find={name === "user" || undefined}
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
  return (
    <form
      class="filters"
      aria-label="Filter the audit log"
      onSubmit={(event) => {
        event.preventDefault();
        onChange({ ...typed, user: account(typed.user) });
      }}
    >
      <Day label="From" value={typed.from} onChange={(from) => setTyped({ ...typed, from })} />
      <Day label="Until" value={typed.to} onChange={(to) => setTyped({ ...typed, to })} />
      {text("user", "User", users)}
      {text("subject", "Subject", [
        ["Process variables", "Process variables"],
        ["Incident", "Incident"],
        ["Process instances", "Process instances"],
      ])}
      {text("event", "Event", [
        ["Update", "Update"],
        ["Update bulk", "Update bulk"],
        ["Retry", "Retry"],
        ["Archive", "Archive"],
      ])}
      <button type="submit" class="primary">
        Filter
      </button>
      {!auditFilter.isEmpty(filter) && (
        <button type="button" class="quiet-button" onClick={() => onChange(auditFilter.none)}>
          Clear filters
        </button>
      )}
    </form>
  );
}
