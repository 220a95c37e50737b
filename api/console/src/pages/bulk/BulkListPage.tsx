import { useEffect } from "preact/hooks";
import { PERMISSION } from "../../api/types";
import { may, workspaceApi } from "../../auth/session";
import { to } from "../../router";
import { useEvery, usePages } from "../../widgets/load";
import { PagedList } from "../../widgets/PagedList";
import { Person, Time } from "../../widgets/small";
import { Table } from "../../widgets/Table";
import { JobState, kindOf } from "./jobWords";

const COLUMNS = ["Reason", "Kind", "State", "Instances", "Changed", "Skipped", "Failed", "User", "Ordered"];

/** The bulk modifications of a workspace, newest first. */
export function BulkListPage({ workspace }: { workspace: string }) {
  const api = workspaceApi(workspace);
  const pages = usePages((cursor, signal) => api.bulk.list(cursor, signal), [workspace]);
  useEvery(pages.items.some((job) => job.state === "running") ? 1500 : null, pages.reload);
  useEffect(() => {
    document.title = "Bulk modifications · procvars";
  }, []);
  return (
    <div class="page">
      <div class="page-head">
        <h1>Bulk modifications</h1>
        <div class="toolbar">
          <button type="button" onClick={pages.reload}>
            Refresh
          </button>
          {may(PERMISSION.edit, workspace) && (
            <a class="button" href={to.newBulk(workspace)}>
              New bulk modification
            </a>
          )}
        </div>
      </div>
      <p class="quiet">
        One change to many instances: each is changed by a modification of its own, with its snapshot and its entry in
        the audit log.
      </p>
      <PagedList pages={pages} empty="Nobody has changed many instances at once yet.">
        {(jobs) => (
          <Table caption="Bulk modifications, newest first" columns={COLUMNS}>
            {jobs.map((job) => (
              <tr key={job.id}>
                <td class="title">
                  <a href={to.bulk(workspace, job.id)}>{job.reason}</a>
                </td>
                <td data-label="Kind">{kindOf(job)}</td>
                <td data-label="State">
                  <JobState job={job} />
                </td>
                <td data-label="Instances">{job.total}</td>
                <td data-label="Changed">{job.changed}</td>
                <td data-label="Skipped">{job.skipped}</td>
                <td data-label="Failed">{job.failed}</td>
                <td data-label="User">
                  <Person name={job.user_name} user={job.user} />
                </td>
                <td data-label="Ordered">
                  <Time value={job.created_at} />
                </td>
              </tr>
            ))}
          </Table>
        )}
      </PagedList>
    </div>
  );
}
