import { compact } from "../json/format";
import * as answers from "./answers";
import { BulkModifications } from "./bulkModifications";
import { type Call, type Http, versionOf } from "./http";
import type {
  AuditDetail,
  AuditEntry,
  Blame,
  Definition,
  Document,
  HistoryEntry,
  Hit,
  Incident,
  Instance,
  Modified,
  Overview,
  Page,
  Preview,
  Snapshot,
  Sync,
  Task,
} from "./types";

/** From this size on a document travels without its white space, below it as it was written. */
const COMPACT_FROM = 512 * 1024;

export interface InstanceQuery {
  status: string[];
  definition?: string | undefined;
  started_after?: string | undefined;
  started_before?: string | undefined;
  parent_id?: string | undefined;
  sort?: string | undefined;
  limit?: number;
  cursor?: string | undefined;
}

export interface SearchQuery {
  keys: { key: string; literal: string }[];
  text?: string | undefined;
  id_or_title?: string;
  definitions?: string[];
  statuses?: string[];
  started_after?: string | undefined;
  started_before?: string | undefined;
  limit?: number;
  cursor?: string | undefined;
}

export interface AuditQuery {
  instance_id?: string;
  user?: string;
  subject?: string;
  event?: string;
  from?: string | undefined;
  to?: string | undefined;
  limit?: number;
  cursor?: string | undefined;
}

export interface TaskQuery {
  /** A whole value of any keyword or, with a trailing `*`, its beginning. */
  keyword?: string;
  key?: string;
  status?: string;
  instance_id?: string;
  cursor?: string | undefined;
}

export interface Write {
  version: number;
  reason: string;
  idempotencyKey: string;
  rebase?: boolean;
  signal?: AbortSignal;
}

/** The API of one workspace, as the console uses it. */
export class Workspace {
  readonly bulk: BulkModifications;

  constructor(
    private readonly http: Http,
    readonly name: string,
  ) {
    this.bulk = new BulkModifications(http, this.path("bulk-modifications"));
  }

  private path(...parts: (string | number)[]): string {
    return `/workspaces/${[this.name, ...parts].map((part) => encodeURIComponent(part)).join("/")}`;
  }

  instances(query: InstanceQuery, signal?: AbortSignal): Promise<Page<Instance>> {
    return this.http.json(this.path("instances"), { query: { ...query }, signal });
  }

  instance(id: string, signal?: AbortSignal): Promise<Instance> {
    return this.http.json(this.path("instances", id), { signal });
  }

  async definitions(): Promise<Definition[]> {
    return (await this.http.json<{ items: Definition[] }>(this.path("definitions"))).items;
  }

  /** The JSON Schema of a definition's variables as literal JSON, or null where it has none. */
  async schema(definition: string, signal?: AbortSignal): Promise<string | null> {
    return answers.definitionSchema((await this.http.call(this.path("definitions", definition), { signal })).text);
  }

  overview(timezone: string, signal?: AbortSignal): Promise<Overview> {
    return this.http.json(this.path("overview"), { query: { timezone }, signal });
  }

