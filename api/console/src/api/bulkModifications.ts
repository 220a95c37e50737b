import * as answers from "./answers";
import type { Http } from "./http";
import type { BulkChange, BulkJob, BulkOutcome, BulkResult, Page } from "./types";

/** An order for a bulk modification. */
export interface BulkOrder {
  /** Literal JSON of `select`. */
  select: string;
  change: BulkChange;
  reason: string;
  dryRun: boolean;
  /** Of the dry run: another selection by now is refused. */
  expectedDigest?: string;
  idempotencyKey: string;
}

export interface UndoOrder {
  reason: string;
  dryRun: boolean;
  expectedDigest?: string;
  idempotencyKey: string;
}

/** The bulk modifications of one workspace. */
export class BulkModifications {
  constructor(
    private readonly http: Http,
    private readonly path: string,
  ) {}

  async order(order: BulkOrder): Promise<BulkJob> {
    const rest = JSON.stringify(terms(order)).slice(1);
    return this.post("", `{"select":${order.select},"${order.change.format}":${order.change.text},${rest}`, order);
  }

  async undo(id: string, order: UndoOrder): Promise<BulkJob> {
    return this.post(`/${encodeURIComponent(id)}/undo`, JSON.stringify(terms(order)), order);
  }

  async cancel(id: string): Promise<BulkJob> {
    const path = `${this.path}/${encodeURIComponent(id)}/cancel`;
    return answers.bulkJob((await this.http.call(path, { method: "POST" })).text);
  }

  async list(cursor: string | undefined, signal: AbortSignal): Promise<Page<BulkJob>> {
    return answers.bulkJobs((await this.http.call(this.path, { query: { cursor }, signal })).text);
  }

  async job(id: string, signal?: AbortSignal): Promise<BulkJob> {
    return answers.bulkJob((await this.http.call(`${this.path}/${encodeURIComponent(id)}`, { signal })).text);
  }

  async results(
    id: string,
    outcome: BulkOutcome | undefined,
    cursor: string | undefined,
    signal: AbortSignal,
  ): Promise<Page<BulkResult>> {
    const call = { query: { outcome, cursor }, signal };
    const path = `${this.path}/${encodeURIComponent(id)}/results`;
    return answers.bulkResults((await this.http.call(path, call)).text);
  }

  private async post(below: string, body: string, { idempotencyKey }: UndoOrder): Promise<BulkJob> {
    const headers = { "Idempotency-Key": idempotencyKey };
    return answers.bulkJob((await this.http.call(this.path + below, { method: "POST", headers, body })).text);
  }
}

const terms = ({ reason, dryRun, expectedDigest }: UndoOrder) => ({
  reason,
  dry_run: dryRun,
  ...(expectedDigest === undefined ? {} : { expected_digest: expectedDigest }),
});
