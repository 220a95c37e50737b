import { to } from "../../router";
import { useLoad, usePages } from "../../widgets/load";
import { PagedList } from "../../widgets/PagedList";
import { StatusBadge, Time } from "../../widgets/small";
import { Table } from "../../widgets/Table";
import { nameOf } from "../instanceQuery";
import type { TabProps } from "./tabProps";

export function SubprocessesTab({ api, instance }: TabProps) {
  const list = usePages(
    (cursor, signal) => api.instances({ status: [], parent_id: instance.id, limit: 100, cursor }, signal),
    [instance.id],
  );
  const definitions = useLoad(() => api.definitions(), [api]);
  return (
    <div class="stack">
      {instance.parent_id && (
        <p>
          This is a subprocess of{" "}
          <a class="mono" href={to.instance(api.name, instance.parent_id)}>
            {instance.parent_id}
          </a>
          .
        </p>
      )}
      <p class="quiet">
        A subprocess received a copy of the variables when it started. Changing this instance does not change its
        subprocesses.
      </p>
      <PagedList pages={list} empty="This instance has no subprocesses.">
        {(subprocesses) => (
          <Table caption="Subprocesses" columns={["Title", "Definition", "Status", "Started"]}>
            {subprocesses.map((one) => (
              <tr key={one.id}>
                <td class="title">
                  <a href={to.instance(api.name, one.id)}>{one.title || one.id}</a>
                </td>
                <td data-label="Definition">{nameOf(definitions.value ?? [], one.definition)}</td>
                <td data-label="Status">
                  <StatusBadge status={one.status} />
                </td>
                <td data-label="Started">
                  <Time value={one.started_at} />
                </td>
              </tr>
            ))}
          </Table>
        )}
      </PagedList>
    </div>
  );
}