  async search(query: SearchQuery, signal?: AbortSignal): Promise<Page<Hit>> {
    const { keys, ...rest } = query;
    const members = keys.map(({ key, literal }) => `{"key":${JSON.stringify(key)},"value":${literal}}`);
    const body = `{"keys":[${members.join(",")}],${JSON.stringify(rest).slice(1)}`.replace(/,}$/, "}");
    return answers.hits((await this.http.call(this.path("search"), { method: "POST", body, signal })).text);
  }

  async variables(
    id: string,
    at: { version?: number; at?: string; after_version?: number } = {},
    signal?: AbortSignal,
  ): Promise<Document> {
    const answer = await this.http.call(this.path("instances", id, "variables"), { query: at, signal });
    return { text: answer.text, version: versionOf(answer.headers) || (at.version ?? 0) };
  }

  async download(id: string, at: { version?: number; at?: string }): Promise<{ text: string; name: string }> {
    const answer = await this.http.call(this.path("instances", id, "variables"), { query: { ...at, download: true } });
    const given = /filename="?([^";]+)"?/.exec(answer.headers.get("Content-Disposition") ?? "")?.[1];
    return { text: answer.text, name: given ?? `variables-${id}.json` };
  }

  /** What saving the document would do; with the version that it is based on, as put on top of what others changed. */
  async preview(id: string, document: string, basedOn?: number): Promise<Preview> {
    const call: Call = { method: "POST", body: travelling(document) };
    if (basedOn !== undefined) {
      call.headers = { "If-Match": `"${basedOn}"` };
      call.query = { on_conflict: "rebase" };
    }
    return answers.preview((await this.http.call(this.path("instances", id, "variables", "preview"), call)).text);
  }

  async save(id: string, document: string, write: Write): Promise<Modified> {
    const call = { ...conditional(write), method: "PUT" as const, body: travelling(document) };
    return answers.modified((await this.http.call(this.path("instances", id, "variables"), call)).text);
  }

  async restore(id: string, snapshot: number, write: Write): Promise<Modified> {
    const path = this.path("instances", id, "snapshots", snapshot, "restore");
    return answers.modified((await this.http.call(path, { ...conditional(write), method: "POST" })).text);
  }

  async reapply(id: string, modification: number, write: Write): Promise<Modified> {
    const path = this.path("instances", id, "modifications", modification, "reapply");
    return answers.modified((await this.http.call(path, { ...conditional(write), method: "POST" })).text);
  }

  snapshots(id: string, cursor?: string): Promise<Page<Snapshot>> {
    return this.http.json(this.path("instances", id, "snapshots"), { query: { cursor } });
  }

  async snapshot(id: string, version: number): Promise<string> {
    return answers.snapshotDocument((await this.http.call(this.path("instances", id, "snapshots", version))).text);
  }

  async history(id: string, cursor?: string): Promise<Page<HistoryEntry>> {
    const call = { query: { cursor } };
    return answers.history((await this.http.call(this.path("instances", id, "variables", "history"), call)).text);
  }

  /** One entry of the history. Throws an error where the version is no modification. */
  async modification(id: string, version: number): Promise<HistoryEntry> {
    let cursor: string | undefined;
    do {
      const page = await this.history(id, cursor);
      const found = page.items.find((entry) => entry.version === version);
      if (found) return found;
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    throw new Error(`Version ${version} of ${id} is no modification.`);
  }

  async blame(id: string): Promise<Blame[]> {
    return (await this.http.json<Page<Blame>>(this.path("instances", id, "variables", "blame"))).items;
  }

  audit(query: AuditQuery, signal?: AbortSignal): Promise<Page<AuditEntry>> {
    return this.http.json(this.path("audit-log"), { query: { ...query }, signal });
  }

  /** The newest entries as a CSV file, up to `limit` of them. */
  async auditCsv(query: AuditQuery, limit: number): Promise<string> {
    const call: Call = {
      query: { ...query, format: "csv", limit },
      headers: { Accept: "text/csv" },
      timeout: 600_000,
    };
    return (await this.http.call(this.path("audit-log"), call)).text;
  }

  async auditEntry(entry: string | number): Promise<AuditDetail> {
    return answers.auditDetail((await this.http.call(this.path("audit-log", entry))).text);
  }

  async tasks(query: TaskQuery, signal?: AbortSignal): Promise<Page<Task>> {
    return answers.tasks((await this.http.call(this.path("tasks"), { query: { ...query }, signal })).text);
  }

  /** Brings an instance of a process engine up to date with it; answers with the newest version. */
  refresh(id: string, signal?: AbortSignal): Promise<{ version: number; changed: boolean }> {
    return this.http.json(this.path("instances", id, "refresh"), { method: "POST", signal });
  }

  resolve(id: string, resolution: "take-engine" | "apply-again"): Promise<{ version: number; changed: boolean }> {
    const body = JSON.stringify({ resolve: resolution });
    return this.http.json(this.path("instances", id, "delivery"), { method: "POST", body });
  }

  async incidents(id: string, signal?: AbortSignal): Promise<Incident[]> {
    return (await this.http.json<{ items: Incident[] }>(this.path("instances", id, "incidents"), { signal })).items;
  }

  retry(id: string, incident: string): Promise<Incident> {
    return this.http.json(this.path("instances", id, "incidents", incident, "retry"), { method: "POST" });
  }

  sync(id: string, signal?: AbortSignal): Promise<Sync> {
    return this.http.json(this.path("instances", id, "sync"), { signal });
  }
}

function conditional(write: Write): Call {
  return {
    query: { reason: write.reason, on_conflict: write.rebase ? "rebase" : undefined },
    headers: { "If-Match": `"${write.version}"`, "Idempotency-Key": write.idempotencyKey },
    signal: write.signal,
    timeout: 30_000,
  };
}

const travelling = (document: string): string => (document.length < COMPACT_FROM ? document : compact(document));
