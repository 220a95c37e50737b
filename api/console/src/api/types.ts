export const STATUSES = ["STARTED", "ON_HOLD", "FINISHED", "FAILED", "TERMINATED", "EXPIRED", "ABORTED"] as const;
export type Status = (typeof STATUSES)[number];

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Instance {
  id: string;
  definition: string;
  title: string | null;
  status: Status;
  started_at: string;
  updated_at: string | null;
  version: number;
  parent_id: string | null;
  editable: boolean;
  /** Where it runs, if in a real engine that the server is connected with. */
  engine?: { name: string; id: string; url?: string };
}

export interface SearchKey {
  key: string;
  path: string;
  type: "keyword" | "text" | "number" | "date" | "boolean";
}

export interface Definition {
  key: string;
  name: string;
  search: SearchKey[];
}

/** `data`, `value` and other parts of documents are literal JSON text. */
export interface Hit {
  instance_id: string;
  definition: string;
  title: string;
  status: Status;
  started_at: string;
  updated_at: string;
  version: number;
  data: [string, string][];
}

export const TASK_STATUSES = ["OPEN", "CLOSED"] as const;

export interface Task {
  task_id: string;
  instance_id: string;
  title: string;
  node: string | null;
  assignee: string | null;
  status: string;
  keywords: [string, string][];
  data: [string, string][];
  metadata: [string, string][];
}

export interface Operation {
  op: "add" | "remove" | "replace" | "move" | "copy" | "test";
  path: string;
  from?: string;
  /** Literal JSON. */
  value?: string;
}

export interface Warning {
  code: string;
  detail: string;
  instances?: string[];
  nodes?: string[];
  integrations?: string[];
  errors?: { path: string; message: string }[];
}

export interface Preview {
  /** Of the values that the edit would change. */
  version: number;
  patch: Operation[];
  changes: { added: string[]; removed: string[]; replaced: string[] };
  warnings: Warning[];
  affects: { keywords: string[]; search: string[]; tasks: string[] };
}

export interface Modified {
  instance_id: string;
  version: number;
  changed: boolean;
  warnings: Warning[];
}

export interface Document {
  text: string;
  version: number;
}

export interface Snapshot {
  version: number;
  taken_at: string;
  user: string;
  user_name: string | null;
  reason: string | null;
}

export interface HistoryEntry {
  version: number;
  time: string;
  user: string;
  user_name: string | null;
  reason: string | null;
  origin: string | null;
  /** How an operator edited; null for the engine. */
  kind: string | null;
  patch: Operation[];
  /** Operators' modifications that this one, a navigation back, undid. */
  lost: number[];
}

export interface Blame {
  path: string;
  version: number;
  user: string;
  user_name?: string | null;
  time: string;
  reason: string | null;
  origin: string | null;
}

export interface AuditEntry {
  id: string | number;
  timestamp: string;
  user: string;
  user_name?: string | null;
  subject: string;
  event: string;
  subject_identifier: string;
  version: number | null;
  status: string;
  reason: string | null;
}

export interface AuditDetail extends AuditEntry {
  url: string;
  body: string;
  patch: Operation[];
  /** Who brought the entry from another system, and when. */
  imported?: { user: string; user_name: string; at: string } | null;
  /** What has become of the edit in the process engine. */
  delivery?: { state: DeliveryState; at: string | null; detail: string | null; paths: string[] | null };
}

export type DeliveryState = "waiting" | "delivered" | "conflict" | "failed" | "resolved";

export interface ReadModel {
  title: string;
  version: number | null;
  current: boolean;
  parked: boolean;
  /** Of the delivery to a process engine. */
  state?: DeliveryState;
  detail?: string | null;
  paths?: string[] | null;
}

export interface Incident {
  incident_id: string;
  activity: string;
  message: string;
  failed_at: string;
  retryable: boolean;
}

/** Where an instance's changes are on their way to a named consumer of the event feed. */
export interface Arrival {
  version: number;
  current: boolean;
  state: "waiting" | "applied" | "refused";
  refused_version: number | null;
  detail: string | null;
  acknowledged_at: string;
}

export interface Sync {
  version: number;
  projections: Record<string, ReadModel>;
  /** Missing in the answer of a server of an earlier release, while servers are replaced. */
  consumers?: Record<string, Arrival>;
}

export interface Projection {
  name: string;
  title: string;
  state: string;
  position: number;
  lag_events: number;
  lag_seconds: number | null;
  parked: number;
  error?: string | null;
  since?: string | null;
  rebuild_due?: string | null;
  rebuild?: {
    state: string;
    done: number;
    total: number;
    rate?: number | null;
    seconds_left?: number | null;
  } | null;
}

/** What an operator looks at first. `more`: there are more than were counted. */
export interface Overview {
  by_status: { status: Status; instances: number; more: boolean }[];
  by_definition: { definition: string; instances: number; more: boolean }[];
  /** Null for whoever may not read the audit log. */
  modifications: RecentModifications | null;
  projections: Pick<Projection, "name" | "title" | "state" | "lag_seconds">[];
}

export interface RecentModifications {
  days: { day: string; modifications: number }[];
  editors: { user: string; user_name: string; definition: string | null; modifications: number; last_at: string }[];
  since: string;
  /** Whether every modification since the first day was counted. */
  complete: boolean;
}

export interface Parked {
  instance_id: string;
  version: number;
  error: string;
  since: string;
}

export interface Me {
  user: string;
  user_name: string | null;
  org_roles: string[];
  permissions: string[];
  workspaces: Record<string, { roles: string[]; permissions: string[] }>;
}

/** One change to many instances, as a job of the server. */
export interface BulkJob {
  id: string;
  state: "running" | "done" | "failed" | "cancelled";
  dry_run: boolean;
  total: number;
  done: number;
  changed: number;
  unchanged: number;
  skipped: number;
  failed: number;
  per_second: number;
  seconds_left: number | null;
  digest: string;
  reason: string;
  undoes: string | null;
  user: string;
  user_name: string | null;
  cancelled_by: string | null;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  /** Literal JSON. */
  select: string;
  /** Missing from a list of jobs, and from the undo of a job. */
  change: BulkChange | null;
}

export interface BulkChange {
  /** `undo`: of the modifications that the selection names. */
  format: "merge" | "patch" | "undo";
  /** Literal JSON. */
  text: string;
}

export const OUTCOMES = ["changed", "unchanged", "skipped", "failed"] as const;
export type BulkOutcome = (typeof OUTCOMES)[number];

/** What became of one instance, or would. */
export interface BulkResult {
  instance_id: string;
  outcome: BulkOutcome;
  version: number | null;
  problem: string | null;
  detail: string | null;
  warnings: Warning[];
  /** Of a dry run. */
  patch: Operation[];
  /** Members that were left out, for want of room. */
  omitted: string[];
}

export const PERMISSION = {
  read: "wks_process_instance_read",
  edit: "wks_process_instance_variables_edit",
  audit: "wks_audit_read",
  tasks: "wks_task_read",
  projections: "org_projections_manage",
} as const;
