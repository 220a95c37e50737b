import { useEffect } from "preact/hooks";
import { type Definition, type Overview, PERMISSION, type RecentModifications } from "../../api/types";
import { PROJECTION_STATE_WORDS, STATUS_WORDS } from "../../api/words";
import { may, workspaceApi } from "../../auth/session";
import { to } from "../../router";
import { LoadStatus } from "../../widgets/LoadStatus";
import { useEvery, useLoad } from "../../widgets/load";
import { duration, Empty, Person, Time } from "../../widgets/small";
import { Table } from "../../widgets/Table";
import { auditFilter } from "../audit/auditFilter";
import { nameOf } from "../instanceQuery";
import { BarTable } from "./BarTable";
import { DayChart } from "./DayChart";
import "./overview.css";

const REFRESH_EVERY = 30_000;
/** Seconds from which on a read model counts as behind. */
const BEHIND = 5;

/** What an operator looks at first: the instances of a workspace, who modifies them, and whether the lists are current. */
export function OverviewPage({ workspace }: { workspace: string }) {
  const api = workspaceApi(workspace);
  const timezone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const loaded = useLoad((signal) => api.overview(timezone, signal), [workspace]);
  const definitions = useLoad(() => api.definitions(), [workspace]).value ?? [];
  useEvery(REFRESH_EVERY, loaded.reload);
  useEffect(() => {
    document.title = "Overview · procvars";
  }, []);
  const overview = loaded.value;
  return (
    <div class="page">
      <div class="page-head">
        <h1>Overview</h1>
        <button type="button" onClick={loaded.reload}>
          Refresh
        </button>
      </div>
      <LoadStatus of={loaded} />
      {overview && (
        <div class="overview">
          <Instances workspace={workspace} overview={overview} definitions={definitions} />
          {overview.modifications && (
            <Modifications workspace={workspace} modifications={overview.modifications} definitions={definitions} />
          )}
          <ReadModels projections={overview.projections} />
        </div>
      )}
    </div>
  );
}

function Instances(props: { workspace: string; overview: Overview; definitions: Definition[] }) {
  const { overview, definitions } = props;
  const listOf = (query: string) => `${to.instances(props.workspace)}?${query}`;
  return (
    <>
      <section aria-labelledby="by-status">
        <h2 id="by-status">Instances by status</h2>
        <BarTable
          caption="Instances by status"
          of="Status"
          bars={overview.by_status.map(({ status, instances, more }) => ({
            label: STATUS_WORDS[status],
            href: listOf(`status=${status}`),
            count: instances,
            more,
          }))}
        />
      </section>
      <section aria-labelledby="by-definition">
        <h2 id="by-definition">Instances by definition</h2>
        {overview.by_definition.length === 0 ? (
          <Empty>There are no process instances in this workspace yet.</Empty>
        ) : (
          <BarTable
            caption="Instances by definition"
            of="Definition"
            bars={overview.by_definition.map(({ definition, instances, more }) => ({
              label: nameOf(definitions, definition),
              href: listOf(`definition=${encodeURIComponent(definition)}`),
              count: instances,
              more,
            }))}
          />
        )}
      </section>
    </>
  );
}

function Modifications(props: { workspace: string; modifications: RecentModifications; definitions: Definition[] }) {
  const { days, editors, since, complete } = props.modifications;
  const logOf = (user: string) => to.audit(props.workspace) + auditFilter.query({ ...auditFilter.none, user });
  return (
    <>
      <section aria-labelledby="by-day">
        <h2 id="by-day">Modifications in the last {days.length} days</h2>
        {!complete && (
          <p class="notice info">
            There are too many to count them all: these are the newest ones, since <Time value={since} />.
          </p>
        )}
        <DayChart days={days} />
      </section>
      <section aria-labelledby="editors">
        <h2 id="editors">Who modified what</h2>
        {editors.length === 0 ? (
          <Empty>Nothing was modified by an operator in these days.</Empty>
        ) : (
          <Table caption="Who modified what" columns={["User", "Definition", "Modifications", "Last"]}>
            {editors.map((one) => (
              <tr key={`${one.user} ${one.definition}`}>
                <td class="title">
                  <a href={logOf(one.user)}>
                    <Person name={one.user_name} user={one.user} />
                  </a>
                </td>
                <td data-label="Definition">
                  {one.definition === null ? "–" : nameOf(props.definitions, one.definition)}
                </td>
                <td data-label="Modifications">{one.modifications.toLocaleString()}</td>
                <td data-label="Last">
                  <Time value={one.last_at} />
                </td>
              </tr>
            ))}
          </Table>
        )}
      </section>
    </>
  );
}

function ReadModels({ projections }: { projections: Overview["projections"] }) {
  return (
    <section aria-labelledby="read-models">
      <h2 id="read-models">Read models</h2>
      <Table caption="Read models" columns={["Name", "State", "Behind"]}>
        {projections.map((one) => (
          <tr key={one.name}>
            <td class="title">{one.title}</td>
            <td data-label="State">
              <span class={`badge state-${one.state}`}>{PROJECTION_STATE_WORDS[one.state] ?? one.state}</span>
            </td>
            <td data-label="Behind">
              {one.lag_seconds === null || one.lag_seconds < BEHIND ? "up to date" : duration(one.lag_seconds)}
            </td>
          </tr>
        ))}
      </Table>
      {may(PERMISSION.projections) && (
        <p>
          <a href={to.projections()}>All projections</a>
        </p>
      )}
    </section>
  );
}
