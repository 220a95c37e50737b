import type { ComponentChildren } from "preact";
import { type BulkJob, type BulkOutcome, type BulkResult, OUTCOMES } from "../../api/types";
import { explainWarning } from "../../api/words";
import type { Workspace } from "../../api/workspace";
import { to } from "../../router";
import { usePages } from "../../widgets/load";
import { OperationList } from "../../widgets/OperationList";
import { PagedList } from "../../widgets/PagedList";
import { Table } from "../../widgets/Table";

const OUTCOME_WORDS: Record<BulkOutcome, string> = {
  changed: "Changed",
  unchanged: "Unchanged",
  skipped: "Skipped",
  failed: "Failed",
};
const STYLE: Record<BulkOutcome, string> = {
  changed: "status-finished",
  unchanged: "",
  skipped: "status-on_hold",
  failed: "status-failed",
};

/** A row for each instance: what changes there, what to keep in mind, or why it does not change. */
export function Results(props: {
  api: Workspace;
  job: BulkJob;
  outcome: BulkOutcome | undefined;
  onOutcome(outcome: BulkOutcome | undefined): void;
}) {
  const { api, job, outcome } = props;
  const pages = usePages(
    (cursor, signal) => api.bulk.results(job.id, outcome, cursor, signal),
    [job.id, outcome, job.done, job.state],
  );
  const differences = job.dry_run ? ["Differences"] : ["Version"];
  return (
    <>
      <fieldset class="toolbar" aria-label="Outcomes to show">
        <Chip chosen={outcome === undefined} onChoose={() => props.onOutcome(undefined)}>
          All {job.done}
        </Chip>
        {OUTCOMES.map((one) => (
          <Chip key={one} chosen={outcome === one} onChoose={() => props.onOutcome(one)}>
            {OUTCOME_WORDS[one]} {job[one]}
          </Chip>
        ))}
      </fieldset>
      <PagedList
        pages={pages}
        empty={job.state === "running" ? "No instance has been decided on yet." : "No instance has this outcome."}
      >
        {(results) => (
          <Table caption="Results per instance" columns={["Instance", "Outcome", ...differences, "Keep in mind"]}>
            {results.map((result) => (
              <tr key={result.instance_id}>
                <td class="title">
                  <a class="mono" href={to.instance(api.name, result.instance_id, "variables")}>
                    {result.instance_id}
                  </a>
                </td>
                <td data-label="Outcome">
                  <span class={`badge ${STYLE[result.outcome]}`}>{OUTCOME_WORDS[result.outcome]}</span>
                </td>
                <td data-label={differences[0]}>
                  {job.dry_run ? <Differences result={result} /> : (result.version ?? "–")}
                </td>
                <td data-label="Keep in mind">
                  <Remarks result={result} />
                </td>
              </tr>
            ))}
          </Table>
        )}
      </PagedList>
    </>
  );
}

function Chip(props: { chosen: boolean; onChoose(): void; children: ComponentChildren }) {
  return (
    <button type="button" aria-pressed={props.chosen} onClick={props.onChoose}>
      {props.children}
    </button>
  );
}

function Differences({ result }: { result: BulkResult }) {
  if (result.omitted.includes("patch")) return <span class="quiet">Too many to list.</span>;
  return result.patch.length === 0 ? <span class="quiet">–</span> : <OperationList operations={result.patch} />;
}

function Remarks({ result }: { result: BulkResult }) {
  if (result.problem !== null) return <>{result.detail ?? result.problem}</>;
  if (result.warnings.length === 0) return <span class="quiet">–</span>;
  return (
    <ul class="glance">
      {result.warnings.map((warning) => {
        const { title, text } = explainWarning(warning);
        return (
          <li key={warning.code} title={text}>
            {title}
          </li>
        );
      })}
    </ul>
  );
}
