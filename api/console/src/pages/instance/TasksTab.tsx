import { usePages } from "../../widgets/load";
import { PagedList } from "../../widgets/PagedList";
import { Pairs } from "../../widgets/small";
import { Table } from "../../widgets/Table";
import type { TabProps } from "./tabProps";

export function TasksTab({ api, instance }: TabProps) {
  const list = usePages((cursor) => api.tasks(instance.id, cursor), [instance.id]);
  return (
    <div class="stack">
      <p class="quiet">Keywords and data follow the variables within seconds of a change.</p>
      <PagedList pages={list} empty="This instance has no tasks.">
        {(tasks) => (
          <Table caption="Tasks" columns={["Task", "Status", "Assignee", "Keywords", "Data", "Metadata"]}>
            {tasks.map((task) => (
              <tr key={task.task_id}>
                <td class="title">
                  {task.title}
                  <small class="quiet">
                    {task.node ? `${task.node} · ` : ""}
                    <span class="mono">{task.task_id}</span>
                  </small>
                </td>
                <td data-label="Status">{task.status}</td>
                <td data-label="Assignee">{task.assignee ?? "–"}</td>
                <td data-label="Keywords">
                  <Pairs pairs={task.keywords} />
                </td>
                <td data-label="Data">
                  <Pairs pairs={task.data} />
                </td>
                <td data-label="Metadata">
                  <Pairs pairs={task.metadata} />
                </td>
              </tr>
            ))}
          </Table>
        )}
      </PagedList>
    </div>
  );
}
