import { useEffect, useState } from "preact/hooks";
import { type BulkJob, type BulkOutcome, PERMISSION } from "../../api/types";
import { explain } from "../../api/words";
import type { Workspace } from "../../api/workspace";
import { may, workspaceApi } from "../../auth/session";
import { newIdempotencyKey } from "../../editor/persist";
import { JsonView } from "../../editor/views";
import { go, to } from "../../router";
import { announce } from "../../widgets/announce";
import { LoadStatus } from "../../widgets/LoadStatus";
import { useEvery, useLoad } from "../../widgets/load";
import { duration, Fact, Person, Time, Trouble } from "../../widgets/small";

import { instances, JobState, kindOf } from "./jobWords";
import { Results } from "./Results";
import { SelectWords } from "./SelectWords";
import { UndoDialog } from "./UndoDialog";

/** One bulk modification or dry run: how far it is, what became of each instance, and what can be done with it. */
export function BulkJobPage({ workspace, id }: { workspace: string; id: string }) {
  const api = workspaceApi(workspace);
  const loaded = useLoad((signal) => api.bulk.job(id, signal), [workspace, id]);
  const [outcome, setOutcome] = useState<BulkOutcome | undefined>(undefined);
  const job = loaded.value;
  useEvery(job?.state === "running" ? 500 : null, loaded.reload);
  useEffect(() => {
    document.title = "Bulk modification · procvars";
  }, []);
  return (
    <div class="page">
      <nav aria-label="Breadcrumb">
        <a href={to.bulk(workspace)}>Bulk modifications</a>
      </nav>
      <LoadStatus of={loaded} />
      {job && (
        <>
          <div class="page-head">
            <h1>{job.reason}</h1>
            {may(PERMISSION.edit, workspace) && <Actions api={api} job={job} onChanged={loaded.reload} />}
          </div>
          <Facts api={api} job={job} />
          <Progress job={job} />
          <Summary job={job} />
          <h2>What is changed</h2>
          <SelectWords select={job.select} />
          {job.change && job.change.format !== "undo" && (
            <JsonView text={job.change.text} label="Change" height="160px" />
          )}
          <h2>{job.dry_run ? "What would become of each instance" : "What became of each instance"}</h2>
          <Results api={api} job={job} outcome={outcome} onOutcome={setOutcome} />
        </>
      )}
    </div>
  );
}

function Facts({ api, job }: { api: Workspace; job: BulkJob }) {
  return (
    <dl class="facts">
      <Fact name="State">
        <JobState job={job} />
      </Fact>
      <Fact name="Kind">{kindOf(job)}</Fact>
      <Fact name="User">
        <Person name={job.user_name} user={job.user} />
      </Fact>
      <Fact name="Ordered">
        <Time value={job.created_at} />
      </Fact>
      {job.ended_at && (
        <Fact name="Ended">
          <Time value={job.ended_at} />
        </Fact>
      )}
      {job.cancelled_by && <Fact name="Cancelled by">{job.cancelled_by}</Fact>}
      {job.undoes && (
        <Fact name="Undoes">
          <a href={to.bulk(api.name, job.undoes)}>the earlier bulk modification</a>
        </Fact>
      )}
    </dl>
  );
}

function Progress({ job }: { job: BulkJob }) {
  const parts = [`${job.done} of ${instances(job.total)}`];
  if (job.state === "running" && job.per_second > 0) parts.push(`${Math.round(job.per_second)}/s`);
  if (job.state === "running" && job.seconds_left !== null) parts.push(`${duration(job.seconds_left)} left`);
  return (
    <div class="rebuild">
      <progress aria-label="Progress" value={job.done} max={Math.max(1, job.total)} />
      <p class="quiet">{parts.join(", ")}</p>
    </div>
  );
}

function Summary({ job }: { job: BulkJob }) {
  if (job.state === "running") return null;
  const kind = job.failed > 0 || job.state !== "done" ? "warn" : "good";
  const would = job.dry_run ? "would be" : job.changed === 1 ? "was" : "were";
  return (
    <p class={`notice ${kind}`} role="status">
      {instances(job.changed)} {would} changed, {job.unchanged} unchanged, {job.skipped} skipped, {job.failed} failed.
      {job.dry_run && " Nothing has been changed yet."}
      {job.state === "cancelled" && " It was cancelled: what had been changed stays changed."}
    </p>
  );
}

/** Cancel while it runs; then undo, or for a dry run the real one. */
function Actions({ api, job, onChanged }: { api: Workspace; job: BulkJob; onChanged(): void }) {
  const [undoing, setUndoing] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(undefined);
  const [key] = useState(newIdempotencyKey);
  const cancel = async () => {
    try {
      await api.bulk.cancel(job.id);
    } catch (reason) {
      announce(explain(reason), "bad");
    }
    onChanged();
  };
  const run = async () => {
    setBusy(true);
    setError(undefined);
    const how = { reason: job.reason, dryRun: false, expectedDigest: job.digest, idempotencyKey: key };
    try {
      const { select, change, undoes } = job;
      const real = change ? await api.bulk.order({ select, change, ...how }) : await api.bulk.undo(undoes ?? "", how);
      await go(to.bulk(api.name, real.id));
    } catch (reason) {
      setError(reason);
    }
    setBusy(false);
  };
  const ended = job.state !== "running";
  const runnable = ended && job.dry_run && job.state === "done" && (job.change !== null || job.undoes !== null);
  return (
    <div class="stack job-actions">
      <div class="toolbar">
        {!ended && (
          <button type="button" class="danger" onClick={() => void cancel()}>
            Cancel
          </button>
        )}
        {ended && job.change && job.change.format !== "undo" && (
          <a class="button" href={to.newBulk(api.name, `?from=${encodeURIComponent(job.id)}`)}>
            {job.dry_run ? "Edit the change" : "Order a similar one"}
          </a>
        )}
        {runnable && (
          <button type="button" class="primary" disabled={busy || job.changed === 0} onClick={() => void run()}>
            Change {instances(job.changed)}
          </button>
        )}
        {ended && !job.dry_run && job.changed > 0 && (
          <button type="button" onClick={() => setUndoing(true)}>
            Undo
          </button>
        )}
      </div>
      {error !== undefined && <Trouble reason={error} />}
      {undoing && <UndoDialog api={api} job={job} onClose={() => setUndoing(false)} />}
    </div>
  );
}
