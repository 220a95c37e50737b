import { Reader } from "../json/read";
import type {
  AuditDetail,
  AuditEntry,
  BulkJob,
  BulkResult,
  HistoryEntry,
  Hit,
  Modified,
  Operation,
  Page,
  Preview,
  Status,
  Task,
  Warning,
} from "./types";

/** Answers that carry parts of documents: those parts stay literal JSON text. */

export function operations(reader: Reader | undefined): Operation[] {
  return (reader?.items() ?? []).map((item) => {
    const operation: Operation = { op: item.string("op") as Operation["op"], path: item.string("path") ?? "" };
    const from = item.string("from");
    if (from !== undefined) operation.from = from;
    const value = item.get("value");
    if (value) operation.value = value.text;
    return operation;
  });
}

export function preview(text: string): Preview {
  const reader = Reader.of(text);
  const changes = reader.get("changes")?.plain<Partial<Preview["changes"]>>() ?? {};
  const affects = reader.get("affects")?.plain<Partial<Preview["affects"]>>() ?? {};
  return {
    version: reader.number("version") ?? 0,
    patch: operations(reader.get("patch")),
    changes: { added: changes.added ?? [], removed: changes.removed ?? [], replaced: changes.replaced ?? [] },
    warnings: warnings(reader),
    affects: { keywords: affects.keywords ?? [], search: affects.search ?? [], tasks: affects.tasks ?? [] },
  };
}

export function modified(text: string): Modified {
  const reader = Reader.of(text);
  return {
    instance_id: reader.string("instance_id") ?? "",
    version: reader.number("version") ?? 0,
    changed: reader.get("changed")?.text !== "false",
    warnings: warnings(reader),
  };
}

export function history(text: string): Page<HistoryEntry> {
  return page(text, (item) => ({
    version: item.number("version") ?? 0,
    time: item.string("time") ?? "",
    user: item.string("user") ?? "",
    user_name: item.string("user_name") ?? null,
    reason: item.string("reason") ?? null,
    origin: item.string("origin") ?? null,
    kind: item.string("kind") ?? null,
    patch: operations(item.get("patch")),
    lost: item.get("lost_modifications")?.plain<number[] | null>() ?? [],
  }));
}

export function hits(text: string): Page<Hit> {
  return page(
    text,
    (item) => ({
      instance_id: item.string("instance_id") ?? "",
      definition: item.string("definition") ?? "",
      title: item.string("title") ?? "",
      status: item.string("status") as Status,
      started_at: item.string("started_at") ?? "",
      updated_at: item.string("updated_at") ?? "",
      version: item.number("version") ?? 0,
      data: item.get("data")?.entries() ?? [],
    }),
    "hits",
  );
}

export function tasks(text: string): Page<Task> {
  return page(text, (item) => ({
    task_id: item.string("task_id") ?? "",
    instance_id: item.string("instance_id") ?? "",
    title: item.string("title") ?? "",
    node: item.string("node") ?? null,
    assignee: item.string("assignee") ?? null,
    status: item.string("status") ?? "",
    keywords: item.get("keywords")?.entries() ?? [],
    data: item.get("data")?.entries() ?? [],
    metadata: item.get("metadata")?.entries() ?? [],
  }));
}

export function auditDetail(text: string): AuditDetail {
  const reader = Reader.of(text);
  const plain: Record<string, unknown> = {};
  for (const [name, literal] of reader.entries())
    if (name !== "body" && name !== "patch") plain[name] = JSON.parse(literal);
  return {
    ...(plain as unknown as AuditEntry),
    url: String(plain.url ?? ""),
    body: reader.get("body")?.text ?? "null",
    patch: operations(reader.get("patch")),
  };
}

export function bulkJob(text: string): BulkJob {
  return jobFrom(Reader.of(text));
}

export function bulkJobs(text: string): Page<BulkJob> {
  return page(text, jobFrom);
}

export function bulkResults(text: string): Page<BulkResult> {
  return page(text, (item) => ({
    instance_id: item.string("instance_id") ?? "",
    outcome: item.string("outcome") as BulkResult["outcome"],
    version: item.number("version") ?? null,
    problem: item.string("problem") ?? null,
    detail: item.string("detail") ?? null,
    warnings: warnings(item),
    patch: operations(item.get("patch")),
    omitted: item.get("omitted")?.plain<string[]>() ?? [],
  }));
}

function jobFrom(reader: Reader): BulkJob {
  const plain: Record<string, unknown> = {};
  for (const [name, literal] of reader.entries())
    if (!["select", "patch", "merge", "undo"].includes(name)) plain[name] = JSON.parse(literal);
  const merge = reader.get("merge");
  const patch = reader.get("patch");
  let change: BulkJob["change"] = null;
  if (reader.get("undo") && plain.undoes === null) change = { format: "undo", text: "true" };
  if (merge) change = { format: "merge", text: merge.text };
  else if (patch) change = { format: "patch", text: patch.text };
  return {
    ...(plain as unknown as Omit<BulkJob, "select" | "change">),
    select: reader.get("select")?.text ?? "{}",
    change,
  };
}

export function snapshotDocument(text: string): string {
  return Reader.of(text).get("variables")?.text ?? "{}";
}

export function definitionSchema(text: string): string | null {
  return Reader.of(text).get("schema")?.text ?? null;
}

/** The literal JSON of a patch. */
export function patchText(patch: readonly Operation[]): string {
  const members = ({ op, path, from, value }: Operation) => [
    `"op":${JSON.stringify(op)}`,
    `"path":${JSON.stringify(path)}`,
    ...(from === undefined ? [] : [`"from":${JSON.stringify(from)}`]),
    ...(value === undefined ? [] : [`"value":${value}`]),
  ];
  return `[${patch.map((operation) => `{${members(operation).join(",")}}`).join(",")}]`;
}

function warnings(reader: Reader): Warning[] {
  return reader.get("warnings")?.plain<Warning[]>() ?? [];
}

function page<T>(text: string, read: (item: Reader) => T, list = "items"): Page<T> {
  const reader = Reader.of(text);
  const next = reader.get("next");
  const cursor = next && !next.isNull ? String(next.plain<string | number>()) : null;
  return { items: (reader.get(list)?.items() ?? []).map(read), next: cursor };
}
