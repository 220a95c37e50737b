import type { ComponentChildren } from "preact";
import { useId, useState } from "preact/hooks";
import type { Status } from "../api/types";
import { explain, STATUS_WORDS } from "../api/words";

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const WHEN_EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

export function Time({ value }: { value: string | null | undefined }) {
  if (!value) return <span class="quiet">–</span>;
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return <span>{value}</span>;
  return (
    <time dateTime={value} title={WHEN_EXACT.format(date)}>
      {WHEN.format(date)}
    </time>
  );
}

export function StatusBadge({ status }: { status: Status }) {
  return <span class={`badge status-${status.toLowerCase()}`}>{STATUS_WORDS[status] ?? status}</span>;
}

export function Person({ name, user }: { name?: string | null | undefined; user: string }) {
  return <span title={user}>{name || user}</span>;
}

/** Something went wrong, in plain words, with another try where one makes sense. */
export function Trouble({ reason, onRetry }: { reason: unknown; onRetry?: () => void }) {
  return (
    <div class="notice error" role="alert">
      <p>{explain(reason)}</p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Loading({ what = "Loading" }: { what?: string }) {
  return (
    <p class="loading" role="status">
      <span class="spinner" aria-hidden="true" />
      {what}…
    </p>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="nothing">{children}</p>;
}

export function Field(props: {
  label: string;
  children: (id: string) => ComponentChildren;
  hint?: string;
  class?: string;
}) {
  const id = useId();
  return (
    <div class={`field ${props.class ?? ""}`}>
      <label for={id}>{props.label}</label>
      {props.children(id)}
      {props.hint && <small>{props.hint}</small>}
    </div>
  );
}

/** What is so named, within a `dl`. */
export function Fact(props: { name: string; class?: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd class={props.class}>{props.children}</dd>
    </div>
  );
}

export const REASON_LIMIT = 1000;

export function ReasonField(props: { value: string; onChange(value: string): void; disabled?: boolean }) {
  return (
    <Field label="Reason" class="reason">
      {(id) => (
        <input
          id={id}
          type="text"
          maxLength={REASON_LIMIT}
          disabled={props.disabled}
          value={props.value}
          placeholder="Why? Colleagues and auditors will read it"
          onInput={(event) => props.onChange(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}

/** Literal JSON of a value, exactly as stored; long ones fold. */
export function Value({ literal, limit = 160 }: { literal: string | undefined; limit?: number }) {
  const [whole, setWhole] = useState(false);
  if (literal === undefined) return <span class="quiet">(not there)</span>;
  if (literal.length <= limit || whole) return <code class="value">{literal}</code>;
  return (
    <span>
      <code class="value">{literal.slice(0, limit)}…</code>{" "}
      <button type="button" class="link" onClick={() => setWhole(true)}>
        Show all
      </button>
    </span>
  );
}

/** A pointer as people read it: `customer › address › 0`. */
export function Path({ pointer }: { pointer: string }) {
  const parts = pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  return (
    <code class="path" title={pointer || "the whole document"}>
      {parts.length === 0 ? "the whole document" : parts.join(" › ")}
    </code>
  );
}

export function Pairs({ pairs }: { pairs: [string, string][] }) {
  if (pairs.length === 0) return <span class="quiet">–</span>;
  return (
    <ul class="pairs">
      {pairs.map(([name, literal]) => (
        <li key={name}>
          <span class="quiet">{name}</span> <Value literal={shown(literal)} limit={80} />
        </li>
      ))}
    </ul>
  );
}

/** Text without its quotes, everything else as stored. */
export const shown = (literal: string): string => (literal.startsWith('"') ? (JSON.parse(literal) as string) : literal);

export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
